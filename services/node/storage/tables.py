"""The node's tables. What is secret in a row is sealed under the round key; records are the party's own and are not.

Times are seconds since 1970.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    UniqueConstraint,
    func,
    or_,
    text,
)
from sqlalchemy.orm import Mapped, MappedColumn, mapped_column, object_mapper

from aquila.interface.queries import StandingQueryState
from aquila.interface.rounds import SubmissionState
from aquila.protocol.messages import CheckFault
from services.kit.approvals.tables import ApprovalRows
from services.kit.log.entries import TABLES
from services.kit.people.tables import PeopleRows
from services.kit.storage.outages import OutageRows
from services.kit.storage.registry import RegistryRows
from services.kit.storage.row_seals import SealedRow
from services.kit.storage.store import Rows, declare, following, new_metadata, state_text
from services.node.storage.states import (
    CHUNK_DOWNLOAD_TRANSITIONS,
    EVALUATION_DOWNLOAD_TRANSITIONS,
    LOCAL_ROUND_TRANSITIONS,
    STANDING_QUERY_TRANSITIONS,
    SUBMISSION_TRANSITIONS,
    ChunkDownloadState,
    EvaluationDownloadState,
    LocalRoundState,
    Promise,
    Step,
)

BIG = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself in INTEGER columns only

DAY = 86_400
"""Seconds of a day of `DailyEvaluationRow`."""


Id = Annotated[str, mapped_column(String(32))]
Code = Annotated[str, mapped_column(String(16))]
"""A party's code, a person's pseudonymous id, or a word."""
ShortWord = Annotated[str, mapped_column(String(8))]
Digest = Annotated[str, mapped_column(String(64))]


class NodeRows(Rows):
    """The base of the node's tables."""

    __abstract__ = True
    metadata = new_metadata()


class _Stateful:
    """A row with a state that changes as its table of transitions says."""

    transitions: ClassVar[Mapping[Any, frozenset[Any]]]
    state: Any

    def enter(self, state: StrEnum) -> None:
        """Enter a state that can follow; ValueError where it cannot, which is a fault of the caller."""
        self.state = following(self.transitions, self.state, state)


def _round(*, primary_key: bool = False) -> MappedColumn[str]:
    """Return a column that names a round."""
    return mapped_column(
        String(32), ForeignKey("round.round_id"), primary_key=primary_key, index=True, comment="Which round."
    )


class ImportRow(NodeRows):
    """An imported list."""

    __tablename__ = "import"
    import_id: Mapped[Id] = mapped_column(primary_key=True, comment="Random identifier.")
    name: Mapped[str] = mapped_column(comment="The operator's name for it.")
    format: Mapped[ShortWord] = mapped_column(comment="csv, ftm, xlsx or ods.")
    records: Mapped[int] = mapped_column(comment="Records stored.")
    refused: Mapped[int] = mapped_column(comment="Rows that could not be used.")
    imported_at: Mapped[int] = mapped_column(comment="Seconds since 1970.")
    complete: Mapped[bool] = mapped_column(comment="Whether all records are there; an incomplete one is deleted.")
    digest: Mapped[Digest | None] = mapped_column(
        comment="SHA-256 of its records in order; none after an erasure, until needed."
    )
    for_query: Mapped[bool] = mapped_column(default=False, comment="Whether it holds the persons of one query.")
    filled: Mapped[dict[str, int] | None] = mapped_column(
        JSON, comment="How many of its records have each field; none after an erasure, until needed."
    )

    def changed(self) -> None:
        """Forget what was made of all records: it is another list now."""
        self.digest = self.filled = None


class FindingRow(NodeRows):
    """A finding about a row of an imported list, without the person's values."""

    __tablename__ = "finding"
    import_id: Mapped[Id] = mapped_column(ForeignKey("import.import_id"), primary_key=True, comment="The list.")
    number: Mapped[int] = mapped_column(primary_key=True, comment="Place among its findings, from 0.")
    line: Mapped[int] = mapped_column(comment="The line of the file on which the row begins.")
    field: Mapped[str] = mapped_column(comment="The column, or empty where the whole row is meant.")
    severity: Mapped[Code] = mapped_column(comment="warning or refusal.")
    reason: Mapped[str] = mapped_column(comment="What is wrong and what to do.")
    record_id: Mapped[str] = mapped_column(index=True, comment="The party's own identifier, or empty.")


class ChosenColumnsRow(NodeRows):
    """The columns that an officer chose for lists with the same headings."""

    __tablename__ = "chosen_columns"
    headings: Mapped[Digest] = mapped_column(primary_key=True, comment="SHA-256 of the headings in sorted order.")
    columns: Mapped[list[str | None]] = mapped_column(JSON, comment="The field of each sorted heading, or null.")


class RecordRow(NodeRows):
    """A record of an import."""

    __tablename__ = "record"
    # A search reads the words of every record: the index holds them without the records, in the order of imports.
    __table_args__ = (Index(None, "import_id", "position", "words"), Index(None, "record_id"))
    import_id: Mapped[Id] = mapped_column(ForeignKey("import.import_id"), primary_key=True, comment="Of which import.")
    position: Mapped[int] = mapped_column(primary_key=True, comment="Place in the import, from 0.")
    record_id: Mapped[str] = mapped_column(comment="The party's own identifier.")
    content: Mapped[bytes] = mapped_column(comment="The record as JSON: the party's own personal data.")
    words: Mapped[str] = mapped_column(default="", comment="The folded words of its names, for searches.")


class RoundRow(_Stateful, SealedRow, NodeRows):
    """A round that the matcher proposed to this node."""

    transitions = LOCAL_ROUND_TRANSITIONS
    unsealed = (
        "manifest",
        "discovered_at",
        "cursor",
        "phase",
        "state",
        "outcome",
        "declared_full",
        "declared_partial",
        "declared_coarse",
        "outcomes_changed_at",
        "follow_ups_at",
        "hits_erased_at",
        "kept_until",
    )
    __tablename__ = "round"
    __table_args__ = (Index(None, "state", "phase"), Index(None, "discovered_at"), Index(None, "outcomes_changed_at"))
    round_id: Mapped[Id] = mapped_column(primary_key=True, comment="From the manifest.")
    manifest: Mapped[bytes] = mapped_column(comment="The manifest in the matcher's envelope.")
    manifest_digest: Mapped[Digest] = mapped_column(comment="Digest of the manifest as signed.")
    discovered_at: Mapped[int] = mapped_column(comment="Seconds since 1970.")
    cursor: Mapped[int] = mapped_column(default=0, comment="The last event of the matcher that is stored.")
    phase: Mapped[Code] = mapped_column(comment="Phase of the round as far as this node knows.")
    state: Mapped[LocalRoundState] = mapped_column(
        state_text(LocalRoundState, 16),
        default=LocalRoundState.ACTIVE,
        comment="active, destroying (keys and files go) or destroyed.",
    )
    outcome: Mapped[str | None] = mapped_column(comment="Why it is being destroyed.")
    consent_digest: Mapped[Digest | None] = mapped_column(comment="Digest of this node's own consent.")
    consent_wished: Mapped[bool] = mapped_column(default=False, comment="The operator wants to consent.")
    declared_full: Mapped[int] = mapped_column(default=0, comment="Elements of class full that the consent declares.")
    declared_partial: Mapped[int] = mapped_column(default=0, comment="The same of the class partial.")
    declared_coarse: Mapped[int] = mapped_column(default=0, comment="The same of the class coarse.")
    close_wished: Mapped[bool] = mapped_column(default=False, comment="The operator wants the keys destroyed.")
    abort_reason: Mapped[str | None] = mapped_column(comment="The operator wants to leave the round, and why.")
    refused: Mapped[str | None] = mapped_column(comment="Why this node takes no further part, for good.")
    outcomes_changed_at: Mapped[int | None] = mapped_column(
        comment="When the first outcome came that the matcher was not told."
    )
    follow_ups_at: Mapped[int | None] = mapped_column(
        comment="When counterparts are told of hits that were confirmed, or asked about."
    )
    hits_erased_at: Mapped[int | None] = mapped_column(comment="When retention erased its hits and statements.")
    kept_until: Mapped[int] = mapped_column(comment="Until when its manifest keeps hits and statements.")


class WorkRow(NodeRows):
    """A step of a round that is to be taken, and when. A round is open here while it has one."""

    __tablename__ = "work"
    round_id: Mapped[str] = _round(primary_key=True)
    step: Mapped[Step] = mapped_column(state_text(Step, 16), primary_key=True, comment="look, follow_up or work.")
    not_before: Mapped[int | None] = mapped_column(
        comment="Seconds since 1970 from which it is due; none while it waits for news or a person."
    )
    attempts: Mapped[int] = mapped_column(default=0, comment="How often it has failed in a row.")
    wakes: Mapped[int] = mapped_column(default=0, comment="How often it was woken: also while it is being taken.")


class ProblemRow(NodeRows):
    """Something that stops a round and that the operator should know."""

    __tablename__ = "problem"
    round_id: Mapped[str] = _round(primary_key=True)
    place: Mapped[str] = mapped_column(String(200), primary_key=True, comment="What it is about; one problem each.")
    sentence: Mapped[str] = mapped_column(comment="The problem in words, without personal data.")
    noted_at: Mapped[int] = mapped_column(comment="Seconds since 1970.")


class StatementRow(NodeRows):
    """A signed statement of a round: what others and the matcher signed, and what this node did."""

    __tablename__ = "statement"
    # The last own number of every round is looked for in each step, and statements are long.
    __table_args__ = (
        Index(None, "round_id", "own", "sequence"),
        # In each step those are looked for that the matcher has not got: a few among all.
        Index(
            "ix_statement_unsent",
            "round_id",
            sqlite_where=text("own = 1 AND sent = 0"),
            postgresql_where=text("own AND NOT sent"),
        ),
        # Each look at the hits counts the rounds of all years of which there is none.
        Index(
            "ix_statement_own_receipts",
            "round_id",
            sqlite_where=text("own = 1 AND kind = 'receipt'"),
            postgresql_where=text("own AND kind = 'receipt'"),
        ),
    )
    round_id: Mapped[str] = _round(primary_key=True)
    digest: Mapped[Digest] = mapped_column(primary_key=True, comment="Digest of the payload as signed.")
    event_id: Mapped[int | None] = mapped_column(
        comment="Place in the matcher's feed; none while an own one is not back."
    )
    party: Mapped[Code] = mapped_column(comment="Who signed it: a party's code, or matcher.")
    sequence: Mapped[int | None] = mapped_column(comment="The party's number for it.")
    kind: Mapped[Code] = mapped_column(comment="The kind of message.")
    envelope: Mapped[bytes] = mapped_column(comment="The DSSE envelope.")
    own: Mapped[bool] = mapped_column(comment="Whether this node signed it.")
    sent: Mapped[bool] = mapped_column(default=False, comment="Of an own one: whether the matcher has it.")
    refusal: Mapped[str | None] = mapped_column(comment="Of an own one: why the matcher will never take it.")
    taken_at: Mapped[int | None] = mapped_column(comment="Seconds since 1970 when it was signed or taken here.")
    erased_at: Mapped[int | None] = mapped_column(
        comment="When its justification was erased, which leaves it unsigned."
    )
    promise: Mapped[Promise | None] = mapped_column(
        state_text(Promise, 8),
        index=True,
        comment="signed, promised, proved or excused: whether the matcher's log holds it.",
    )
    log_index: Mapped[int | None] = mapped_column(comment="Its place in the matcher's log, once that was proved.")
    unproved: Mapped[int] = mapped_column(default=0, comment="How many looks at the matcher's log did not prove it.")


class PendingStatementKind(StrEnum):
    """Kinds of statement that are signed once the matcher's log provably holds all earlier ones."""

    RECEIPT = "receipt"
    CLOSING = "closing"


class PendingStatementRow(NodeRows):
    """A statement that waits until the matcher's log is proved to hold what came before it in the round."""

    __tablename__ = "due_statement"
    round_id: Mapped[str] = _round(primary_key=True)
    kind: Mapped[ShortWord] = mapped_column(primary_key=True, comment="receipt or closing.")
    submission_id: Mapped[Id] = mapped_column(
        primary_key=True, default="", comment="A receipt's query; empty for lists and a closing."
    )
    counterpart: Mapped[Code] = mapped_column(
        primary_key=True, default="", comment="A receipt's other party; empty for a closing."
    )
    hits: Mapped[int] = mapped_column(default=0, comment="How many hits a closing will say.")


class NamedHeadRow(NodeRows):
    """A head of the matcher's log that another party signed to have seen (PROTOCOL.md 3.2.5), and whether it is ours.

    It names its round without depending on it: what retention erases of a round leaves what was seen of the log.
    """

    __tablename__ = "named_head"
    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="Entries that the log had.")
    root: Mapped[Digest] = mapped_column(primary_key=True, comment="The head over them, hexadecimal.")
    party: Mapped[Code] = mapped_column(comment="Who named it first here.")
    round_id: Mapped[Id] = mapped_column(comment="In which round.")
    digest: Mapped[Digest] = mapped_column(comment="Digest of the statement that names it.")
    verified_at: Mapped[int | None] = mapped_column(
        index=True, comment="When it was found to be of the log shown here."
    )


class NamedEntriesRow(NodeRows):
    """The place up to which entries of the matcher's log that name this party were compared here: one row."""

    __tablename__ = "named_entries"
    row_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, comment="Always 1.")
    judged: Mapped[int] = mapped_column(comment="Up to which entry nothing is open.")
    waiting_since: Mapped[int | None] = mapped_column(
        comment="Since when an entry waits for its explanation by the feed."
    )


class SecretRow(NodeRows):
    """A secret of a round, sealed under the round key."""

    __tablename__ = "secret"
    round_id: Mapped[str] = _round(primary_key=True)
    name: Mapped[Digest] = mapped_column(primary_key=True, comment="What it is.")
    sealed: Mapped[bytes] = mapped_column(comment="Nonce, ciphertext and tag.")


class SubmissionRow(_Stateful, SealedRow, NodeRows):
    """A submission of this node."""

    transitions = SUBMISSION_TRANSITIONS
    unsealed = ("records", "batches", "prepared", "held_back")
    __tablename__ = "submission"
    submission_id: Mapped[Id] = mapped_column(primary_key=True, comment="Random identifier.")
    round_id: Mapped[str] = _round()
    import_id: Mapped[Id] = mapped_column(comment="The import that it is made of.")
    records_digest: Mapped[Digest] = mapped_column(comment="Digest of the approved records of the list.")
    kind: Mapped[ShortWord] = mapped_column(comment="list or query.")
    justification: Mapped[dict[str, str]] = mapped_column(JSON, comment="Why it is lawful; empty after three years.")
    wished_at: Mapped[int] = mapped_column(comment="Seconds since 1970 when two persons wanted it.")
    state: Mapped[SubmissionState] = mapped_column(
        state_text(SubmissionState, 16),
        comment="wished, preparing, submitted, finalized or failed; tokens_sent when all is done.",
    )
    records: Mapped[int] = mapped_column(default=0, comment="Records, dummies included.")
    batches: Mapped[int] = mapped_column(default=0, comment="Batches of records to blind.")
    prepared: Mapped[int] = mapped_column(default=0, comment="Batches whose runs are on the disk.")
    held_back: Mapped[dict[str, int]] = mapped_column(JSON, comment="By rule number, inputs that were not sent.")


class StandingQueryRow(_Stateful, SealedRow, NodeRows):
    """A query that two persons approved for each coming round of the same terms."""

    transitions = STANDING_QUERY_TRANSITIONS
    __tablename__ = "standing_query"
    standing_id: Mapped[Id] = mapped_column(primary_key=True, comment="Random identifier.")
    import_id: Mapped[Id] = mapped_column(index=True, comment="The list of its persons.")
    records_digest: Mapped[Digest] = mapped_column(comment="Digest of the approved records, less those erased.")
    round_id: Mapped[Id] = mapped_column(comment="The round that had its terms when it was approved.")
    terms: Mapped[dict[str, str | list[str]]] = mapped_column(
        JSON, comment="Area, legal basis, purpose, category and parties of the rounds in which it may be asked."
    )
    justification: Mapped[dict[str, str]] = mapped_column(JSON, comment="Why it is lawful, and who asked for it.")
    approved_at: Mapped[int] = mapped_column(comment="Seconds since 1970.")
    until: Mapped[int] = mapped_column(comment="Until when it is asked; seconds since 1970.")
    state: Mapped[StandingQueryState] = mapped_column(
        state_text(StandingQueryState, 16),
        default=StandingQueryState.ACTIVE,
        index=True,
        comment="active, withdrawn, expired, replaced or emptied.",
    )
    ended_at: Mapped[int | None] = mapped_column(comment="Seconds since 1970; none while it is active.")
    ended_by: Mapped[Code | None] = mapped_column(comment="The pseudonymous id of who withdrew it.")
    ended_because: Mapped[str | None] = mapped_column(comment="Why it was withdrawn.")


class ChunkRow(NodeRows):
    """A chunk of an own submission."""

    __tablename__ = "chunk"
    submission_id: Mapped[Id] = mapped_column(
        ForeignKey("submission.submission_id"), primary_key=True, comment="Of which submission."
    )
    index: Mapped[int] = mapped_column(primary_key=True, comment="Its place, from 0.")
    round_id: Mapped[str] = _round()
    input_class: Mapped[ShortWord] = mapped_column(comment="full, partial or coarse.")
    elements: Mapped[int] = mapped_column(comment="How many elements it has.")
    digest: Mapped[Digest] = mapped_column(comment="SHA-256 of the blinded elements.")
    sent: Mapped[bool] = mapped_column(default=False, comment="Whether the matcher has the blinded elements.")


class TokenPartRow(NodeRows):
    """A part of an own column: the token rows of a chunk, or behind them a piece of the tags.

    A row of a chunk is there when it is finalized. Its rows are put in order over their class, and pieces are stored,
    with the column's statement: a column that has pieces is signed.
    """

    __tablename__ = "token_part"
    submission_id: Mapped[Id] = mapped_column(
        ForeignKey("submission.submission_id"), primary_key=True, comment="Of which submission."
    )
    counterpart: Mapped[ShortWord] = mapped_column(primary_key=True, comment="For whom the column is.")
    index: Mapped[int] = mapped_column(primary_key=True, comment="Its place in the column, from 0.")
    round_id: Mapped[str] = _round()
    is_rows: Mapped[bool] = mapped_column(comment="Whether it has token rows, or tags.")
    size: Mapped[int] = mapped_column(comment="Bytes.")
    sent: Mapped[bool] = mapped_column(default=False, comment="Whether the matcher has it.")


class _DownloadRow(_Stateful, NodeRows):
    """Bytes that the matcher holds for this node, in one of two queues."""

    __abstract__ = True
    # The columns of the key have the same order in both queues.
    submission_id: Mapped[Id] = mapped_column(primary_key=True, sort_order=-2, comment="Of which submission.")
    index: Mapped[int] = mapped_column(primary_key=True, sort_order=-1, comment="Which chunk.")
    round_id: Mapped[str] = _round()
    attempts: Mapped[int] = mapped_column(default=0, comment="Fetches that gave other bytes than signed.")

    def fail(self) -> None:
        """Give the bytes up."""
        self.enter(type(self.state)("failed"))

    @property
    def key(self) -> tuple[str | int, ...]:
        """The primary key."""
        return tuple(object_mapper(self).primary_key_from_instance(self))

    @property
    def subject(self) -> str:
        """The subject of a problem with it."""
        return " ".join(["chunk", *map(str, self.key)])

    @classmethod
    def is_waiting(cls) -> ColumnElement[bool]:
        """Return the condition for rows that are still to be fetched."""
        found: ColumnElement[bool] = cls.state == "waiting"
        return found


class ChunkDownloadRow(_DownloadRow):
    """Another party's chunk, which this node evaluates."""

    transitions = CHUNK_DOWNLOAD_TRANSITIONS
    __tablename__ = "chunk_download"
    state: Mapped[ChunkDownloadState] = mapped_column(
        state_text(ChunkDownloadState, 16), default=ChunkDownloadState.WAITING, comment="waiting, evaluated or failed."
    )


class EvaluationDownloadRow(_DownloadRow):
    """Another party's evaluation of an own chunk, which this node verifies."""

    transitions = EVALUATION_DOWNLOAD_TRANSITIONS
    __tablename__ = "evaluation_download"
    party: Mapped[Code] = mapped_column(primary_key=True, comment="Who evaluated it.")
    state: Mapped[EvaluationDownloadState] = mapped_column(
        state_text(EvaluationDownloadState, 16),
        default=EvaluationDownloadState.WAITING,
        comment="waiting, verified, acknowledged or failed.",
    )


class EvaluationRow(NodeRows):
    """A chunk of another party that this node evaluated; committed before the answer leaves."""

    __tablename__ = "evaluation"
    submission_id: Mapped[Id] = mapped_column(primary_key=True, comment="Of which submission.")
    index: Mapped[int] = mapped_column(primary_key=True, comment="Which chunk.")
    round_id: Mapped[str] = _round()
    origin: Mapped[Code] = mapped_column(comment="Whose submission it is.")
    input_class: Mapped[ShortWord] = mapped_column(comment="full, partial or coarse.")
    elements: Mapped[int] = mapped_column(comment="How many elements were evaluated.")
    output_digest: Mapped[Digest] = mapped_column(comment="SHA-256 of the evaluated elements.")
    sent: Mapped[bool] = mapped_column(default=False, comment="Whether the matcher has them.")


class EvaluationCountRow(NodeRows):
    """Elements that this node evaluated for another party in a round: kept after it, for later consents."""

    __tablename__ = "spent"
    round_id: Mapped[str] = _round(primary_key=True)
    origin: Mapped[Code] = mapped_column(primary_key=True, comment="For whom.")
    input_class: Mapped[ShortWord] = mapped_column(primary_key=True, comment="full, partial or coarse.")
    elements: Mapped[int] = mapped_column(comment="How many, padding included.")


class DailyEvaluationRow(NodeRows):
    """The same by the day on which it was evaluated: kept after rounds end, so that caps hold over all of them.

    It names its round without depending on it: what retention erases of a round leaves the count.
    """

    __tablename__ = "spent_day"
    origin: Mapped[Code] = mapped_column(primary_key=True, comment="For whom.")
    input_class: Mapped[ShortWord] = mapped_column(primary_key=True, comment="full, partial or coarse.")
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="Days since 1970 in UTC.")
    round_id: Mapped[Id] = mapped_column(primary_key=True, comment="In which round.")
    elements: Mapped[int] = mapped_column(comment="How many, padding included.")
    declared: Mapped[int] = mapped_column(default=0, comment="How many the party declared in that round.")


class HitRow(SealedRow, NodeRows):
    """A hit on a record of this node."""

    unsealed = ("position",)
    __tablename__ = "hit"
    __table_args__ = (Index(None, "record_id"),)
    round_id: Mapped[str] = _round(primary_key=True)
    hit_id: Mapped[Id] = mapped_column(primary_key=True, comment="The same on both sides.")
    import_id: Mapped[Id] = mapped_column(comment="The import of the own record.")
    position: Mapped[int] = mapped_column(comment="The own record's place in the import.")
    record_id: Mapped[str] = mapped_column(comment="The own record's identifier.")
    counterpart: Mapped[Code] = mapped_column(comment="The other party.")
    certainty: Mapped[ShortWord] = mapped_column(comment="low, medium or high.")
    families: Mapped[list[str]] = mapped_column(JSON, comment="Evidence families that agree.")
    submission_id: Mapped[Id | None] = mapped_column(comment="The query, or none for the lists.")
    handling_code: Mapped[str | None] = mapped_column(String(2), comment="The own record's handling code, or none.")
    indicators: Mapped[str | None] = mapped_column(
        String(40), comment="The own record's indicators, with a blank before and behind each; or none."
    )
    person: Mapped[Digest | None] = mapped_column(
        index=True, comment="SHA-256 of the own record's number, names and birth."
    )


class QueryHitsRow(NodeRows):
    """Hits of another party's query on this node's list, and the hits that sizes explain: the alarm's memory."""

    __tablename__ = "query_hits"
    round_id: Mapped[str] = _round(primary_key=True)
    submission_id: Mapped[Id] = mapped_column(primary_key=True, comment="The query.")
    asker: Mapped[str] = mapped_column(String(2), index=True, comment="Whose it is.")
    hits: Mapped[int] = mapped_column(comment="How many of this node's records it hit that its asker was not told of.")
    expected: Mapped[int] = mapped_column(comment="How many hits persons explain, in millionths.")
    persons: Mapped[int] = mapped_column(comment="How many persons it asked for, at least.")
    reported_at: Mapped[int] = mapped_column(comment="Seconds since 1970.")
    explained: Mapped[bool] = mapped_column(
        default=False, comment="Whether a later release explains it: it counts no more."
    )
    below: Mapped[list[str]] = mapped_column(
        JSON, comment="Of each record that it nearly hit, the first digits of the person's digest: of no use otherwise."
    )


class AlarmRow(SealedRow, NodeRows):
    """A query of another party that hit this node's list far too often: its report waits for a person's word."""

    unsealed = ("acknowledged", "refusal_signed")
    __tablename__ = "alarm"
    round_id: Mapped[str] = _round(primary_key=True)
    submission_id: Mapped[Id] = mapped_column(primary_key=True, comment="The query.")
    asker: Mapped[Code] = mapped_column(comment="Whose query it is.")
    hits: Mapped[int] = mapped_column(comment="How many own records it hit.")
    expected: Mapped[int] = mapped_column(comment="How many the sizes explain, in thousandths.")
    raised_at: Mapped[int] = mapped_column(comment="Seconds since 1970.")
    released_at: Mapped[int | None] = mapped_column(comment="Seconds since 1970; none while it waits.")
    released_by: Mapped[Code | None] = mapped_column(comment="The pseudonymous id of who released it.")
    acknowledged: Mapped[bool] = mapped_column(default=False, comment="Whether the receipt is signed.")
    refused_at: Mapped[int | None] = mapped_column(comment="When a person refused the answer; none otherwise.")
    refused_by: Mapped[Code | None] = mapped_column(comment="The pseudonymous id of who refused it.")
    refused_because: Mapped[str | None] = mapped_column(comment="Why, for this party's own people.")
    refusal_signed: Mapped[bool] = mapped_column(default=False, comment="Whether the refusal is signed.")


class PairCheckRow(NodeRows):
    """The result of a check whether hits of a pair were left out; kept as long as the round."""

    __tablename__ = "pair_check"
    round_id: Mapped[str] = _round(primary_key=True)
    submission_id: Mapped[Id] = mapped_column(primary_key=True, comment="The query; empty for the lists.")
    counterpart: Mapped[Code] = mapped_column(primary_key=True, comment="The other party.")
    met: Mapped[Digest | None] = mapped_column(comment="Digest of the tags that met; none where none was told.")
    below: Mapped[int] = mapped_column(comment="How many pairs were told that nearly are hits.")
    fault: Mapped[Code | None] = mapped_column(comment="What is wrong; none where nothing was left out.")
    checked_at: Mapped[int] = mapped_column(comment="Seconds since 1970 of the last look at it.")
    agreed: Mapped[bool | None] = mapped_column(comment="Whether the other side found the same, once it said.")
    their_fault: Mapped[Code | None] = mapped_column(comment="What is wrong by the other side's word, if anything.")
    below_met: Mapped[list[tuple[str, int]]] = mapped_column(
        JSON,
        default=list,
        comment="Of lists, of each pair that nearly is a hit: first digits of the person's digest, mask of rules.",
    )

    @classmethod
    def failed(cls) -> ColumnElement[bool]:
        """Return the condition that hits were left out by the word of this node or the other side.

        A side that could not check says nothing of the kind.
        """
        could_not = [func.coalesce(fault, "") == CheckFault.EARLIER.value for fault in (cls.fault, cls.their_fault)]
        return (cls.fault.is_not(None) | cls.agreed.is_(False)) & ~or_(*could_not)


class PreparedReportRow(NodeRows):
    """A report whose hits have been prepared for the exchange of notes; token secrets are not needed for them."""

    __tablename__ = "prepared_report"
    round_id: Mapped[str] = _round(primary_key=True)
    submission_id: Mapped[Id] = mapped_column(primary_key=True, comment="The query; empty for the lists.")
    counterpart: Mapped[Code] = mapped_column(primary_key=True, comment="The other party.")
    follow_up_key: Mapped[bytes | None] = mapped_column(comment="Of lists: the pair's key of follow-ups.")
    follow_ups: Mapped[dict[str, str] | None] = mapped_column(
        JSON, comment="By part of the follow-up, SHA-256 of what was told last."
    )


class ExchangeRow(NodeRows):
    """The exchange of notes about one hit: the opening of the counterpart's note, then its contents."""

    __tablename__ = "exchange"
    round_id: Mapped[str] = _round(primary_key=True)
    hit_id: Mapped[Id] = mapped_column(primary_key=True, comment="The same on both sides.")
    counterpart: Mapped[Code] = mapped_column(comment="The other party.")
    submission_id: Mapped[Id] = mapped_column(comment="The query; empty for the lists.")
    reference: Mapped[str] = mapped_column(String(20), comment="This party's own number of the hit, drawn at random.")
    opening: Mapped[bytes | None] = mapped_column(
        comment="What opens the other's note, sealed under the note key; none when over."
    )
    verified: Mapped[bool] = mapped_column(default=False, comment="Whether the counterpart's note was verified here.")
    accepted: Mapped[bool] = mapped_column(default=False, comment="Whether the counterpart verified this party's note.")
    fault: Mapped[Code | None] = mapped_column(comment="What is wrong with the hit, where it is refuted.")
    blamed_by: Mapped[Code | None] = mapped_column(comment="Which party found the fault.")
    rules: Mapped[list[int] | None] = mapped_column(JSON, comment="Numbers of the rules that met, once verified.")
    note: Mapped[dict[str, str | None] | None] = mapped_column(JSON, comment="What the counterpart's note says.")
    met: Mapped[int] = mapped_column(BIG, default=0, comment="Mask of the rules that met, as reported.")
    whole: Mapped[int] = mapped_column(BIG, default=0, comment="Of these, where all tokens of the own record met.")
    their_state: Mapped[Code | None] = mapped_column(comment="The counterpart's follow-up, as it told last.")
    told_at: Mapped[int | None] = mapped_column(comment="Seconds since 1970 when it came.")
    their_third: Mapped[dict[str, tuple[int, str]] | None] = mapped_column(
        JSON, comment="By third party that has the person too: mask of rules, the counterpart's number of that hit."
    )


class NoteBatchRow(NodeRows):
    """A batch of notes: an own one that waits to be signed or confirmed, or a counterpart's that waits to be opened."""

    __tablename__ = "note_batch"
    __table_args__ = (
        Index(
            "ix_note_batch_unconfirmed",
            "round_id",
            sqlite_where=text("own = 1 AND done = 0"),
            postgresql_where=text("own AND NOT done"),
        ),
    )
    batch_id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True, comment="Number.")
    round_id: Mapped[str] = _round()
    counterpart: Mapped[Code] = mapped_column(comment="The other party.")
    submission_id: Mapped[Id] = mapped_column(comment="The query; empty for the lists.")
    index: Mapped[int] = mapped_column(comment="Its place among the batches of its report, from 0.")
    own: Mapped[bool] = mapped_column(comment="Whether this node makes it.")
    hits: Mapped[list[str]] = mapped_column(JSON, comment="Of an own one: its hits.")
    entries: Mapped[bytes | None] = mapped_column(comment="The own sealed notes, under the note key, until signed.")
    digest: Mapped[Digest | None] = mapped_column(index=True, comment="Digest of its statement, once signed.")
    done: Mapped[bool] = mapped_column(default=False, comment="Whether its receiver has confirmed it.")


class NoteSecretRow(NodeRows):
    """The round's sealing key under the note key, until every note was opened or the time for notes is over."""

    __tablename__ = "note_secret"
    round_id: Mapped[str] = _round(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(comment="Nonce, ciphertext and tag.")


class HitStatusRow(SealedRow, NodeRows):
    """Status of a hit for the analysts: the result of its steps, stored separately for lists and deadlines."""

    __tablename__ = "hit_life"
    __table_args__ = (
        ForeignKeyConstraint(["round_id", "hit_id"], ["hit.round_id", "hit.hit_id"]),
        Index(None, "stage", "arrived_at"),
        Index(None, "undo_person", "undo_number"),
    )
    round_id: Mapped[Id] = mapped_column(primary_key=True, comment="Which round.")
    hit_id: Mapped[Id] = mapped_column(primary_key=True, comment="Which hit.")
    arrived_at: Mapped[int] = mapped_column(index=True, comment="Seconds since 1970 when it was stored.")
    stage: Mapped[Code] = mapped_column(
        comment="new, replaced, known, acknowledged, decided, follow_up, closed or withdrawn."
    )
    decision: Mapped[Code | None] = mapped_column(comment="What the analyst says, once decided.")
    outcome: Mapped[Code | None] = mapped_column(comment="What came of it, once closed.")
    due_at: Mapped[int | None] = mapped_column(index=True, comment="Seconds since 1970 when the next step is due.")
    undo_person: Mapped[Code | None] = mapped_column(comment="Whose decision is the last step and can be undone.")
    assignee: Mapped[Code | None] = mapped_column(index=True, comment="Pseudonymous id of who looks after it.")
    known: Mapped[Code | None] = mapped_column(comment="Of a known pair: unchanged, changed_level or changed_evidence.")
    earlier_round_id: Mapped[Id | None] = mapped_column(
        comment="Round of the hit whose decision it carries; it may be erased."
    )
    earlier_hit_id: Mapped[Id | None] = mapped_column(comment="That hit.")
    undo_number: Mapped[int | None] = mapped_column(comment="The first of the steps taken together.")
    urgent: Mapped[bool] = mapped_column(default=False, comment="Whether its query was signed as urgent.")
    first: Mapped[bool] = mapped_column(default=False, comment="Whether a standing query found it for the first time.")


STATUS_OF_HIT = (HitStatusRow.round_id == HitRow.round_id) & (HitStatusRow.hit_id == HitRow.hit_id)
"""Joins a hit with its status."""
EXCHANGE_OF_HIT = (ExchangeRow.round_id == HitRow.round_id) & (ExchangeRow.hit_id == HitRow.hit_id)
RECORD_OF_HIT = (RecordRow.import_id == HitRow.import_id) & (RecordRow.position == HitRow.position)
"""Joins a hit with the own record that it is on, as long as the list is there."""


class HitStepRow(SealedRow, NodeRows):
    """One thing that was done with a hit: its history, only ever added to, and erased with the hit."""

    unsealed = ("step_id",)
    __tablename__ = "hit_step"
    __table_args__ = (
        ForeignKeyConstraint(["round_id", "hit_id"], ["hit.round_id", "hit.hit_id"]),
        Index(None, "round_id", "hit_id"),
    )
    step_id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True, comment="Ascends in time.")
    round_id: Mapped[Id] = mapped_column(comment="Which round.")
    hit_id: Mapped[Id] = mapped_column(comment="Which hit.")
    kind: Mapped[Code] = mapped_column(comment="What was done.")
    at: Mapped[int] = mapped_column(comment="Seconds since 1970.")
    person: Mapped[Code] = mapped_column(comment="The person's pseudonymous id, or the party whose statement it was.")
    value: Mapped[Code] = mapped_column(comment="The decision, channel, outcome or ground.")
    reference: Mapped[str] = mapped_column(comment="The channel's own number, or that of a permission.")
    urgency: Mapped[ShortWord | None] = mapped_column(comment="Of a follow-up: urgent or normal.")
    remark: Mapped[str] = mapped_column(comment="The analyst's own words, which stay at this node.")


class ChangeRow(NodeRows):
    """The newest change of a round, a query or a hit, for programs that ask what is new."""

    __tablename__ = "change"
    __table_args__ = (UniqueConstraint("round_id", "kind", "subject"), {"sqlite_autoincrement": True})
    change_id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True, comment="Never used again.")
    round_id: Mapped[Id] = mapped_column(comment="Which round.")
    kind: Mapped[ShortWord] = mapped_column(comment="round, query or hit.")
    subject: Mapped[Id] = mapped_column(comment="The id of the query or the hit; empty for the round.")


class WithdrawalRow(SealedRow, NodeRows):
    """A hit that one of its two sides withdrew. It outlives the hit, because the other side is still to be informed."""

    unsealed = ("withdrawal_id", "digest", "acknowledged_at")
    __tablename__ = "withdrawal"
    withdrawal_id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True, comment="Number.")
    round_id: Mapped[str] = _round()
    hit_id: Mapped[Id] = mapped_column(index=True, comment="The hit, the same on both sides.")
    counterpart: Mapped[Code] = mapped_column(comment="The other party.")
    own: Mapped[bool] = mapped_column(comment="Whether this party withdrew it, or the counterpart.")
    ground: Mapped[Code] = mapped_column(comment="incorrect, unlawful, not_needed or erased.")
    late: Mapped[bool] = mapped_column(comment="Whether it came after the correction duty's hours.")
    at: Mapped[int] = mapped_column(comment="Seconds since 1970 when it was asked for, or taken.")
    known: Mapped[bool] = mapped_column(comment="Whether this node held the hit.")
    digest: Mapped[Digest | None] = mapped_column(index=True, comment="Digest of the statement, once signed.")
    acknowledged_at: Mapped[int | None] = mapped_column(comment="When the acknowledgement came, or ours was signed.")

    @classmethod
    def is_unsigned(cls) -> ColumnElement[bool]:
        """Return the condition for own withdrawals that nobody was told of."""
        return cls.own & cls.digest.is_(None)

    @classmethod
    def is_unanswered(cls) -> ColumnElement[bool]:
        """Return the condition for withdrawals of others that are not acknowledged."""
        return ~cls.own & cls.acknowledged_at.is_(None)


class ErasedOutcomeCountRow(NodeRows):
    """Outcomes of hits that are erased here: counts that later outcome reports still include."""

    __tablename__ = "tally"
    round_id: Mapped[str] = _round(primary_key=True)
    counterpart: Mapped[Code] = mapped_column(primary_key=True, comment="The other party.")
    certainty: Mapped[ShortWord] = mapped_column(primary_key=True, comment="low, medium or high.")
    outcome: Mapped[Code] = mapped_column(primary_key=True, comment="confirmed, refuted, unresolved, withdrawn or open")
    hits: Mapped[int] = mapped_column(comment="How many.")


class ErasedRecordRow(NodeRows):
    """A record that was erased by its number: enough to notice it when it comes again, and nothing of the person."""

    __tablename__ = "erased"
    record_digest: Mapped[Digest] = mapped_column(
        primary_key=True, comment="SHA-256 of a label and the record's identifier."
    )
    erased_at: Mapped[int] = mapped_column(comment="Seconds since 1970.")


class SavedFilterRow(NodeRows):
    """A view of hits that a person keeps; nobody else sees it."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("person", "name"),)
    view_id: Mapped[Id] = mapped_column(primary_key=True, comment="Random identifier.")
    person: Mapped[str] = mapped_column(String(14), ForeignKey("account.person"), comment="Whose view it is.")
    name: Mapped[str] = mapped_column(String(60), comment="The person's own word for it.")
    shows: Mapped[dict[str, str | int | bool]] = mapped_column(JSON, comment="The filter; no word of a record.")


class SubjectRequestRow(NodeRows):
    """The answer to a person who asked what this party holds; it names nobody."""

    __tablename__ = "subject_request"
    search_id: Mapped[Id] = mapped_column(primary_key=True, comment="Of the search that came before the answer.")
    file_number: Mapped[str] = mapped_column(String(60), comment="The party's own number of the request.")
    received_on: Mapped[str] = mapped_column(String(10), comment="The day on which it came.")
    due_on: Mapped[str] = mapped_column(String(10), comment="The day on which the answer was due.")
    answered_at: Mapped[int] = mapped_column(index=True, comment="Seconds since 1970.")
    answered_by: Mapped[Code] = mapped_column(comment="The pseudonymous id of who answered.")
    answer: Mapped[str] = mapped_column(
        String(32), comment="given, nothing, or the ground on which something is withheld."
    )
    counts: Mapped[dict[str, int]] = mapped_column(JSON, comment="How much the search found, by place.")


declare(NodeRows.metadata, TABLES, *(rows.metadata for rows in (PeopleRows, ApprovalRows, RegistryRows, OutageRows)))
