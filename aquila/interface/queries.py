"""Queries of a few persons at a node: what an officer asks, and what is known of each person at each party.

Nothing here is signed. Persons are the party's own, and go to its own people alone, in bodies and never in an address.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from aquila.followup.lifecycle import Stage
from aquila.interface.hits import QueryReason
from aquila.interface.records import FindingView, OwnFields, ReadNameView
from aquila.interface.rounds import AnswerState, Awaited, JustificationInput, SubmissionState
from aquila.interface.safeguard import PairCheckView
from aquila.interface.sentence import SentenceView
from aquila.matching.certainty import Level
from aquila.protocol.messages.base import Count, GivenText, Identifier, Message, PartyCode, Seconds, Text, optional
from aquila.protocol.messages.manifest import TemplateId

MOST_PERSONS = 20
"""Persons of one query that are typed, pasted, or taken from a stored list."""

MOST_DAYS = 180
"""Days for which a standing query is approved at most (ADR 49)."""

REMINDED_DAYS = 14
"""Days before the end of a standing query from which its party is reminded of it."""

_Typed = Annotated[str, Field(max_length=500, repr=False)]


class QueryPerson(Message):
    """A person as it is typed: texts as the columns of a list hold them; an empty one is not known."""

    record_id: _Typed = ""
    """The party's own number for the person; the node assigns one where it is empty."""
    given_names: _Typed = ""
    family_names: _Typed = ""
    full_name: _Typed = ""
    aliases: _Typed = ""
    date_of_birth: _Typed = ""
    sex: _Typed = ""
    place_of_birth: _Typed = ""
    country_of_birth: _Typed = ""
    nationality: _Typed = ""
    document_numbers: _Typed = ""
    national_numbers: _Typed = ""
    phones: _Typed = ""
    emails: _Typed = ""


PERSON_FIELDS = tuple(QueryPerson.model_fields)
"""The names of the fields of a person of a query, which are columns of a list."""


class ChosenPersons(Message):
    """The persons of a query: those that are typed, or those of a stored list."""

    persons: Annotated[tuple[QueryPerson, ...], Field(max_length=MOST_PERSONS)] = ()
    import_id: Identifier | None = None


class QueryRequest(ChosenPersons):
    """An officer's wish to ask for a few persons in a round."""

    round_id: Identifier
    justification: JustificationInput


class StandingQueryRequest(QueryRequest):
    """An officer's wish to ask for a few persons in each coming round of the same terms.

    Attributes:
        round_id: The round whose terms the standing query is approved for; it may be over.
    """

    until: Seconds
    """Until when it is asked; seconds since 1970, at most `MOST_DAYS` from now."""


class QueryTemplate(Message):
    """Texts for the justification of a query, to be filled in and changed."""

    name: Text
    """What it is for, in English."""
    purpose: Text
    category: Text


class QueryRound(Message):
    """A round that takes a query of this party now, with its own texts, which a justification may take over."""

    round_id: Identifier
    title: Text
    legal_basis: Text
    purpose: Text
    category: Text
    participants: tuple[PartyCode, ...]
    until: Seconds


class QueryEntry(Message):
    """A query of this party that two persons wanted."""

    submission_id: Identifier
    round_id: Identifier
    round_title: Text
    name: str
    """The list of its persons."""
    persons: Count
    """How many of them are asked for; none once they are deleted."""
    asked_at: Seconds
    state: SubmissionState
    """How far it is at this node."""
    answer: AnswerState
    """Whether its report is here."""
    reason: QueryReason | None
    """Why it is asked; None once its three years are over."""
    officer: str = ""
    """The pseudonymous id of who asked."""
    officer_name: str = ""
    """The name of that person's account, or nothing."""


class Queries(Message):
    """The queries of this party, the newest first, and the rounds and templates for another one."""

    rounds: tuple[QueryRound, ...]
    earlier: tuple[QueryRound, ...] = ()
    """Rounds that take no query any more, with whose terms a standing query can be set up; each terms once."""
    templates: tuple[QueryTemplate, ...]
    queries: tuple[QueryEntry, ...]
    """The part that was asked for, by default the newest ones."""
    most_persons: Count
    """Persons of one query at most."""
    offset: Count = 0
    """How many newer queries are left out."""
    total: Count = 0
    """How many there are in all."""


class QueriedPartyState(StrEnum):
    """The state of the answer of one party to a query: those of `AnswerState`, and of parties that answer nothing."""

    ANSWERED = "answered"
    AWAITED = "awaited"
    ON_HOLD = "on_hold"
    REFUSED = "refused"
    NOT_COMPARED = "not_compared"
    LEFT_OUT = "left_out"
    NEVER = "never"
    ERASED = "erased"


class QueriedParty(Message):
    """A party of the round, and what is known of its answer."""

    party: PartyCode
    state: QueriedPartyState
    """As of `PartyAnswer`: at an answered party a person without a hit is a no-hit. `not_compared`: the round does not
    compare the two parties. `left_out`: the round was opened without it."""
    since: Seconds | None = None
    """When this node learned so, or None where nothing happened yet."""
    awaited: Awaited = Awaited.NOTHING
    """Of an awaited answer, the step of this party that is known to be missing; `nothing` where the rest is not shown
    to the asker."""


class QueryHit(Message):
    """A hit of a query."""

    hit_id: Identifier
    party: PartyCode
    certainty: Level
    stage: Stage
    """Where it is in its life; a withdrawn one is no hit any more."""
    exchange: Literal["unconfirmed", "confirmed", "refuted"]
    """Whether both sides have verified it."""


class QueriedPerson(Message):
    """A person of a query with its hits; at an answered party without a hit it is a no-hit."""

    record_id: Annotated[str, Field(repr=False)]
    record: OwnFields
    compared: bool
    """Whether the person's data gave anything that can be compared."""
    hits: tuple[QueryHit, ...]


class QueryProgress(Message):
    """The progress of a query, without its persons."""

    state: SubmissionState
    """How far it is at this node."""
    parties: tuple[QueriedParty, ...]
    hits: Count
    """Its hits, those included that were withdrawn."""
    unconfirmed: Count
    """Those of them that one side or both have not verified yet."""
    pending: bool
    """Whether something may still come: an answer, or the confirmation of a hit."""


class QueryAnswer(Message):
    """The answer to a query: persons by parties."""

    entry: QueryEntry
    parties: tuple[QueriedParty, ...]
    persons: tuple[QueriedPerson, ...]
    minimum_certainty: Level
    """The least certainty that the round reports."""
    closes_at: Seconds
    """Until when the round can answer; seconds since 1970."""
    seen_at: Seconds
    """When this was put together; seconds since 1970."""
    left: Count
    """Persons whose record was erased since."""
    problems: tuple[SentenceView, ...]
    """What stops the round, or makes its hits untrustworthy, in sentences."""
    checks: tuple[PairCheckView, ...]
    """Of each party whose answer is here, whether anything was left out."""


class StandingQueryState(StrEnum):
    """The state of a standing query; all but the first are final."""

    ACTIVE = "active"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    REPLACED = "replaced"
    EMPTIED = "emptied"


class SkipReason(StrEnum):
    """The reason for which a standing query is not asked in a round that takes queries.

    `terms`: area, legal basis, purpose or category of the round differ from those that were approved; `parties`: a
    party takes part that was not among those approved; `persons`: the persons are not those that were approved;
    `later`: a record of the list was erased, and an earlier round still uses that list; `used_up`: this party has asked
    as many queries as the round allows it.
    """

    TERMS = "terms"
    PARTIES = "parties"
    PERSONS = "persons"
    LATER = "later"
    USED_UP = "used_up"


class StandingTerms(Message):
    """The terms of the rounds in which a standing query may be asked."""

    area: Text
    legal_basis: Text
    purpose: Text
    category: Text
    parties: tuple[PartyCode, ...]
    """The other parties that may read the justification; a round may have fewer of them."""
    template: TemplateId | None = optional()
    """The template that its rounds come from; if there is none, its rounds name no template."""


class StandingQueryRound(Message):
    """A round in which a standing query was asked, and the number of its hits."""

    round_id: Identifier
    round_title: Text
    submission_id: Identifier
    asked_at: Seconds
    state: SubmissionState
    answer: AnswerState
    """Whether its report is here."""
    hits: Count
    """Hits that were not withdrawn."""
    first_hits: Count
    """Of these, pairs of a person and a party that no earlier round had."""
    new_hits: Count
    """Of these, those that nobody has taken up."""


class SkippedRound(Message):
    """A round that takes queries and in which a standing query is not asked."""

    round_id: Identifier
    round_title: Text
    purpose: Text
    legal_basis: Text
    until: Seconds
    reason: SkipReason


class StandingQueryEntry(Message):
    """A standing query that two persons wanted."""

    standing_id: Identifier
    import_id: Identifier
    """The list of its persons."""
    name: str
    """That list's name."""
    persons: Count
    """How many of them are asked for; none once they are deleted."""
    reason: QueryReason
    """Why it is asked."""
    officer: str
    """The pseudonymous id of who asked for it."""
    officer_name: str = ""
    """The name of that person's account, or nothing."""
    terms: StandingTerms
    """Those of the rounds in which it may be asked."""
    round_id: Identifier
    """The round that had these terms when it was approved."""
    approved_at: Seconds
    until: Seconds
    """Until when it is asked."""
    state: StandingQueryState
    ended_at: Seconds | None = None
    """When it ended; None while it is active."""
    ended_by: str = ""
    """The pseudonymous id of who withdrew it, or nothing."""
    ended_by_name: str = ""
    ended_because: str = ""
    """Why it was withdrawn."""
    rounds: tuple[StandingQueryRound, ...]
    """The rounds in which it was asked, the newest first."""
    unasked: tuple[SkippedRound, ...]
    """Rounds that take queries now and in which it is not asked without another approval."""
    reminds: bool
    """Whether its end is near."""

    @property
    def new_hits(self) -> int:
        """The number of its new hits that nobody has taken up."""
        return sum(one.new_hits for one in self.rounds)


class StandingQueries(Message):
    """The standing queries of this party: the active ones first, then the newest."""

    queries: tuple[StandingQueryEntry, ...]
    most_days: Count
    """Days for which one is approved at most."""
    reminded_days: Count
    """Days before its end from which the party is reminded."""


class WatchedPerson(Message):
    """A person of a standing query."""

    record_id: Annotated[str, Field(repr=False)]
    record: OwnFields


class AskedPerson(WatchedPerson):
    """A person who is asked for as the node reads what was typed or stored, before anything is sent."""

    names: tuple[ReadNameView, ...]
    findings: tuple[FindingView, ...]
    """What was not read, and what is odd; the line is the person's place, from 1."""


class AskedPersons(Message):
    """The persons who are asked for."""

    persons: tuple[AskedPerson, ...]
    left_out: Count
    """How many more there are in a list of more than `MOST_PERSONS`."""


class StandingQueryView(Message):
    """A standing query with its persons."""

    entry: StandingQueryEntry
    persons: tuple[WatchedPerson, ...]


class WithdrawnStandingQuery(Message):
    """An officer's reason for which a standing query is asked no more."""

    reason: GivenText
