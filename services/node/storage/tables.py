"""The node's tables. What is secret in a row is sealed under the round key; records are the party's own and are not."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, MappedColumn, mapped_column

from aquila.interface.queries import StandingQueryState
from services.kit.approvals import tables as approval_tables
from services.kit.log import entries as log_entries
from services.kit.people import tables as people_tables
from services.kit.storage import registry
from services.kit.storage.row_seals import SealedRow
from services.kit.storage.store import Rows, following, new_metadata, state_text
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
    SubmissionState,
)

BIG = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself in INTEGER columns only

DAY = 86_400
"""Seconds of a day of `DailyEvaluationRow`."""


class NodeRows(Rows):
    """The base of the node's tables."""

    __abstract__ = True
    metadata = new_metadata()


def _round(*, primary_key: bool = False) -> MappedColumn[str]:
    """Return a column that names a round."""
    return mapped_column(
        String(32), ForeignKey("round.round_id"), primary_key=primary_key, index=True, comment="Which round."
    )


class ImportRow(NodeRows):
    """An imported list."""

    __tablename__ = "import"
    import_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="Random identifier.")
    name: Mapped[str] = mapped_column(Text, comment="The operator's name for it.")
    format: Mapped[str] = mapped_column(String(8), comment="csv, ftm, xlsx or ods.")
    records: Mapped[int] = mapped_column(BigInteger, comment="Records stored.")
    refused: Mapped[int] = mapped_column(BigInteger, comment="Rows that could not be used.")
    imported_at: Mapped[int] = mapped_column(BigInteger, comment="Seconds since 1970.")
    complete: Mapped[bool] = mapped_column(comment="Whether all records are there; an incomplete one is deleted.")
    normalizer: Mapped[int] = mapped_column(
        BigInteger,
        default=0,
        comment="Version of the normalizer that its records' words are of; 0 before there were any.",
    )
    digest: Mapped[str | None] = mapped_column(
        String(64), comment="SHA-256 of its records in their order; none until it is needed again after an erasure."
    )
    for_query: Mapped[bool] = mapped_column(
        default=False, comment="Whether it holds the persons of one query, and is no list of the party."
    )


class FindingRow(NodeRows):
    """A finding about a row of an imported list, without the person's values."""

    __tablename__ = "finding"
    import_id: Mapped[str] = mapped_column(
        String(32), ForeignKey("import.import_id"), primary_key=True, comment="The list."
    )
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="Place among its findings, from 0.")
    line: Mapped[int] = mapped_column(BigInteger, comment="The line of the file on which the row begins.")
    field: Mapped[str] = mapped_column(Text, comment="The column, or empty where the whole row is meant.")
    severity: Mapped[str] = mapped_column(String(16), comment="warning or refusal.")
    reason: Mapped[str] = mapped_column(Text, comment="What is wrong and what to do.")
    record_id: Mapped[str] = mapped_column(Text, index=True, comment="The party's own identifier, or empty.")


class ChosenColumnsRow(NodeRows):
    """The columns that an officer chose for lists with the same headings."""

    __tablename__ = "chosen_columns"
    headings: Mapped[str] = mapped_column(
        String(64), primary_key=True, comment="SHA-256 of the headings in sorted order."
    )
    columns: Mapped[list[str | None]] = mapped_column(
        JSON, comment="Of each heading in sorted order its field, or null."
    )
    chosen_at: Mapped[int] = mapped_column(BigInteger, comment="Seconds since 1970.")


class RecordRow(NodeRows):
    """A record of an import."""

    __tablename__ = "record"
    # A search reads the words of every record: the index holds them without the records, in the order of imports.
    __table_args__ = (Index(None, "import_id", "position", "words"), Index(None, "record_id"))
    import_id: Mapped[str] = mapped_column(
        String(32), ForeignKey("import.import_id"), primary_key=True, comment="Of which import."
    )
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="Place in the import, from 0.")
    record_id: Mapped[str] = mapped_column(Text, comment="The party's own identifier.")
    content: Mapped[bytes] = mapped_column(LargeBinary, comment="The record as JSON: the party's own personal data.")
    words: Mapped[str] = mapped_column(
        Text, default="", comment="The folded words of its names, by which it is searched: as personal as the record."
    )


class RoundRow(SealedRow, NodeRows):
    """A round that the matcher proposed to this node."""

    sealed = (
        "round_id",
        "manifest_digest",
        "consent_digest",
        "consent_wished",
        "close_wished",
        "abort_reason",
        "refused",
    )

    __tablename__ = "round"
    __table_args__ = (Index(None, "state", "phase"), Index(None, "discovered_at"), Index(None, "outcomes_changed_at"))
    round_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="From the manifest.")
    manifest: Mapped[bytes] = mapped_column(LargeBinary, comment="The manifest in the matcher's envelope.")
    manifest_digest: Mapped[str] = mapped_column(String(64), comment="Digest of the manifest as signed.")
    discovered_at: Mapped[int] = mapped_column(BigInteger, comment="Seconds since 1970.")
    cursor: Mapped[int] = mapped_column(BigInteger, default=0, comment="The last event of the matcher that is stored.")
    phase: Mapped[str] = mapped_column(String(16), comment="Phase of the round as far as this node knows.")
    state: Mapped[LocalRoundState] = mapped_column(
        state_text(LocalRoundState, 16),
        default=LocalRoundState.ACTIVE,
        comment="active, destroying (keys and files go) or destroyed.",
    )
    outcome: Mapped[str | None] = mapped_column(Text, comment="Why it is being destroyed.")
    consent_digest: Mapped[str | None] = mapped_column(String(64), comment="Digest of this node's own consent.")
    consent_wished: Mapped[bool] = mapped_column(default=False, comment="The operator wants to consent.")
    declared_full: Mapped[int] = mapped_column(
        BigInteger, default=0, comment="Elements of the class full that the consent declares."
    )
    declared_partial: Mapped[int] = mapped_column(BigInteger, default=0, comment="The same of the class partial.")
    close_wished: Mapped[bool] = mapped_column(default=False, comment="The operator wants the keys destroyed.")
    abort_reason: Mapped[str | None] = mapped_column(Text, comment="The operator wants to leave the round, and why.")
    refused: Mapped[str | None] = mapped_column(Text, comment="Why this node takes no further part, for good.")
    outcomes_changed_at: Mapped[int | None] = mapped_column(
        BigInteger, comment="Seconds since 1970 of the first outcome that the matcher was not told."
    )
    hits_erased_at: Mapped[int | None] = mapped_column(
        BigInteger, comment="Seconds since 1970 when the round's retention erased its hits and statements."
    )
    kept_until: Mapped[int | None] = mapped_column(
        BigInteger,
        comment="Until when its manifest keeps hits and statements, in seconds since 1970; none until it was read.",
    )

    def enter(self, state: LocalRoundState) -> None:
        """Enter a state that can follow; ValueError where it cannot, which is a fault of the caller."""
        self.state = following(LOCAL_ROUND_TRANSITIONS, self.state, state)


class ProblemRow(NodeRows):
    """Something that stops a round and that the operator should know."""

    __tablename__ = "problem"
    round_id: Mapped[str] = _round(primary_key=True)
    place: Mapped[str] = mapped_column(String(200), primary_key=True, comment="What it is about; one problem each.")
    sentence: Mapped[str] = mapped_column(Text, comment="The problem in words, without personal data.")
    noted_at: Mapped[int] = mapped_column(BigInteger, comment="Seconds since 1970.")


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
    digest: Mapped[str] = mapped_column(String(64), primary_key=True, comment="Digest of the payload as signed.")
    event_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="Its place in the matcher's feed; none while an own one has not come back."
    )
    party: Mapped[str] = mapped_column(String(16), comment="Who signed it: a party's code, or matcher.")
    sequence: Mapped[int | None] = mapped_column(BigInteger, comment="The party's number for it.")
    kind: Mapped[str] = mapped_column(String(16), comment="The kind of message.")
    envelope: Mapped[bytes] = mapped_column(LargeBinary, comment="The DSSE envelope.")
    own: Mapped[bool] = mapped_column(comment="Whether this node signed it.")
    sent: Mapped[bool] = mapped_column(default=False, comment="Of an own one: whether the matcher has it.")
    refusal: Mapped[str | None] = mapped_column(Text, comment="Of an own one: why the matcher will never take it.")
    taken_at: Mapped[int | None] = mapped_column(
        BigInteger, comment="Seconds since 1970 when it was signed or taken here."
    )
    erased_at: Mapped[int | None] = mapped_column(
        BigInteger, comment="Of a submission: since when its justification is erased, and the rest is here unsigned."
    )
    promise: Mapped[Promise | None] = mapped_column(
        state_text(Promise, 8),
        index=True,
        comment="Whether the matcher's log holds it: signed, promised, proved, excused; none if nobody asks.",
    )
    log_index: Mapped[int | None] = mapped_column(
        BigInteger, comment="Its place in the matcher's log, once that was proved."
    )
    unproved: Mapped[int] = mapped_column(default=0, comment="How many looks at the matcher's log did not prove it.")


class PendingStatementKind(StrEnum):
    """Kinds of statement that are signed once the matcher's log provably holds all earlier ones."""

    RECEIPT = "receipt"
    CLOSING = "closing"


class PendingStatementRow(NodeRows):
    """A statement that waits until the matcher's log is proved to hold what came before it in the round."""

    __tablename__ = "due_statement"
    round_id: Mapped[str] = _round(primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True, comment="receipt or closing.")
    submission_id: Mapped[str] = mapped_column(
        String(32), primary_key=True, default="", comment="Of a receipt: the query; empty for the lists and a closing."
    )
    hits: Mapped[int] = mapped_column(BigInteger, comment="How many hits it will say.")


class NamedHeadRow(NodeRows):
    """A head of the matcher's log that another party signed to have seen (PROTOCOL.md 3.2.5), and whether it is ours.

    It names its round without depending on it: what retention erases of a round leaves what was seen of the log.
    """

    __tablename__ = "named_head"
    size: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="Entries that the log had."
    )
    root: Mapped[str] = mapped_column(String(64), primary_key=True, comment="The head over them, hexadecimal.")
    party: Mapped[str] = mapped_column(String(16), comment="Who named it first here.")
    round_id: Mapped[str] = mapped_column(String(32), comment="In which round.")
    digest: Mapped[str] = mapped_column(String(64), comment="Digest of the statement that names it.")
    verified_at: Mapped[int | None] = mapped_column(
        BigInteger, index=True, comment="Seconds since 1970 when it was found to be of the log that is shown here."
    )


class NamedEntriesRow(NodeRows):
    """The place up to which entries of the matcher's log that name this party were compared here: one row."""

    __tablename__ = "named_entries"
    row_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, comment="Always 1.")
    judged: Mapped[int] = mapped_column(BigInteger, comment="Up to which entry nothing is open.")
    waiting_since: Mapped[int | None] = mapped_column(
        BigInteger, comment="Seconds since 1970 when an entry was met that the feed has not explained yet."
    )


class SecretRow(NodeRows):
    """A secret of a round, sealed under the round key."""

    __tablename__ = "secret"
    round_id: Mapped[str] = _round(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True, comment="What it is.")
    sealed: Mapped[bytes] = mapped_column(LargeBinary, comment="Nonce, ciphertext and tag.")


class SubmissionRow(SealedRow, NodeRows):
    """A submission of this node."""

    sealed = ("submission_id", "round_id", "import_id", "records_digest", "kind", "justification", "wished_at", "state")

    __tablename__ = "submission"
    submission_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="Random identifier.")
    round_id: Mapped[str] = _round()
    import_id: Mapped[str] = mapped_column(String(32), comment="The import that it is made of.")
    records_digest: Mapped[str | None] = mapped_column(
        String(64), comment="The digest of the list's records that was approved; none of earlier submissions."
    )
    kind: Mapped[str] = mapped_column(String(8), comment="list or query.")
    justification: Mapped[dict[str, str]] = mapped_column(
        JSON, comment="Why it is lawful; empty once its three years are over."
    )
    wished_at: Mapped[int] = mapped_column(BigInteger, comment="Seconds since 1970 when two persons wanted it.")
    state: Mapped[SubmissionState] = mapped_column(
        state_text(SubmissionState, 16),
        comment="wished, preparing, submitted, finalized or failed; tokens_sent when all is done.",
    )
    records: Mapped[int] = mapped_column(BigInteger, default=0, comment="Records, dummies included.")
    batches: Mapped[int] = mapped_column(BigInteger, default=0, comment="Batches of records to blind.")
    prepared: Mapped[int] = mapped_column(BigInteger, default=0, comment="Batches whose runs are on the disk.")
    held_back: Mapped[dict[str, int]] = mapped_column(JSON, comment="By rule number, inputs that were not sent.")

    def enter(self, state: SubmissionState) -> None:
        """Enter a state that can follow; ValueError where it cannot, which is a fault of the caller."""
        self.state = following(SUBMISSION_TRANSITIONS, self.state, state)


class StandingQueryRow(SealedRow, NodeRows):
    """A query that two persons approved for each coming round of the same terms."""

    sealed = (
        "standing_id",
        "import_id",
        "records_digest",
        "round_id",
        "terms",
        "justification",
        "approved_at",
        "until",
        "state",
        "ended_at",
        "ended_by",
        "ended_because",
    )

    __tablename__ = "standing_query"
    standing_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="Random identifier.")
    import_id: Mapped[str] = mapped_column(String(32), index=True, comment="The list of its persons.")
    records_digest: Mapped[str] = mapped_column(
        String(64), comment="The digest of the approved records; of those that are left when one was erased."
    )
    round_id: Mapped[str] = mapped_column(String(32), comment="The round that had its terms when it was approved.")
    terms: Mapped[dict[str, str | list[str]]] = mapped_column(
        JSON, comment="Area, legal basis, purpose and category of the rounds in which it may be asked, and the parties."
    )
    justification: Mapped[dict[str, str]] = mapped_column(JSON, comment="Why it is lawful, and who asked for it.")
    approved_at: Mapped[int] = mapped_column(BigInteger, comment="Seconds since 1970.")
    until: Mapped[int] = mapped_column(BigInteger, comment="Until when it is asked; seconds since 1970.")
    state: Mapped[StandingQueryState] = mapped_column(
        state_text(StandingQueryState, 16),
        default=StandingQueryState.ACTIVE,
        index=True,
        comment="active, withdrawn, expired, replaced or emptied.",
    )
    ended_at: Mapped[int | None] = mapped_column(BigInteger, comment="Seconds since 1970; none while it is active.")
    ended_by: Mapped[str | None] = mapped_column(String(16), comment="The pseudonymous id of who withdrew it.")
    ended_because: Mapped[str | None] = mapped_column(Text, comment="Why it was withdrawn.")

    def enter(self, state: StandingQueryState) -> None:
        """Enter a state that can follow; ValueError where it cannot, which is a fault of the caller."""
        self.state = following(STANDING_QUERY_TRANSITIONS, self.state, state)


class ChunkRow(NodeRows):
    """A chunk of an own submission."""

    __tablename__ = "chunk"
    submission_id: Mapped[str] = mapped_column(
        String(32), ForeignKey("submission.submission_id"), primary_key=True, comment="Of which submission."
    )
    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="Its place, from 0.")
    round_id: Mapped[str] = _round()
    input_class: Mapped[str] = mapped_column(String(8), comment="full or partial.")
    elements: Mapped[int] = mapped_column(BigInteger, comment="How many elements it has.")
    digest: Mapped[str] = mapped_column(String(64), comment="SHA-256 of the blinded elements.")
    sent: Mapped[bool] = mapped_column(default=False, comment="Whether the matcher has the blinded elements.")
    token_rows: Mapped[int | None] = mapped_column(BigInteger, comment="Token rows, once finalized.")
    token_digest: Mapped[str | None] = mapped_column(String(64), comment="SHA-256 of the token rows, until the close.")
    tokens_sent: Mapped[bool] = mapped_column(default=False, comment="Whether the matcher has the token rows.")


class ColumnPieceRow(NodeRows):
    """A piece of a shadow column of an own list, which is sent behind its token rows."""

    __tablename__ = "column_piece"
    submission_id: Mapped[str] = mapped_column(
        String(32), ForeignKey("submission.submission_id"), primary_key=True, comment="Of which submission."
    )
    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="Its place behind the chunks of rows.")
    round_id: Mapped[str] = _round()
    size: Mapped[int] = mapped_column(BigInteger, comment="Bytes.")
    sent: Mapped[bool] = mapped_column(default=False, comment="Whether the matcher has it.")


class _DownloadRow(NodeRows):
    """Bytes that the matcher holds for this node, in one of two queues."""

    __abstract__ = True
    # The columns of the key have the same order in both queues.
    submission_id: Mapped[str] = mapped_column(
        String(32), primary_key=True, sort_order=-2, comment="Of which submission."
    )
    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, sort_order=-1, comment="Which chunk.")
    round_id: Mapped[str] = _round()
    attempts: Mapped[int] = mapped_column(BigInteger, default=0, comment="Fetches that gave other bytes than signed.")


class ChunkDownloadRow(_DownloadRow):
    """Another party's chunk, which this node evaluates."""

    __tablename__ = "chunk_download"
    state: Mapped[ChunkDownloadState] = mapped_column(
        state_text(ChunkDownloadState, 16), default=ChunkDownloadState.WAITING, comment="waiting, evaluated or failed."
    )

    def enter(self, state: ChunkDownloadState) -> None:
        """Enter a state that can follow; ValueError where it cannot, which is a fault of the caller."""
        self.state = following(CHUNK_DOWNLOAD_TRANSITIONS, self.state, state)

    def fail(self) -> None:
        """Give the bytes up."""
        self.enter(ChunkDownloadState.FAILED)

    @property
    def key(self) -> tuple[str, int]:
        """The primary key."""
        return self.submission_id, self.index

    @property
    def subject(self) -> str:
        """The subject of a problem with it."""
        return f"chunk {self.submission_id} {self.index}"

    @classmethod
    def is_waiting(cls) -> ColumnElement[bool]:
        """Return the condition for rows that are still to be fetched."""
        return cls.state == ChunkDownloadState.WAITING


class EvaluationDownloadRow(_DownloadRow):
    """Another party's evaluation of an own chunk, which this node verifies."""

    __tablename__ = "evaluation_download"
    party: Mapped[str] = mapped_column(String(16), primary_key=True, comment="Who evaluated it.")
    state: Mapped[EvaluationDownloadState] = mapped_column(
        state_text(EvaluationDownloadState, 16),
        default=EvaluationDownloadState.WAITING,
        comment="waiting, verified, acknowledged or failed.",
    )

    def enter(self, state: EvaluationDownloadState) -> None:
        """Enter a state that can follow; ValueError where it cannot, which is a fault of the caller."""
        self.state = following(EVALUATION_DOWNLOAD_TRANSITIONS, self.state, state)

    def fail(self) -> None:
        """Give the bytes up."""
        self.enter(EvaluationDownloadState.FAILED)

    @property
    def key(self) -> tuple[str, int, str]:
        """The primary key."""
        return self.submission_id, self.index, self.party

    @property
    def subject(self) -> str:
        """The subject of a problem with it."""
        return f"chunk {self.submission_id} {self.index} {self.party}"

    @classmethod
    def is_waiting(cls) -> ColumnElement[bool]:
        """Return the condition for rows that are still to be fetched."""
        return cls.state == EvaluationDownloadState.WAITING


class EvaluationRow(NodeRows):
    """A chunk of another party that this node evaluated; committed before the answer leaves."""

    __tablename__ = "evaluation"
    submission_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="Of which submission.")
    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="Which chunk.")
    round_id: Mapped[str] = _round()
    origin: Mapped[str] = mapped_column(String(16), comment="Whose submission it is.")
    input_class: Mapped[str] = mapped_column(String(8), comment="full or partial.")
    elements: Mapped[int] = mapped_column(BigInteger, comment="How many elements were evaluated.")
    output_digest: Mapped[str] = mapped_column(String(64), comment="SHA-256 of the evaluated elements.")
    sent: Mapped[bool] = mapped_column(default=False, comment="Whether the matcher has them.")


class EvaluationCountRow(NodeRows):
    """Elements that this node evaluated for another party in a round: kept after it, for later consents."""

    __tablename__ = "spent"
    round_id: Mapped[str] = _round(primary_key=True)
    origin: Mapped[str] = mapped_column(String(16), primary_key=True, comment="For whom.")
    input_class: Mapped[str] = mapped_column(String(8), primary_key=True, comment="full or partial.")
    elements: Mapped[int] = mapped_column(BigInteger, comment="How many, padding included.")


class DailyEvaluationRow(NodeRows):
    """The same by the day on which it was evaluated: kept after rounds end, so that caps hold over all of them.

    It names its round without depending on it: what retention erases of a round leaves the count.
    """

    __tablename__ = "spent_day"
    origin: Mapped[str] = mapped_column(String(16), primary_key=True, comment="For whom.")
    input_class: Mapped[str] = mapped_column(String(8), primary_key=True, comment="full or partial.")
    day: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="Days since 1970 in UTC, by this node's clock."
    )
    round_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="In which round.")
    elements: Mapped[int] = mapped_column(BigInteger, comment="How many, padding included.")
    declared: Mapped[int] = mapped_column(BigInteger, default=0, comment="How many the party declared in that round.")


class HitRow(SealedRow, NodeRows):
    """A hit on a record of this node."""

    sealed = (
        "round_id",
        "hit_id",
        "import_id",
        "record_id",
        "counterpart",
        "certainty",
        "families",
        "submission_id",
        "handling_code",
        "person",
    )

    __tablename__ = "hit"
    __table_args__ = (Index(None, "record_id"),)
    round_id: Mapped[str] = _round(primary_key=True)
    hit_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="The same on both sides.")
    import_id: Mapped[str] = mapped_column(String(32), comment="The import of the own record.")
    position: Mapped[int] = mapped_column(BigInteger, comment="The own record's place in the import.")
    record_id: Mapped[str] = mapped_column(Text, comment="The own record's identifier.")
    counterpart: Mapped[str] = mapped_column(String(16), comment="The other party.")
    certainty: Mapped[str] = mapped_column(String(8), comment="low, medium or high.")
    families: Mapped[list[str]] = mapped_column(JSON, comment="Evidence families that agree.")
    submission_id: Mapped[str | None] = mapped_column(String(32), comment="The query, or none for the lists.")
    handling_code: Mapped[str | None] = mapped_column(
        String(2), comment="The own record's handling code when the hit came, or none."
    )
    person: Mapped[str | None] = mapped_column(
        String(64),
        index=True,
        comment="SHA-256 of the own record's number, names and date of birth; none of earlier hits.",
    )


class QueryHitsRow(NodeRows):
    """Hits of another party's query on this node's list, and the hits that sizes explain: the alarm's memory."""

    __tablename__ = "query_hits"
    round_id: Mapped[str] = _round(primary_key=True)
    submission_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="The query.")
    asker: Mapped[str] = mapped_column(String(2), index=True, comment="Whose it is.")
    hits: Mapped[int] = mapped_column(
        BigInteger, comment="How many of this node's records it hit that its asker was not told of."
    )
    expected: Mapped[int] = mapped_column(BigInteger, comment="How many hits persons explain, in millionths.")
    persons: Mapped[int] = mapped_column(BigInteger, comment="How many persons it asked for, at least.")
    reported_at: Mapped[int] = mapped_column(BigInteger, comment="Seconds since 1970.")
    explained: Mapped[bool] = mapped_column(
        default=False, comment="Whether a person released it, or a later one of this asker: it counts no more."
    )


class AlarmRow(SealedRow, NodeRows):
    """A query of another party that hit this node's list far too often: its report waits for a person's word."""

    sealed = (
        "round_id",
        "submission_id",
        "asker",
        "hits",
        "stored",
        "expected",
        "raised_at",
        "released_at",
        "released_by",
        "refused_at",
        "refused_by",
        "refused_because",
    )

    __tablename__ = "alarm"
    round_id: Mapped[str] = _round(primary_key=True)
    submission_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="The query.")
    asker: Mapped[str] = mapped_column(String(16), comment="Whose query it is.")
    hits: Mapped[int] = mapped_column(BigInteger, comment="How many own records it hit.")
    stored: Mapped[int] = mapped_column(BigInteger, comment="Hits that were stored, for the receipt.")
    expected: Mapped[int] = mapped_column(BigInteger, comment="How many the sizes explain, in thousandths.")
    raised_at: Mapped[int] = mapped_column(BigInteger, comment="Seconds since 1970.")
    released_at: Mapped[int | None] = mapped_column(BigInteger, comment="Seconds since 1970; none while it waits.")
    released_by: Mapped[str | None] = mapped_column(String(16), comment="The pseudonymous id of who released it.")
    acknowledged: Mapped[bool] = mapped_column(default=False, comment="Whether the receipt is signed.")
    refused_at: Mapped[int | None] = mapped_column(
        BigInteger, comment="Seconds since 1970 when a person refused the answer; none otherwise."
    )
    refused_by: Mapped[str | None] = mapped_column(String(16), comment="The pseudonymous id of who refused it.")
    refused_because: Mapped[str | None] = mapped_column(Text, comment="Why, for this party's own people.")
    refusal_signed: Mapped[bool] = mapped_column(
        default=False, comment="Whether the asker's statement of the refusal is signed."
    )


class PairCheckRow(NodeRows):
    """The result of a check whether hits of a pair were left out; kept as long as the round."""

    __tablename__ = "pair_check"
    round_id: Mapped[str] = _round(primary_key=True)
    counterpart: Mapped[str] = mapped_column(String(16), primary_key=True, comment="The other party.")
    met: Mapped[str | None] = mapped_column(
        String(64), comment="Digest of the tags that met; none where none was told."
    )
    below: Mapped[int] = mapped_column(BigInteger, comment="How many pairs were told that nearly are hits.")
    fault: Mapped[str | None] = mapped_column(String(16), comment="What is wrong; none where nothing was left out.")
    checked_at: Mapped[int] = mapped_column(BigInteger, comment="Seconds since 1970 of the last look at it.")
    agreed: Mapped[bool | None] = mapped_column(
        comment="Whether the other side found the same; none while it has not said so."
    )

    @classmethod
    def failed(cls) -> ColumnElement[bool]:
        """Return the condition that this node or the other side found that hits were left out."""
        return cls.fault.is_not(None) | cls.agreed.is_(False)


class PreparedReportRow(NodeRows):
    """A report whose hits have been prepared for the exchange of notes; token secrets are not needed for them."""

    __tablename__ = "prepared_report"
    round_id: Mapped[str] = _round(primary_key=True)
    submission_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="The query; empty for the lists.")
    prepared_at: Mapped[int] = mapped_column(BigInteger, comment="Seconds since 1970.")


class ExchangeRow(NodeRows):
    """The exchange of notes about one hit: the opening of the counterpart's note, then its contents."""

    __tablename__ = "exchange"
    round_id: Mapped[str] = _round(primary_key=True)
    hit_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="The same on both sides.")
    counterpart: Mapped[str] = mapped_column(String(16), comment="The other party.")
    submission_id: Mapped[str] = mapped_column(String(32), comment="The query; empty for the lists.")
    reference: Mapped[str] = mapped_column(String(20), comment="This party's own number of the hit, drawn at random.")
    opening: Mapped[bytes | None] = mapped_column(
        LargeBinary, comment="What opens the counterpart's note, sealed under the note key; none when it is over."
    )
    verified: Mapped[bool] = mapped_column(default=False, comment="Whether the counterpart's note was verified here.")
    accepted: Mapped[bool] = mapped_column(default=False, comment="Whether the counterpart verified this party's note.")
    fault: Mapped[str | None] = mapped_column(String(16), comment="What is wrong with the hit, where it is refuted.")
    blamed_by: Mapped[str | None] = mapped_column(String(16), comment="Which party found the fault.")
    rules: Mapped[list[int] | None] = mapped_column(JSON, comment="Numbers of the rules that met, once verified.")
    note: Mapped[dict[str, str | None] | None] = mapped_column(JSON, comment="What the counterpart's note says.")


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
    counterpart: Mapped[str] = mapped_column(String(16), comment="The other party.")
    submission_id: Mapped[str] = mapped_column(String(32), comment="The query; empty for the lists.")
    index: Mapped[int] = mapped_column(BigInteger, comment="Its place among the batches of its report, from 0.")
    own: Mapped[bool] = mapped_column(comment="Whether this node makes it.")
    hits: Mapped[list[str]] = mapped_column(JSON, comment="Of an own one: its hits.")
    entries: Mapped[bytes | None] = mapped_column(
        LargeBinary, comment="Of an own one: the sealed notes, under the note key, until it is signed."
    )
    digest: Mapped[str | None] = mapped_column(String(64), index=True, comment="Digest of its statement, once signed.")
    done: Mapped[bool] = mapped_column(default=False, comment="Whether its receiver has confirmed it.")


class NoteSecretRow(NodeRows):
    """The round's sealing key under the note key, until every note was opened or the time for notes is over."""

    __tablename__ = "note_secret"
    round_id: Mapped[str] = _round(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary, comment="Nonce, ciphertext and tag.")


class HitStatusRow(SealedRow, NodeRows):
    """Status of a hit for the analysts: the result of its steps, stored separately for lists and deadlines."""

    sealed = (
        "round_id",
        "hit_id",
        "arrived_at",
        "stage",
        "decision",
        "outcome",
        "due_at",
        "undo_person",
        "assignee",
        "known",
        "earlier_round_id",
        "earlier_hit_id",
        "undo_number",
        "urgent",
        "first",
    )

    __tablename__ = "hit_life"
    __table_args__ = (
        ForeignKeyConstraint(["round_id", "hit_id"], ["hit.round_id", "hit.hit_id"]),
        Index(None, "stage", "arrived_at"),
        Index(None, "undo_person", "undo_number"),
    )
    round_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="Which round.")
    hit_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="Which hit.")
    arrived_at: Mapped[int] = mapped_column(BigInteger, index=True, comment="Seconds since 1970 when it was stored.")
    stage: Mapped[str] = mapped_column(
        String(16), comment="new, known, acknowledged, decided, follow_up, closed or withdrawn."
    )
    decision: Mapped[str | None] = mapped_column(String(16), comment="What the analyst says, once decided.")
    outcome: Mapped[str | None] = mapped_column(String(16), comment="What came of it, once closed.")
    due_at: Mapped[int | None] = mapped_column(
        BigInteger, index=True, comment="Seconds since 1970 when the next step is due."
    )
    undo_person: Mapped[str | None] = mapped_column(
        String(16), comment="Who can undo the last step, which is then this person's decision; none after another step."
    )
    assignee: Mapped[str | None] = mapped_column(
        String(16), index=True, comment="The pseudonymous id of who looks after it; none for nobody."
    )
    known: Mapped[str | None] = mapped_column(
        String(16), comment="Of a known pair: unchanged, changed_level or changed_evidence since the earlier hit."
    )
    earlier_round_id: Mapped[str | None] = mapped_column(
        String(32), comment="Of a known pair: the round of the hit whose decision it carries; it may be erased."
    )
    earlier_hit_id: Mapped[str | None] = mapped_column(String(32), comment="That hit.")
    undo_number: Mapped[int | None] = mapped_column(
        BigInteger, comment="The first step of the decisions that were taken together with it."
    )
    urgent: Mapped[bool] = mapped_column(
        default=False, comment="Whether it came from a query whose asker signed it as urgent."
    )
    first: Mapped[bool] = mapped_column(
        default=False,
        comment="Whether it came from a standing query, and no earlier round had this person and this party.",
    )


STATUS_OF_HIT = (HitStatusRow.round_id == HitRow.round_id) & (HitStatusRow.hit_id == HitRow.hit_id)
"""Joins a hit with its status."""


class HitStepRow(SealedRow, NodeRows):
    """One thing that was done with a hit: its history, only ever added to, and erased with the hit."""

    sealed = "round_id", "hit_id", "kind", "at", "person", "value", "reference", "urgency", "remark"

    __tablename__ = "hit_step"
    __table_args__ = (
        ForeignKeyConstraint(["round_id", "hit_id"], ["hit.round_id", "hit.hit_id"]),
        Index(None, "round_id", "hit_id"),
    )
    step_id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True, comment="Ascends in time.")
    round_id: Mapped[str] = mapped_column(String(32), comment="Which round.")
    hit_id: Mapped[str] = mapped_column(String(32), comment="Which hit.")
    kind: Mapped[str] = mapped_column(String(16), comment="What was done.")
    at: Mapped[int] = mapped_column(BigInteger, comment="Seconds since 1970.")
    person: Mapped[str] = mapped_column(
        String(16), comment="The person's pseudonymous id, or the party whose statement it was."
    )
    value: Mapped[str] = mapped_column(String(16), comment="The decision, channel, outcome or ground.")
    reference: Mapped[str] = mapped_column(Text, comment="The channel's own number, or that of a permission.")
    urgency: Mapped[str | None] = mapped_column(String(8), comment="Of a follow-up: urgent or normal.")
    remark: Mapped[str] = mapped_column(Text, comment="The analyst's own words, which stay at this node.")


class WithdrawalRow(SealedRow, NodeRows):
    """A hit that one of its two sides withdrew. It outlives the hit, because the other side is still to be informed."""

    sealed = "round_id", "hit_id", "counterpart", "own", "ground", "late", "at", "known"

    __tablename__ = "withdrawal"
    withdrawal_id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True, comment="Number.")
    round_id: Mapped[str] = _round()
    hit_id: Mapped[str] = mapped_column(String(32), index=True, comment="The hit, the same on both sides.")
    counterpart: Mapped[str] = mapped_column(String(16), comment="The other party.")
    own: Mapped[bool] = mapped_column(comment="Whether this party withdrew it, or the counterpart.")
    ground: Mapped[str] = mapped_column(String(16), comment="incorrect, unlawful, not_needed or erased.")
    late: Mapped[bool] = mapped_column(comment="Whether it came after the correction duty's hours.")
    at: Mapped[int] = mapped_column(BigInteger, comment="Seconds since 1970 when it was asked for, or taken.")
    known: Mapped[bool] = mapped_column(comment="Whether this node held the hit.")
    digest: Mapped[str | None] = mapped_column(
        String(64), index=True, comment="Digest of the statement; none while an own one is not signed."
    )
    acknowledged_at: Mapped[int | None] = mapped_column(
        BigInteger, comment="Seconds since 1970 when the counterpart's acknowledgement came, or ours was signed."
    )


class ErasedOutcomeCountRow(NodeRows):
    """Outcomes of hits that are erased here: counts that later outcome reports still include."""

    __tablename__ = "tally"
    round_id: Mapped[str] = _round(primary_key=True)
    counterpart: Mapped[str] = mapped_column(String(16), primary_key=True, comment="The other party.")
    certainty: Mapped[str] = mapped_column(String(8), primary_key=True, comment="low, medium or high.")
    outcome: Mapped[str] = mapped_column(
        String(16), primary_key=True, comment="confirmed, refuted, unresolved, withdrawn or open."
    )
    hits: Mapped[int] = mapped_column(BigInteger, comment="How many.")


class ErasedRecordRow(NodeRows):
    """A record that was erased by its number: enough to notice it when it comes again, and nothing of the person."""

    __tablename__ = "erased"
    record_digest: Mapped[str] = mapped_column(
        String(64), primary_key=True, comment="SHA-256 of the record's own identifier, behind a label."
    )
    erased_at: Mapped[int] = mapped_column(BigInteger, comment="Seconds since 1970.")


class SavedFilterRow(NodeRows):
    """A view of hits that a person keeps; nobody else sees it."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("person", "name"),)
    view_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="Random identifier.")
    person: Mapped[str] = mapped_column(String(14), ForeignKey("account.person"), comment="Whose view it is.")
    name: Mapped[str] = mapped_column(String(60), comment="The person's own word for it.")
    shows: Mapped[dict[str, str | int | bool]] = mapped_column(
        JSON, comment="The filter; it holds no word of a record."
    )


log_entries.declare(NodeRows.metadata)
people_tables.declare(NodeRows.metadata)
approval_tables.declare(NodeRows.metadata)
registry.declare(NodeRows.metadata)
