"""The statements that the parties sign in a round (PROTOCOL.md 3.2 to 3.9)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from aquila.followup.lifecycle import Urgency
from aquila.protocol.messages.base import (
    MAX_CHUNK_ELEMENTS,
    ClassCounts,
    Count,
    Digest,
    ElementHex,
    Identifier,
    Message,
    PartyCode,
    Positive,
    ProofHex,
    SealedLockHex,
    SealingKeyHex,
    Text,
    ascending,
    optional,
)
from aquila.records.rules import MOST_RULES, MOST_SETS, InputClass


class LogHead(Message):
    """Size and root of a log, from one of its checkpoints."""

    size: Positive
    root: Digest


class Statement(Message):
    """Anything a party signs in a round; `sequence` counts its statements from 1 (PROTOCOL.md 3.2).

    `log_head` is the checkpoint of the matcher's log that the signer saw last; only a refusal may lack it (PROTOCOL.md
    3.2.5).
    """

    round_id: Identifier
    party: PartyCode
    sequence: Positive
    log_head: LogHead | None = optional()


class BoundStatement(Statement):
    """A statement after the round opened; it names the round's binding."""

    binding: Digest


class SharePublic(Message):
    """The public half of a share: `K = k*G` and the proof that its holder knows `k` (PROTOCOL.md 4.2)."""

    input_class: InputClass
    public_key: ElementHex
    proof: ProofHex


class Spent(Message):
    """Elements of one origin that this party evaluated in an earlier round."""

    origin: PartyCode
    elements: ClassCounts


class EarlierRound(Message):
    """An earlier round in which this party evaluated for some of the same participants, and what it spent there."""

    round_id: Identifier
    spent: tuple[Spent, ...]


class Consent(Statement):
    """A party agrees to a manifest and brings its fresh public keys (PROTOCOL.md 3.3).

    `elements` declares how many elements of each class the party has evaluated in the round at most, padding included.
    """

    payload_type: ClassVar[str] = "application/vnd.aquila.consent+json"

    manifest_digest: Digest
    elements: ClassCounts
    shares: tuple[SharePublic, ...]
    sealing_key: SealingKeyHex
    earlier_rounds: tuple[EarlierRound, ...]

    @model_validator(mode="after")
    def _one_share_per_class(self) -> Self:
        if [share.input_class for share in self.shares] != list(InputClass):
            raise ValueError("a consent brings one share for each input class, in the order of the classes")
        return self


class SealedLock(Message):
    """A party's half of the lock with a counterpart, sealed to that counterpart."""

    counterpart: PartyCode
    sealed: SealedLockHex


class Locks(BoundStatement):
    """A party's halves of the locks with all that it may be compared with (PROTOCOL.md 3.3.8)."""

    payload_type: ClassVar[str] = "application/vnd.aquila.locks+json"

    halves: tuple[SealedLock, ...]

    @model_validator(mode="after")
    def _sorted(self) -> Self:
        ascending([half.counterpart for half in self.halves], "counterparts")
        return self

    def sealed_for(self, counterpart: str) -> str:
        """Return the half sealed to a counterpart, hexadecimal; raises KeyError where there is none."""
        return {half.counterpart: half.sealed for half in self.halves}[counterpart]


class Kind(StrEnum):
    """The kind of a submission: a party's own list, or a justified query."""

    LIST = "list"
    QUERY = "query"


class Justification(Message):
    """The grounds on which a submission is lawful; signed with it and logged.

    Of a query its purpose, case, category and urgency are shown to the analysts of a party whose list it hits.
    `urgency` is the time within which the asker needs an answer, where it says one.
    """

    legal_basis: Text
    purpose: Text
    case_reference: Text
    category: Text
    officer: Text
    urgency: Urgency | None = optional()


class ChunkReference(Message):
    """One chunk of blinded elements: its class, number of elements and the SHA-256 of its bytes."""

    input_class: InputClass
    elements: Annotated[int, Field(ge=1, le=MAX_CHUNK_ELEMENTS)]
    digest: Digest


class Submission(BoundStatement):
    """A party's list or query, blinded: sizes and chunk digests (PROTOCOL.md 3.4)."""

    payload_type: ClassVar[str] = "application/vnd.aquila.submission+json"

    submission_id: Identifier
    kind: Kind
    justification: Justification
    records: Positive
    elements: ClassCounts
    chunks: Annotated[tuple[ChunkReference, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _counts_add_up(self) -> Self:
        for input_class in InputClass:
            total = sum(chunk.elements for chunk in self.chunks if chunk.input_class is input_class)
            if total != self.elements.of(input_class):
                raise ValueError("the chunks do not add up to the number of elements")
        classes = [tuple(InputClass).index(chunk.input_class) for chunk in self.chunks]
        if classes != sorted(classes):
            raise ValueError("the chunks do not stand in the order of their classes")
        return self


class Evaluation(BoundStatement):
    """A party evaluated one chunk of another's submission, with its batched proof (PROTOCOL.md 3.5)."""

    payload_type: ClassVar[str] = "application/vnd.aquila.evaluation+json"

    origin: PartyCode
    submission_id: Identifier
    index: Count
    input_class: InputClass
    elements: Positive
    input_digest: Digest
    output_digest: Digest
    proof: ProofHex


class TokenChunkReference(Message):
    """One chunk of token rows: its number of rows and the SHA-256 of its bytes."""

    rows: Annotated[int, Field(ge=1, le=MAX_CHUNK_ELEMENTS)]
    digest: Digest


class TagPiece(Message):
    """One piece of a shadow column: its number of tags and the SHA-256 of its bytes."""

    tags: Annotated[int, Field(ge=1, le=MAX_CHUNK_ELEMENTS)]
    digest: Digest


class RuleRows(Message):
    """The number of a column's rows under one rule."""

    rule: Annotated[int, Field(ge=1, le=MOST_RULES)]
    rows: Positive


class TokenColumn(Message):
    """The tokens and the tags of a list or a query for one counterpart (PROTOCOL.md 3.6 and 3.7.12)."""

    counterpart: PartyCode
    rules: Annotated[tuple[RuleRows, ...], Field(min_length=1)]
    """How many rows it has under each rule, in ascending order; the same in all columns of a submission."""
    chunks: Annotated[tuple[TokenChunkReference, ...], Field(min_length=1)]
    """The rows, chunk by chunk of the submission."""
    key: Digest
    """The digest of the pair's key of the tags, the same from both sides."""
    left_out: tuple[Annotated[int, Field(ge=0, le=MOST_SETS - 1)], ...]
    """The sets of rules, by number, for which it has no tags because there would be too many."""
    pieces: Annotated[tuple[TagPiece, ...], Field(min_length=1)]
    """The tags of the shadow column."""

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        ascending([one.rule for one in self.rules], "rules")
        ascending(list(self.left_out), "sets left out")
        if sum(one.rows for one in self.rules) != sum(chunk.rows for chunk in self.chunks):
            raise ValueError("the rows of the rules do not add up to those of the chunks")
        return self

    @property
    def parts(self) -> tuple[TokenChunkReference | TagPiece, ...]:
        """All that is sent with it, in the order of its index: the chunks of rows, then the pieces of tags."""
        return (*self.chunks, *self.pieces)


class Tokens(BoundStatement):
    """The column of a submission for one counterpart: its tokens and tags (PROTOCOL.md 3.6 and 3.7.12)."""

    payload_type: ClassVar[str] = "application/vnd.aquila.tokens+json"

    submission_id: Identifier
    column: TokenColumn


class LevelCounts(Message):
    """The number of hits of each certainty level."""

    high: Count
    medium: Count
    low: Count

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Self:
        """Return numbers by the word of the level; of a level that is not there, none."""
        return cls(**{level: counts.get(level, 0) for level in cls.model_fields})

    @property
    def total(self) -> int:
        """The number of hits."""
        return self.high + self.medium + self.low


class Receipt(BoundStatement):
    """A party has stored a report (PROTOCOL.md 3.7.4)."""

    payload_type: ClassVar[str] = "application/vnd.aquila.receipt+json"

    counterpart: PartyCode
    submission_id: Identifier | None
    """The query that the report is of, or None for the lists."""
    report_digest: Digest
    """Digest of the report, or of its last page."""
    hits: LevelCounts
    """How many hits of each level it has."""


class Alarm(BoundStatement):
    """The owner of a list withholds its receipt: a query hit the list far too often (PROTOCOL.md 3.7.14).

    `expected` is how many hits the sizes explain, in thousandths.
    """

    payload_type: ClassVar[str] = "application/vnd.aquila.alarm+json"

    submission_id: Identifier
    report_digest: Digest
    hits: Positive
    expected: Count


class Withholding(StrEnum):
    """The state of an answer that the owner of a list withholds from a query's asker (PROTOCOL.md 3.7.16)."""

    ON_HOLD = "on_hold"
    REFUSED = "refused"


class WithheldAnswer(BoundStatement):
    """The owner of a list informs a query's asker that its answer is on hold or refused, and of no number (3.7.16)."""

    payload_type: ClassVar[str] = "application/vnd.aquila.withheldanswer+json"

    submission_id: Identifier
    state: Withholding


class CheckFault(StrEnum):
    """The reason why a pair's report is not shown to be all there is (PROTOCOL.md 3.7.13).

    `columns`: the tags that met are not as many as the rows that met say, or the two sides have different keys; then
    the matcher reports nothing of the pair. `tags`: others met than follow from the pairs reported. `pairs`: a record
    that shares a reported pair's tags is missing. `levels`: too many pairs are called too weak. `earlier`, of a query:
    the report of the lists, or of an earlier query of its asker, is missing or was not found whole.
    """

    COLUMNS = "columns"
    TAGS = "tags"
    PAIRS = "pairs"
    LEVELS = "levels"
    EARLIER = "earlier"


class ReportCheck(BoundStatement):
    """A party has checked whether a report leaves anything out (PROTOCOL.md 3.7.13)."""

    payload_type: ClassVar[str] = "application/vnd.aquila.reportcheck+json"

    counterpart: PartyCode
    submission_id: Identifier | None
    """The query that the report is of, or None for the lists."""
    report_digest: Digest
    """Digest of the report, or of its last page."""
    met: Digest | None
    """The digest of the tags that met, as the report tells; none where it tells of none."""
    below: Count
    """How many pairs it tells that meet a set and are no hits."""
    fault: CheckFault | None
    """What is wrong; none where nothing was left out."""


class EndingStatement(Statement):
    """The end of a party's work in a round."""

    given_up: Annotated[tuple[tuple[Positive, Positive], ...], Field(min_length=1)] | None = optional()
    """Numbers before this one that stay empty, as ranges of a first and a last one: of statements that the matcher
    refused or that never left the node, and those that a refusal passes over (PROTOCOL.md 3.2.2)."""

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        before = 0
        for first, last in self.given_up or ():
            if not before < first <= last < self.sequence:
                raise ValueError("numbers given up must be ranges in ascending order, below the statement's own")
            before = last
        return self


class Closing(EndingStatement):
    """A party destroyed its round key, and with it share, seed and token secrets (PROTOCOL.md 3.9).

    It names the round's binding, or none where the round ended before it opened.
    """

    payload_type: ClassVar[str] = "application/vnd.aquila.closing+json"

    binding: Digest | None
    destroyed: Literal[True]
    hits: Count


class Refusal(EndingStatement):
    """A party ends its part in a round: it destroyed its keys (PROTOCOL.md 3.9.1)."""

    payload_type: ClassVar[str] = "application/vnd.aquila.refusal+json"

    reason: Text
