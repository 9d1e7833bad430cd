"""What parties sign after a hit: notes and confirmations (PROTOCOL.md 3.7.5 to 3.7.9), and what 3.11 names."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema, model_validator

from aquila.followup.lifecycle import Ground
from aquila.matching.certainty import Level
from aquila.protocol.encoding import canonical
from aquila.protocol.messages.base import Count, Digest, Identifier, Message, PartyCode, Positive, ascending, optional
from aquila.protocol.messages.statements import BoundStatement
from aquila.records.indicators import MOST_INDICATORS
from aquila.sentences import Sentence

MAX_NOTES = 512
"""Notes of one statement at most: 1.7 MB on their way."""

SourceCode = Literal["A", "B", "C", "X"]
InformationCode = Literal["1", "2", "3", "4"]
HandlingCode = Literal["H0", "H1", "H2", "H3"]
IndicatorCode = Annotated[str, StringConstraints(pattern=r"^[A-Z][1-9][0-9]?$")]
NoteText = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$")]
_MOST_PADDING = 2  # signs, of base64
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def _is_base64(text: str) -> str:
    """Refuse a text that the pattern of `SealedText` does not match, a sixth of the time that the pattern takes."""
    content = text.rstrip("=")
    if not content or len(text) - len(content) > _MOST_PADDING or content.encode("ascii").translate(None, _BASE64):
        raise ValueError("not base64")
    return text


SealedText = Annotated[
    str, AfterValidator(_is_base64), WithJsonSchema({"type": "string", "pattern": r"^[A-Za-z0-9+/]+={0,2}$"})
]


class SealedStatement(BoundStatement):
    """A statement whose long text is what it has sealed."""

    sealed: SealedText
    """What is for its receiver alone; base64."""

    def payload(self) -> bytes:
        """Return the canonical JSON that is signed (PROTOCOL.md 2.1); nothing in the long text has to be escaped."""
        short = canonical(self.model_dump(mode="json", exclude={"sealed"}) | {"sealed": ""})
        return short.replace(b'"sealed":""', b'"sealed":"%b"' % self.sealed.encode(), 1)


class Note(Message):
    """The minimum that one side reveals to the other of its record after a hit. It names no person and no record."""

    payload_type: ClassVar[str] = "application/vnd.aquila.note+json"

    source_evaluation: SourceCode | None
    information_evaluation: InformationCode | None
    handling_code: HandlingCode | None
    category: NoteText | None
    reference: Reference
    """The party's own number of the hit, drawn at random; a follow-up names it."""
    contact: NoteText
    """Where the unit that holds the record can be asked."""
    report: Digest
    """Digest of what the matcher told the sender of the hit, to be compared with what it told the receiver."""
    indicators: Annotated[tuple[IndicatorCode, ...], Field(min_length=1, max_length=MOST_INDICATORS)] | None = (
        optional()
    )
    """Codes of the table that the manifest names; none in a round that names none."""


class Notes(SealedStatement):
    """Sealed notes of one party for another, of the same report (PROTOCOL.md 3.7.6)."""

    payload_type: ClassVar[str] = "application/vnd.aquila.notes+json"

    to: PartyCode
    """For whom they are."""
    submission_id: Identifier | None
    """The query whose hits these are, or None for the lists."""
    index: Count
    """Which batch of these notes it is, from 0."""
    hits: Annotated[int, Field(ge=1, le=MAX_NOTES)]
    """How many notes it holds."""


class Fault(StrEnum):
    """The fault of a hit, as found by the side that refutes it (PROTOCOL.md 3.7.8)."""

    FOREIGN = "foreign"
    LEVEL = "level"
    SEALED = "sealed"
    UNREADABLE = "unreadable"
    TOLD = "told"
    WITHHELD = "withheld"
    UNREPORTED = "unreported"
    REPEATED = "repeated"

    @property
    def sentence(self) -> Sentence:
        """The meaning."""
        return Sentence.of(f"fault_{self.value}")


class RefutedHit(Message):
    """A hit that does not hold, and why."""

    hit_id: Identifier
    fault: Fault


class Confirmation(BoundStatement):
    """A party has opened and verified a batch of notes; every hit of it that is not refuted is confirmed (3.7.8)."""

    payload_type: ClassVar[str] = "application/vnd.aquila.confirmation+json"

    to: PartyCode
    """Whose notes they were."""
    submission_id: Identifier | None
    """As in the notes."""
    notes: Digest
    """Digest of the notes' statement."""
    notes_sequence: Positive
    """The number that its sender gave that statement."""
    confirmed: Count
    """How many hits hold."""
    refuted: Annotated[tuple[RefutedHit, ...], Field(max_length=MAX_NOTES)]
    """The others."""

    @model_validator(mode="after")
    def _sorted(self) -> Self:
        ascending([hit.hit_id for hit in self.refuted], "refuted hits")
        return self


MOST_WITHDRAWN = 1_000
"""Hits of one withdrawal at most."""


class Withdrawal(BoundStatement):
    """The owner of records withdraws hits on them, towards one counterpart; only ids and a word give the ground.

    `submission_id` is the query whose hits they are; hits of the lists name none.
    """

    payload_type: ClassVar[str] = "application/vnd.aquila.withdrawal+json"

    counterpart: PartyCode
    hits: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=MOST_WITHDRAWN)]
    ground: Ground
    submission_id: Identifier | None = optional()

    @model_validator(mode="after")
    def _sorted(self) -> Self:
        ascending(list(self.hits), "withdrawn hits")
        return self


class Acknowledgement(BoundStatement):
    """A party has marked the hits of a withdrawal.

    `hits` says how many of them it held, `erased` whether it erased what the owner's notes said.
    """

    payload_type: ClassVar[str] = "application/vnd.aquila.acknowledgement+json"

    withdrawal: Digest
    hits: Count
    erased: bool


class LevelOutcomes(Message):
    """The outcomes of the hits of one level; those that nobody has closed yet are open."""

    certainty: Level
    confirmed: Count
    refuted: Count
    unresolved: Count
    withdrawn: Count
    open: Count

    @property
    def total(self) -> int:
        """All hits of the level."""
        return self.confirmed + self.refuted + self.unresolved + self.withdrawn + self.open


class PairOutcomes(Message):
    """The outcomes of the hits with one counterpart, by level from low to high; levels without a hit are left out."""

    counterpart: PartyCode
    levels: Annotated[tuple[LevelOutcomes, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        ranks = [one.certainty.centibits for one in self.levels]
        if ranks != sorted(set(ranks)):
            raise ValueError("the levels must be distinct and in ascending order")
        return self


class Outcomes(BoundStatement):
    """The outcomes of a party's hits so far, in numbers; a later statement takes the place of an earlier one."""

    payload_type: ClassVar[str] = "application/vnd.aquila.outcomes+json"

    pairs: tuple[PairOutcomes, ...]

    @model_validator(mode="after")
    def _sorted(self) -> Self:
        ascending([pair.counterpart for pair in self.pairs], "counterparts")
        return self

    @property
    def total(self) -> int:
        """All hits of the statement."""
        return sum(level.total for pair in self.pairs for level in pair.levels)


class FollowUp(SealedStatement):
    """A party's sealed word to a counterpart on hits of their lists, in place of its earlier one (3.11.6)."""

    payload_type: ClassVar[str] = "application/vnd.aquila.followup+json"

    to: PartyCode
    """For whom it is."""
    part: Annotated[int, Field(ge=0, le=2**32 - 1)]
    """Which part of the hits it is about, from 0."""
