"""A node's views of the party's own records for its own people: how a list is read, searches, one record.

Nothing here is signed, and nothing of it leaves the party: names and dates go to the party's officers and analysts
alone, in bodies of answers and never in an address.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field

from aquila.interface.hits import HitEntry, StepView, WithdrawalView
from aquila.interface.rounds import SubmissionState
from aquila.interface.sentence import SentenceView
from aquila.matching.certainty import Level
from aquila.matching.own_list import ListForecast
from aquila.protocol.messages.base import Count, Digest, Identifier, Message, PartyCode, Seconds
from aquila.protocol.messages.statements import Kind
from aquila.records.person import FIELDS, Record
from aquila.records.reading.layouts import Encoding, Format, FoundLayout
from aquila.records.rows import FindingGroup
from aquila.records.rules import RuleTable
from aquila.records.search import read_names

SAMPLED = 20
"""Of how many records a look at a list shows the names."""
SAMPLED_NAMES = 6
"""How many names of one record it shows: a record may have dozens of aliases."""
MOST_FOUND = 50
"""Records on one page of a search."""
MOST_NAMED = 100
"""How many identifiers of each kind a difference between lists names."""
MOST_OF_RECORD = 20
"""How many hits, submissions and other lists of a record are shown with it."""
MOST_REFERENCES = 20
"""How many things of each kind with one reference a search names."""
FARTHEST = 10_000
"""The last record that a search can be paged to: who finds more says more of the name."""

CORRECTABLE = tuple(name for name in FIELDS if name != "record_id")
"""The fields of a record that can be corrected."""


def _correctable(name: str) -> str:
    if name not in CORRECTABLE:
        raise ValueError("no field of a record that can be corrected")
    return name


Position = Annotated[int, Field(ge=0, le=2**40)]
SearchText = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", repr=False)]
CorrectableField = Annotated[str, AfterValidator(_correctable)]
FieldText = Annotated[str, Field(max_length=2_000)]
OwnFields = Annotated[dict[str, str | list[str]], Field(repr=False)]


class ReadNameView(Message):
    """A name as it is written, and the words that are compared."""

    field: str
    written: Annotated[str, Field(repr=False)]
    words: Annotated[tuple[str, ...], Field(repr=False)]


class ReadingProgress(Message):
    """Progress of a list that the node reads now, to check it or to store it."""

    rows: Count


class SampledRecord(Message):
    """A record that was read from a file: how its names and its date are understood."""

    record_id: str
    names: tuple[ReadNameView, ...]
    more_names: Count
    """How many aliases it has beside those that are shown."""
    date_of_birth: Annotated[str, Field(repr=False)]

    @classmethod
    def of(cls, record: Record) -> Self:
        names, born = names_of(record), record.date_of_birth
        return cls(
            record_id=record.record_id,
            names=names[:SAMPLED_NAMES],
            more_names=max(0, len(names) - SAMPLED_NAMES),
            date_of_birth="" if born is None else str(born),
        )


def names_of(record: Record) -> tuple[ReadNameView, ...]:
    """Return how a record's names are read."""
    return tuple(ReadNameView(field=name.field, written=name.written, words=name.words) for name in read_names(record))


class RuleYield(Message):
    """The inputs that a list gives under one match rule."""

    rule: str
    sentence: str
    inputs: Count
    """Inputs of the accepted records."""
    held_back: Count
    """How many of them a round would not send, because more records of the list share their value than the default
    frequency limit, or the rule, allows; of one person's records as many as the limit says would send it."""


def rule_yields(table: RuleTable, inputs: Mapping[int, int], held_back: Mapping[int, int]) -> tuple[RuleYield, ...]:
    """Return the inputs of a list under each rule of a table, from two counts by rule number."""
    return tuple(
        RuleYield(
            rule=rule.name,
            sentence=rule.sentence,
            inputs=inputs.get(rule.number, 0),
            held_back=held_back.get(rule.number, 0),
        )
        for rule in table.rules
    )


class ProspectView(Message):
    """The highest level of a hit between two lists like one if the names agree, and something else; None for no hit."""

    sentence: str
    level: Level | None


class Prospects(Message):
    """The levels that hits of a list can have by names and date of birth alone."""

    usual_names: Count
    """How many names are counted as the most usual ones."""
    usual_percent: Count
    """Of the list's family names, how many of a hundred are one of these."""
    found: tuple[ProspectView, ...]
    """By what else agrees, the strongest agreement first."""

    @classmethod
    def of(cls, foreseen: ListForecast) -> Self:
        return cls(
            usual_names=foreseen.usual_names,
            usual_percent=round(100 * foreseen.usual_share),
            found=tuple(ProspectView(sentence=one.sentence, level=one.level) for one in foreseen.prospects),
        )


class DeliveryView(Message):
    """A list file that a system of the party put into the node's folder."""

    delivery_id: Identifier
    """Of this state of the file; it is another once the file is written to."""
    name: str
    size: Count
    written_at: Seconds
    problem: SentenceView | None = None
    """Why it cannot be looked through now."""


class Deliveries(Message):
    """The list files that wait in the node's folder, the newest first."""

    deliveries: tuple[DeliveryView, ...]
    left_out: Count = 0
    """How many more there are."""


class IndicatorTableView(Message):
    """The table of indicators that a node goes by, with its labels as the file has them."""

    name: str
    digest: Digest
    """The SHA-256 of the file."""
    groups: dict[str, str]
    """Labels by letter."""
    indicators: dict[str, str]
    """Labels by code."""


class RecordSearch(Message):
    """A search among the party's own records and references: what is looked for is needed."""

    text: SearchText = ""
    """A name or parts of one (`aquila.records.search`), or the whole number of a record, or a reference."""
    alike: bool = False
    """Whether names that sound alike, and known variants, count as well."""
    offset: Annotated[int, Field(ge=0, le=FARTHEST)] = 0
    """How many are passed over."""


class ReferenceKind(StrEnum):
    """What a reference or number stands for."""

    HIT = "hit"
    OWN_NOTE = "own_note"
    OTHER_NOTE = "other_note"
    THIRD_NOTE = "third_note"
    CHANNEL = "channel"
    REPLY = "reply"
    REQUEST = "request"
    ANSWER = "answer"
    PERMISSION = "permission"
    ROUND = "round"
    QUERY = "query"
    CASE = "case"
    STANDING_QUERY = "standing_query"


class FoundReference(Message):
    """What has a reference: a hit, a round, a query or a standing query of this party."""

    kind: ReferenceKind
    counterpart: PartyCode | None = None
    """Of a hit."""
    round_id: Identifier | None = None
    """Of a hit or a round."""
    thing_id: Identifier
    """The hit, the round, the query or the standing query."""


class FoundRecord(Message):
    """A record in a list, by its place in the list that it came from."""

    import_id: Identifier
    position: Position
    list_name: str
    record_id: str
    record: OwnFields


class RecordPage(Message):
    """A page of the records that a search found, by their names, and what it found by reference."""

    records: tuple[FoundRecord, ...]
    references: tuple[FoundReference, ...] = ()
    """What has the text as its reference, as far as the person may see it; on the first page."""
    offset: Count
    total: Count


class RecordUse(Message):
    """A submission that the record's list was made into, in one round."""

    round_id: Identifier
    submission_id: Identifier
    kind: Kind
    state: SubmissionState
    wished_at: Seconds


class RecordHit(Message):
    """A hit on the record, with what was done with it and who withdrew it."""

    entry: HitEntry
    history: tuple[StepView, ...]
    withdrawals: tuple[WithdrawalView, ...]


class RecordView(Message):
    """One of the party's own records with its history.

    Attributes:
        uses_left_out, elsewhere_left_out, hits_left_out: How many older ones there are; `MOST_OF_RECORD` of each are
            shown.
    """

    entry: FoundRecord
    names: tuple[ReadNameView, ...]
    imported_at: Seconds
    """When its list came."""
    uses: tuple[RecordUse, ...]
    """The submissions of its list, the newest first."""
    elsewhere: tuple[str, ...]
    """Lists of this node that hold a record of the same number too, by their names."""
    hits: tuple[RecordHit, ...] | None
    """Its hits, the newest first, or None where the caller's roles may not see hits."""
    uses_left_out: Count = 0
    elsewhere_left_out: Count = 0
    hits_left_out: Count = 0


class FindingView(Message):
    """Something wrong with one line of an imported file."""

    line: Count
    field: str
    reason: SentenceView
    severity: Literal["warning", "refusal"]
    record_id: str
    written: Annotated[str, Field(repr=False)] = ""
    """The field as it is written, for the person who looks through the file alone; of a stored list nothing."""


class FindingGroupView(Message):
    """Findings about a file with the same field and reason."""

    field: str
    reason: SentenceView
    severity: Literal["warning", "refusal"]
    count: Count
    """How many there are."""
    line: Count
    """Of the first."""
    example: Annotated[str, Field(repr=False)]
    """The field of the first as it is written, or nothing; for the person who holds the file alone."""

    @classmethod
    def of(cls, group: FindingGroup) -> Self:
        first = group.first
        return cls(
            field=first.field,
            reason=SentenceView.of(first.sentence),
            severity=first.severity.value,
            count=group.count,
            line=first.line,
            example=first.example,
        )


class RecordCorrection(Message):
    """The fields that a record shall have; its identifier stays."""

    fields: Annotated[dict[CorrectableField, tuple[FieldText, ...]], Field(repr=False)]
    """Texts by field, as a list would have them; several for a field that holds several values."""

    def texts(self) -> dict[str, tuple[str, ...]]:
        """Return the texts of the fields that have any."""
        given = {name: tuple(text for text in texts if text.strip()) for name, texts in self.fields.items()}
        return {name: texts for name, texts in given.items() if texts}


class CorrectionReport(Message):
    """A corrected record as the node reads it."""

    findings: tuple[FindingView, ...]
    """Warnings, or why the fields give no record."""
    names: tuple[ReadNameView, ...] | None
    """How its names are read; None where the fields give no record."""


class LayoutView(Message):
    """The layout in which a file was read."""

    format: Format
    encoding: Encoding | None = None
    is_guess: bool = False
    """Whether the encoding was concluded from the letters: a person should check some names."""
    sheet: Annotated[int, Field(ge=1)] | None = None
    """The number of the sheet that was read, from 1."""
    sheets: tuple[str, ...] = ()
    headings: Annotated[tuple[str, ...], Field(repr=False)] = ()
    """The columns as the file names them."""
    columns: tuple[str | None, ...] = ()
    """The field that each is read into, or None; nothing for FollowTheMoney."""
    line: Annotated[int, Field(ge=1)] = 1
    """The line of the headings."""
    top: Annotated[tuple[tuple[int, tuple[str, ...]], ...], Field(repr=False)] = ()
    """The first lines that are not blank, with their numbers, cut to be shown to who chooses the line; nothing where
    a list was stored."""

    @classmethod
    def of(cls, layout: FoundLayout) -> Self:
        return cls.model_validate(layout, from_attributes=True)


class Findings(Message):
    """The first findings about a stored list, in the order of its lines, and how many there are."""

    findings: tuple[FindingView, ...]
    total: Count


class RecordReport(Message):
    """The result of reading a file."""

    import_id: Identifier | None
    """The stored import, or None where nothing was stored."""
    name: str
    accepted: Count
    refused: Count
    warnings: Count
    groups: tuple[FindingGroupView, ...]
    """All findings by field and reason, refusals first, and of both the largest group first."""
    findings: tuple[FindingView, ...]
    """The first findings; `findings_left_out` counts the rest."""
    findings_left_out: Count
    rules: tuple[RuleYield, ...]
    """What the accepted records give under each match rule."""
    duplicates: Count
    """Pairs of accepted records that are likely one person; `DuplicateRecords` names them."""
    sample: tuple[SampledRecord, ...] = ()
    """How the names of the first accepted records are read; nothing where a list was stored."""
    layout: LayoutView | None = None
    """The layout in which the file was read."""
    prospects: Prospects | None = None
    """The certainty that its hits can have by names and date of birth alone."""


class DuplicatePairView(Message):
    """Two records of one list that are likely one person, and why in plain words."""

    record_id_a: str
    record_id_b: str
    position_a: Count
    """The place of the first in the list, from 0."""
    position_b: Count
    """That of the second."""
    certainty: Level
    sentences: tuple[str, ...]


class DuplicateRecords(Message):
    """Likely duplicates of a stored list, by record ids."""

    import_id: Identifier
    records: Count
    pairs: tuple[DuplicatePairView, ...]
    """All that are named, the surest first, or a part of them."""
    pairs_left_out: Count
    """How many more were found, which are not named."""
    offset: Count = 0
    """How many surer ones are left out."""
    total: Count = 0
    """How many are named in all."""
    groups: Count
    """How many groups of records the pairs make."""
    values_not_compared: dict[str, int]
    """By rule, how many values were not compared because too many records share them."""


class ListDifference(Message):
    """The difference of a stored list to the one that was stored before it, by the party's own identifiers.

    Attributes:
        added_ids, removed_ids, changed_ids: The first of them, up to `MOST_NAMED` each.
    """

    import_id: Identifier
    previous: Identifier | None = None
    """The list that was stored before it, or None for the first one."""
    previous_name: str = ""
    added: Count = 0
    removed: Count = 0
    changed: Count = 0
    unchanged: Count = 0
    added_ids: tuple[str, ...] = ()
    removed_ids: tuple[str, ...] = ()
    changed_ids: tuple[str, ...] = ()


class ImportEntry(Message):
    """An import: its name, when it came, and how many records it holds."""

    import_id: Identifier
    name: str
    records: Count
    refused: Count
    imported_at: Seconds
    findings: Count = 0
    for_query: bool = False
    """Whether it holds the persons of one query, and is no list of the party."""


class Imports(Message):
    """The imports that a node holds, newest first."""

    imports: tuple[ImportEntry, ...]
