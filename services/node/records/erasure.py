"""Erasing a record everywhere at this node: its rows in all imports, its hits with notes, history and remarks.

What stays is no data of the person: that a record of this number was erased, by a digest, so that it is noticed when it
comes again; that counterparts are to be told, by hit id; and the number of hits by outcome. The entry of the log holds
counts alone.
"""

import hashlib
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, Table, delete, func, select, update
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind
from aquila.audit.roles import Action
from aquila.errors import PolicyError
from aquila.followup.lifecycle import Ground, is_late
from aquila.interface.approval import ApprovalKind
from aquila.interface.hits import ErasureReport
from aquila.interface.rounds import SubmissionState
from aquila.protocol.encoding import framed
from aquila.records.rows import AcceptedRow, Finding, RefusedRow, Row, Severity
from aquila.sentences import Sentence
from services.kit.actor import Actor
from services.kit.approvals.requests import content_of
from services.kit.approvals.tables import ApprovalRow
from services.kit.errors import NotFoundError, StoreError
from services.kit.log import entries
from services.kit.logging import Log
from services.kit.people.idempotency import forget_answers
from services.kit.people.tables import KeptAnswerRow
from services.kit.storage.row_seals import REFUSED
from services.kit.storage.store import Store
from services.node.context import Clock, NodeContext
from services.node.hits import lifecycle
from services.node.hits.notes import outcome_of
from services.node.records.stored_lists import following_removal
from services.node.rounds.own_reports import held_back
from services.node.storage.states import LocalRoundState
from services.node.storage.tables import (
    ErasedOutcomeCountRow,
    ErasedRecordRow,
    FindingRow,
    HitRow,
    ImportRow,
    NodeRows,
    RecordRow,
    RoundRow,
    SubmissionRow,
    WithdrawalRow,
)

_LOG = Log("node.erasure")
_ATTEMPTS = 40
_ATTEMPT_SECONDS = 0.05
_SENT = frozenset(SubmissionState) - {SubmissionState.WISHED, SubmissionState.FAILED}


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """The places of a record at this node, read in a transaction."""

    record_id: str
    rows: Sequence[tuple[str, int]]
    """Import and position of each row."""
    hits: Sequence[HitRow]

    @property
    def imports(self) -> set[str]:
        """Return the lists that hold it."""
        return {import_id for import_id, _ in self.rows}

    @property
    def counterparts(self) -> tuple[str, ...]:
        """Return the parties that are informed of its erasure."""
        return tuple(sorted({hit.counterpart for hit in self.hits}))

    def counts(self) -> dict[str, int]:
        """Return the numbers of rows, hits and lists that its erasure removes or changes."""
        return {"records": len(self.rows), "hits": len(self.hits), "imports": len(self.imports)}


def find_record(session: Session, record_id: str) -> FoundRecord:
    """Return where a record is.

    Raises:
        PolicyError: A list with it is being prepared for a round at this moment.
        ForgedRowError: This service did not write one of its hits.
    """
    query = select(RecordRow.import_id, RecordRow.position).where(RecordRow.record_id == record_id)
    rows = [(row.import_id, row.position) for row in session.execute(query)]
    hits = select(HitRow).where(HitRow.record_id == record_id).execution_options(**{REFUSED: True})
    found = FoundRecord(record_id, rows, session.scalars(hits).all())
    if not rows and not found.hits:
        raise NotFoundError("record_identifier_unknown")
    _check_not_prepared(session, found.imports)
    return found


def erase_record(node: NodeContext, actor: Actor, record_id: str) -> ErasureReport:
    """Erase a record without hits by its own identifier.

    Raises:
        NotFoundError: Neither an import nor a hit has a record of this identifier.
    """
    with node.store.transaction("record.erase") as session:
        found = find_record(session, record_id)
        if found.hits:
            raise PolicyError("record_has_hits", hits=len(found.hits))
        report = erase_found(session, node, found, entries.actor_fields(actor, Action.ERASE_RECORD))
    overwrite_erased(node)
    node.wake()
    return report


def erase_found(session: Session, node: NodeContext, found: FoundRecord, by: Mapping[str, str]) -> ErasureReport:
    """Erase a record within the caller's transaction, and have the counterparts of its hits informed.

    Afterwards `overwrite_erased` is due. `by` are the fields of the entry for who wanted it.
    """
    # 1. The hits: the counterparts are told by hit id, which outlives the hit here.
    for hit in found.hits:
        _erase_hit(session, node.clock, hit)
    # 2. The record in every import, and in what was asked for about it.
    session.execute(delete(FindingRow).where(FindingRow.record_id == found.record_id))
    for import_id, position in found.rows:
        with following_removal(session, import_id):
            _erase_row(session, import_id, position)
    _erase_requests(session, found.record_id)
    forget_answers(session)
    # 3. What notices it when it comes again, and the entry.
    digest = record_digest(found.record_id)
    session.merge(ErasedRecordRow(record_digest=digest, erased_at=node.clock()))
    node.journal.log(session, EntryKind.ERASURE, None, counts=found.counts(), **by)
    _LOG.info("record_erased", count=len(found.rows))
    return ErasureReport(**found.counts(), told=found.counterparts, record_digest=digest)


def overwrite_erased(node: NodeContext) -> None:
    """Remove the bytes of an erased record. If we crash before, they go with the next scrub."""
    tables = RecordRow.__table__, HitRow.__table__, FindingRow.__table__, ApprovalRow.__table__, KeptAnswerRow.__table__
    overwrite_deleted(node.store, *tables_of_hits(), *tables)  # type: ignore[arg-type]  # tables, all of them


def record_digest(record_id: str) -> str:
    """Return the digest by which the number of an erased record is recognised; it reveals nothing of the person."""
    return hashlib.sha256(framed("aquila/2 erased record", record_id.encode())).hexdigest()


def tables_of_hits() -> Sequence[Table]:
    """Return every table whose rows belong to one hit, those first that refer to others; withdrawals outlive theirs."""
    kept = {HitRow.__tablename__, WithdrawalRow.__tablename__}
    tables = reversed(NodeRows.metadata.sorted_tables)
    return [table for table in tables if {"round_id", "hit_id"} <= set(table.columns.keys()) and table.name not in kept]


def withdraw_hits_of(
    session: Session, clock: Clock, round_id: str, hit_id: str, counterpart: str, *, late: bool
) -> None:
    """Have the counterpart of a hit informed that its record is erased, unless it was already."""
    told = select(WithdrawalRow.withdrawal_id).where(
        WithdrawalRow.round_id == round_id,
        WithdrawalRow.hit_id == hit_id,
        WithdrawalRow.own,
        WithdrawalRow.ground == Ground.ERASED.value,
    )
    if session.scalar(told) is None:
        lifecycle.add_withdrawal(session, round_id, hit_id, counterpart, Ground.ERASED, clock(), late=late)


def add_erased_outcome(session: Session, round_id: str, counterpart: str, certainty: str, outcome: str) -> None:
    """Count an erased hit, for the outcomes that are reported to the matcher.

    One that is erased while an alarm holds its report back is not counted: no receipt says that it was here.
    """
    key = (round_id, counterpart, certainty, outcome)
    row = session.get(ErasedOutcomeCountRow, key)
    if row is None:
        names = ("round_id", "counterpart", "certainty", "outcome")
        session.add(ErasedOutcomeCountRow(**dict(zip(names, key, strict=True)), hits=1))
        session.flush()
    else:
        row.hits += 1


def close_gaps(session: Session, import_id: str) -> bool:
    """Close the gaps that erased records left in an import, before it is prepared for another round.

    Returns whether there were any.
    """
    row = session.get_one(ImportRow, import_id)
    left = session.scalar(select(func.count()).where(RecordRow.import_id == import_id)) or 0
    if left == row.records:
        return False
    if session.scalar(_uses([import_id], _SENT)) is not None:
        raise PolicyError("list_record_erased_meanwhile")
    query = select(RecordRow.position).where(RecordRow.import_id == import_id).order_by(RecordRow.position)
    positions = session.scalars(query).all()
    gaps = sorted(set(range(left)) - set(positions))
    for gap, last in zip(gaps, [position for position in positions if position >= left], strict=True):
        _move(session, import_id, last, gap)
    row.records = left
    return True


def has_gaps_in_use(session: Session, import_id: str) -> bool:
    """Return whether erased records left gaps in an import that cannot be closed yet: a round still uses it."""
    left = session.scalar(select(func.count()).where(RecordRow.import_id == import_id)) or 0
    row = session.get_one(ImportRow, import_id)
    return left != row.records and session.scalar(_uses([import_id], _SENT)) is not None


def without_erased(store: Store, rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows of a list; one whose record was erased here is refused, so that it never comes back unnoticed."""
    with store.reading("import.erased") as session:
        erased = set(session.scalars(select(ErasedRecordRow.record_digest)))
    for row in rows:
        if erased and isinstance(row, AcceptedRow) and record_digest(row.record.record_id) in erased:
            reason = Sentence.of("record_erased_here")
            finding = Finding(row.line, "record_id", reason, Severity.REFUSAL)
            yield RefusedRow(row.line, row.record.record_id, (*row.warnings, finding))
        else:
            yield row


def overwrite_deleted(store: Store, *tables: Table) -> None:
    """Remove the bytes of what was deleted from these tables; a reader may be in the way for a moment."""
    for _ in range(_ATTEMPTS):
        try:
            store.erase_deleted(*tables)
        except StoreError:
            time.sleep(_ATTEMPT_SECONDS)
        else:
            return
    _LOG.warning(
        "erasure_deferred"
    )  # deleted rows are overwritten; what the journal has of them goes with the next one


def _erase_requests(session: Session, record_id: str) -> None:
    """Empty the requests for the erasure of a record, which name it; the digest of each stays."""
    query = select(ApprovalRow).where(ApprovalRow.kind == ApprovalKind.ERASURE.value, ApprovalRow.content != b"")
    for row in session.scalars(query):
        if content_of(row)["record_id"] == record_id:
            row.content = b""


def _check_not_prepared(session: Session, import_ids: set[str]) -> None:
    round_id = session.scalar(_uses(import_ids, {SubmissionState.PREPARING}))
    if round_id is not None:
        raise PolicyError("list_being_prepared", round=round_id)


def _uses(import_ids: Iterable[str], states: Collection[SubmissionState]) -> Select[str]:
    """Return a query for a round that goes on and uses one of the imports, in one of the states."""
    return (
        select(SubmissionRow.round_id)
        .join(RoundRow, RoundRow.round_id == SubmissionRow.round_id)
        .where(
            SubmissionRow.import_id.in_(import_ids),
            SubmissionRow.state.in_(states),
            RoundRow.state == LocalRoundState.ACTIVE,
        )
        .limit(1)
    )


def _erase_hit(session: Session, clock: Clock, hit: HitRow) -> None:
    life = lifecycle.status_row(session, hit)
    withdraw_hits_of(session, clock, hit.round_id, hit.hit_id, hit.counterpart, late=is_late(life.arrived_at, clock()))
    outcome = "withdrawn" if life.outcome is None else outcome_of(life.stage, life.outcome)
    if hit.submission_id not in held_back(session, hit.round_id):
        add_erased_outcome(session, hit.round_id, hit.counterpart, hit.certainty, outcome)
        lifecycle.record_outcome(session, clock, hit.round_id)
    session.flush()
    session.expunge(life)
    for table in tables_of_hits():
        session.execute(delete(table).where(table.c.round_id == hit.round_id, table.c.hit_id == hit.hit_id))
    session.delete(hit)
    session.flush()


def _erase_row(session: Session, import_id: str, position: int) -> None:
    """Delete a row of an import; its place is filled at once, unless a round still goes by the places."""
    session.execute(delete(RecordRow).where(RecordRow.import_id == import_id, RecordRow.position == position))
    row = session.get_one(ImportRow, import_id)
    row.changed()  # nothing that was asked for before is about it
    if session.scalar(_uses([import_id], _SENT)) is None:
        close_gaps(session, import_id)
        if row.records == 0:
            session.execute(delete(FindingRow).where(FindingRow.import_id == import_id))
            session.delete(row)


def _move(session: Session, import_id: str, old: int, new: int) -> None:
    """Move a record, and the hits that name its place."""
    for table in (RecordRow, HitRow):
        where = (table.import_id == import_id) & (table.position == old)
        session.execute(update(table).where(where).values(position=new))
