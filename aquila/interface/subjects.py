"""What a person asks to know of a party (LED, Articles 14 to 17): the search, what it found, and the answer."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from aquila.interface.people import Person
from aquila.interface.records import FindingView
from aquila.matching.certainty import Level
from aquila.protocol.messages.base import Count, Day, Identifier, Message, Seconds

DAYS_TO_ANSWER = 30
"""From the day on which a request came."""
MOST_NAMED = 50
"""How many things of a place are named; all are counted."""
MOST_ANSWERED = 200
"""How many answered requests are shown, the newest first."""

FileNumber = Annotated[str, StringConstraints(max_length=60, pattern=r"^[^\x00-\x1f\x7f]*[0-9][^\x00-\x1f\x7f]*$")]
"""The party's own number of a request."""


class SubjectField(StrEnum):
    """What a person is looked for by, as fields of a record."""

    GIVEN_NAMES = "given_names"
    FAMILY_NAMES = "family_names"
    ALIASES = "aliases"
    DATE_OF_BIRTH = "date_of_birth"
    DOCUMENT_NUMBERS = "document_numbers"
    NATIONAL_NUMBERS = "national_numbers"


SubjectText = Annotated[str, Field(max_length=2_000)]


class SubjectSearch(Message):
    """A search for the person of a request; only the answer is stored, and nothing of the person."""

    file_number: FileNumber
    fields: Annotated[dict[SubjectField, SubjectText], Field(repr=False)]
    """Texts by field; several values of one are on lines of their own."""

    def texts(self) -> dict[str, str]:
        """Return the texts of the fields that have any, as one row of a list would have them."""
        parted = {name.value: [line.strip() for line in text.splitlines()] for name, text in self.fields.items()}
        return {name: ";".join(filter(None, lines)) for name, lines in parted.items() if any(lines)}


class SubjectPlace(StrEnum):
    """Where something of a person may be at a node."""

    RECORDS = "records"
    QUERIES = "queries"
    HITS = "hits"
    NOTES = "notes"
    LETTERS = "letters"
    REMARKS = "remarks"
    LOG = "log"


class FoundThing(Message):
    """Something that may be of the person, by its number and not by its content."""

    number: Annotated[str, Field(repr=False)]
    """The party's own number of a record or hit, a number of a letter, or the place of an entry of the log."""
    of: Annotated[str, Field(repr=False)] = ""
    """The list of a record, or the other party of a hit."""
    path: tuple[str, ...] = ()
    """The ids by which the operator's interface names it."""
    level: Level | None = None
    """Of a record, how certain the match rules are; None where they are below every level."""
    sentences: tuple[str, ...] = ()
    """Of a record, what agrees."""


class FoundInPlace(Message):
    """What was found in one place."""

    place: SubjectPlace
    count: Count
    things: tuple[FoundThing, ...]
    """The first ones, up to `MOST_NAMED`."""


class SubjectFindings(Message):
    """All that a search found, and what it went through."""

    search_id: Identifier
    """Of this search, whose entry of the log has its numbers; the answer names it."""
    records: Count
    """How many records of lists and queries were compared."""
    places: tuple[FoundInPlace, ...]
    findings: tuple[FindingView, ...] = ()
    """What of the person could not be read, and was not looked for."""


class SubjectAnswer(StrEnum):
    """What a person is told: what is held, that nothing is, or neither of them for one of the grounds of Article 15."""

    GIVEN = "given"
    NOTHING = "nothing"
    INQUIRIES = "inquiries"
    OFFENCES = "offences"
    PUBLIC_SECURITY = "public_security"
    NATIONAL_SECURITY = "national_security"
    RIGHTS = "rights"


class SubjectDecision(Message):
    """The answer to a request, after a search of its person for the same file number."""

    search_id: Identifier
    file_number: FileNumber
    received: Day
    answer: SubjectAnswer


class AnsweredRequest(Message):
    """A request that was answered."""

    file_number: str
    received: Day
    due: Day
    answered_at: Seconds
    answered_by: Person
    is_late: bool
    answer: SubjectAnswer
    counts: dict[SubjectPlace, Count]
    """What the search found, by place."""


class AnsweredRequests(Message):
    """The requests that were answered, the newest first."""

    requests: tuple[AnsweredRequest, ...]
    total: Count
