"""The matcher's tables. No row holds a name, an element or a token: those are in files, or nowhere."""

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, MappedColumn, mapped_column

from services.kit.approvals.tables import ApprovalRows
from services.kit.http.nonces import nonce_table
from services.kit.log.entries import TABLES
from services.kit.people.tables import PeopleRows
from services.kit.storage.outages import OutageRows
from services.kit.storage.registry import RegistryRows
from services.kit.storage.row_seals import SealedRow
from services.kit.storage.store import Rows, declare, new_metadata

BIG = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself in INTEGER columns only


class MatcherRows(Rows):
    """The base of the matcher's tables."""

    __abstract__ = True
    metadata = new_metadata()


def _round(*, primary_key: bool = False) -> MappedColumn[str]:
    """Return a column that names a round."""
    return mapped_column(
        String(32), ForeignKey("round.round_id"), primary_key=primary_key, comment="Round that it belongs to."
    )


class RoundRow(SealedRow, MatcherRows):
    """A round that the secretariat proposed."""

    unsealed = ("manifest", "phase", "ended_at", "finished_at", "evaluation_bytes")
    __tablename__ = "round"
    __table_args__ = (Index(None, "ended_at"), Index(None, "created_at"))
    round_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="Random id of the round.")
    manifest: Mapped[bytes] = mapped_column(comment="The manifest in the matcher's envelope.")
    phase: Mapped[str] = mapped_column(String(16), comment="Where the round stands, as the last event left it.")
    created_at: Mapped[int] = mapped_column(comment="Seconds since 1970 of the proposal.")
    ended_at: Mapped[int | None] = mapped_column(comment="Seconds since 1970 of the ending's signature.")
    finished_at: Mapped[int | None] = mapped_column(
        comment="Seconds since 1970 when all chunks, tokens and reports were gone."
    )
    wish: Mapped[str | None] = mapped_column(String(8), comment="How it shall end: `closed` or `aborted`, or nothing.")
    reason: Mapped[str | None] = mapped_column(comment="Why it shall end so; part of the signed ending.")
    evaluation_bytes: Mapped[int] = mapped_column(
        default=0, comment="Bytes of evaluations that their origins have not acknowledged, for the quota."
    )


class EventRow(MatcherRows):
    """An entry of a round's feed; only ever added to."""

    __tablename__ = "event"
    __table_args__ = (
        Index(None, "round_id", "event_id"),
        Index(None, "reader", "statement", "round_id"),
        # Sealed notes that are here still: a few among all events.
        Index(
            "ix_event_notes",
            "round_id",
            sqlite_where=text("statement = 'notes' AND envelope IS NOT NULL"),
            postgresql_where=text("statement = 'notes' AND envelope IS NOT NULL"),
        ),
    )
    event_id: Mapped[int] = mapped_column(
        BIG, primary_key=True, autoincrement=True, comment="Ascends in the order of commits."
    )
    round_id: Mapped[str] = _round()
    kind: Mapped[str] = mapped_column(String(16), comment="statement, or bytes that came: blinded, evaluation, tokens.")
    party: Mapped[str] = mapped_column(
        String(8), comment="Who said it, whose bytes came, or for whom a report or token bytes are."
    )
    audience: Mapped[str] = mapped_column(String(8), comment="Who may see it: all, reader, or nobody.")
    reader: Mapped[str | None] = mapped_column(String(255), comment="The parties that may see it, of bytes.")
    counterpart: Mapped[str | None] = mapped_column(
        String(2), comment="The other party of a report, its receipt, tokens or an evaluation."
    )
    statement: Mapped[str | None] = mapped_column(String(16), comment="Type of the statement, lower case.")
    digest: Mapped[str | None] = mapped_column(
        String(64), index=True, comment="SHA-256 of what was signed, hexadecimal."
    )
    log_index: Mapped[int | None] = mapped_column(
        comment="Place of the statement's entry in the log; none of those that were taken before."
    )
    envelope: Mapped[str | None] = mapped_column(
        comment="The statement's envelope; nothing for bytes, and for a report that its party has."
    )
    submission_id: Mapped[str | None] = mapped_column(String(32), comment="Submission that it is about.")
    chunk_index: Mapped[int | None] = mapped_column(comment="Chunk that it is about, from 0.")


class ChunkRow(MatcherRows):
    """Bytes that a party sent and that are, or were, in a file."""

    __tablename__ = "chunk"
    round_id: Mapped[str] = _round(primary_key=True)
    submission_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="Submission of the chunk.")
    what: Mapped[str] = mapped_column(String(16), primary_key=True, comment="blinded, evaluation or tokens.")
    party: Mapped[str] = mapped_column(
        String(2), primary_key=True, comment="Who sent it; of tokens, for whom their column is."
    )
    chunk_index: Mapped[int] = mapped_column(
        primary_key=True, comment="Place in the submission, or in the column, from 0."
    )
    size: Mapped[int] = mapped_column(comment="Bytes.")
    digest: Mapped[str] = mapped_column(String(64), comment="SHA-256 of the bytes, as its sender signed it.")
    deleted_at: Mapped[int | None] = mapped_column(comment="Seconds since 1970 when the bytes were gone.")


class HeldReportRow(MatcherRows):
    """A report of a query that waits until the owner of the list has acknowledged its own."""

    __tablename__ = "held_report"
    round_id: Mapped[str] = _round(primary_key=True)
    submission_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="The query.")
    owner: Mapped[str] = mapped_column(String(2), primary_key=True, comment="The owner of the list.")
    envelope: Mapped[str] = mapped_column(comment="The signed report to the query's origin.")


class HitCountRow(MatcherRows):
    """The number of hits of two parties: the remains of a match."""

    __tablename__ = "hit_count"
    round_id: Mapped[str] = _round(primary_key=True)
    submission_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="The query; empty for the lists.")
    left: Mapped[str] = mapped_column(String(2), primary_key=True, comment="The one party.")
    right: Mapped[str] = mapped_column(String(2), primary_key=True, comment="The other, later in the alphabet.")
    certainty: Mapped[str] = mapped_column(String(8), primary_key=True, comment="Published level.")
    hits: Mapped[int] = mapped_column(comment="Pairs of records.")


class FlagRow(MatcherRows):
    """Something in a submission's tokens that looks like guesses: for people, nothing is refused by it."""

    __tablename__ = "flag"
    round_id: Mapped[str] = _round(primary_key=True)
    submission_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="Whose tokens.")
    number: Mapped[int] = mapped_column(
        Integer, primary_key=True, autoincrement=False, comment="Place among its flags, from 0."
    )
    sentence: Mapped[str] = mapped_column(comment="What it is, in words: rules and counts alone.")


class FaultRow(MatcherRows):
    """A column of tokens that cannot be joined: the round goes on without its pair."""

    __tablename__ = "fault"
    round_id: Mapped[str] = _round(primary_key=True)
    submission_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="The list or query.")
    counterpart: Mapped[str] = mapped_column(String(2), primary_key=True, comment="For whom the column is.")
    sentence: Mapped[str] = mapped_column(comment="What is wrong, as a sentence for the operator.")


class ListCountRow(MatcherRows):
    """A list or query that was matched: its padded size, for statistics."""

    __tablename__ = "list_count"
    round_id: Mapped[str] = _round(primary_key=True)
    submission_id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="The list or query.")
    party: Mapped[str] = mapped_column(String(2), comment="Whose it is.")
    kind: Mapped[str] = mapped_column(String(8), comment="list or query.")
    records: Mapped[int] = mapped_column(comment="Records, padding included.")
    matched_at: Mapped[int] = mapped_column(comment="Seconds since 1970.")


class SurePairRow(MatcherRows):
    """The records of two lists that met surely, until the round's end: then persons are counted over all pairs."""

    __tablename__ = "sure_pair"
    round_id: Mapped[str] = _round(primary_key=True)
    left: Mapped[str] = mapped_column(String(2), primary_key=True, comment="The one party.")
    right: Mapped[str] = mapped_column(String(2), primary_key=True, comment="The other, later in the alphabet.")
    records: Mapped[bytes] = mapped_column(
        comment="Of each hit that counts as a person: its level, and the handles of both records."
    )


class KnownCountRow(MatcherRows):
    """Persons known to a number of parties, by hits of a level and above over pairs that may be matched."""

    __tablename__ = "known_count"
    round_id: Mapped[str] = _round(primary_key=True)
    certainty: Mapped[str] = mapped_column(
        String(8), primary_key=True, comment="Least level of the hits that join a person."
    )
    parties: Mapped[int] = mapped_column(
        Integer, primary_key=True, autoincrement=False, comment="To how many parties: 2, 3, ..."
    )
    persons: Mapped[int] = mapped_column(comment="How many.")


class OutcomeCountRow(MatcherRows):
    """A party's outcomes of its hits, from its last statement: for statistics."""

    __tablename__ = "outcome_count"
    round_id: Mapped[str] = _round(primary_key=True)
    party: Mapped[str] = mapped_column(String(2), primary_key=True, comment="Who says so.")
    counterpart: Mapped[str] = mapped_column(String(2), primary_key=True, comment="The other party of the hits.")
    certainty: Mapped[str] = mapped_column(String(8), primary_key=True, comment="Published level.")
    outcome: Mapped[str] = mapped_column(
        String(16), primary_key=True, comment="confirmed, refuted, unresolved, withdrawn or open."
    )
    hits: Mapped[int] = mapped_column(comment="How many.")


class RoundingKeyRow(MatcherRows):
    """The key by which published numbers are rounded: one row, made with the table, and kept with the counts."""

    __tablename__ = "rounding_key"
    key_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, comment="Always 1.")
    key: Mapped[bytes] = mapped_column(comment="Random bytes, secret as the counts are.")


class EvidenceRow(MatcherRows):
    """Two different signed statements where only one may be."""

    __tablename__ = "evidence"
    evidence_id: Mapped[int] = mapped_column(BIG, primary_key=True, autoincrement=True, comment="Number.")
    round_id: Mapped[str] = _round()
    party: Mapped[str] = mapped_column(String(2), comment="Who signed both.")
    digest: Mapped[str] = mapped_column(String(64), comment="SHA-256 of the refused envelope, to keep it once.")
    accepted: Mapped[str | None] = mapped_column(comment="Envelope of the statement that counts.")
    refused: Mapped[str] = mapped_column(comment="Envelope of the one that was refused.")
    found_at: Mapped[int] = mapped_column(comment="Seconds since 1970.")


class RefusedStatementRow(MatcherRows):
    """A statement that was refused, and leaves its number empty."""

    __tablename__ = "refused_statement"
    round_id: Mapped[str] = _round(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True, comment="SHA-256 of what was signed.")
    party: Mapped[str] = mapped_column(String(2), comment="Who signed it.")
    envelope: Mapped[str | None] = mapped_column(
        comment="The statement, so that an auditor can judge it again; nothing for sealed notes."
    )
    refused_at: Mapped[int] = mapped_column(comment="Seconds since 1970.")


class RepeatedStatementRow(MatcherRows):
    """The number of a party's statements refused because it had made them as often as it can."""

    __tablename__ = "repeated_statement"
    round_id: Mapped[str] = _round(primary_key=True)
    party: Mapped[str] = mapped_column(String(2), primary_key=True, comment="Who signed them.")
    statements: Mapped[int] = mapped_column(comment="How many.")


class ContactRow(MatcherRows):
    """The last call of a party."""

    __tablename__ = "contact"
    party: Mapped[str] = mapped_column(String(2), primary_key=True, comment="Who called.")
    called_at: Mapped[int] = mapped_column(comment="Seconds since 1970, to the minute.")
    release: Mapped[str] = mapped_column(String(32), comment="Which release it said that it runs, or nothing.")


class ReminderRow(MatcherRows):
    """A reminder of a party for which a round waits."""

    __tablename__ = "reminder"
    round_id: Mapped[str] = _round(primary_key=True)
    party: Mapped[str] = mapped_column(String(2), primary_key=True, comment="Who is reminded.")
    occasion: Mapped[str] = mapped_column(
        String(32), primary_key=True, comment="`asked` and when, or the deadline and how long before it."
    )
    sent_at: Mapped[int | None] = mapped_column(comment="Seconds since 1970 when it was handed over.")
    retry_at: Mapped[int] = mapped_column(comment="When it is tried again; 0 where nothing failed.")
    failure: Mapped[str | None] = mapped_column(String(16), comment="Why it could not be handed over the last time.")


SPENT_NONCES = nonce_table(MatcherRows.metadata)

declare(MatcherRows.metadata, TABLES, *(rows.metadata for rows in (PeopleRows, ApprovalRows, RegistryRows, OutageRows)))
