"""Retention: hits, notes and statements of a round are erased when its manifest requires (PROTOCOL.md section 8)."""

from __future__ import annotations

from sqlalchemy import delete, func, select

from aquila.audit.entries import Entry, EntryKind, Word
from services.kit.log import entries
from services.kit.logging import Log
from services.node.context import NodeContext
from services.node.records.erasure import tables_of_hits
from services.node.storage.states import LocalRoundState
from services.node.storage.tables import (
    AlarmRow,
    ErasedOutcomeCountRow,
    HitRow,
    NoteBatchRow,
    NoteSecretRow,
    PairCheckRow,
    PendingStatementRow,
    PreparedReportRow,
    ProblemRow,
    RoundRow,
    StatementRow,
    WithdrawalRow,
)

_LOG = Log("node.expire")
EXPIRING = (
    HitRow,
    WithdrawalRow,
    ErasedOutcomeCountRow,
    StatementRow,
    ProblemRow,
    AlarmRow,
    PairCheckRow,
    NoteBatchRow,
    NoteSecretRow,
    PreparedReportRow,
    PendingStatementRow,
)
"""Rows of a round that go with its hits, beside those that belong to one hit."""


def expire(node: NodeContext) -> bool:
    """Erase what retention ends, of every round that is over here, and return whether there was anything."""
    kept = RoundRow.state == LocalRoundState.DESTROYED, RoundRow.hits_erased_at.is_(None)
    query = select(RoundRow.round_id).where(*kept, RoundRow.kept_until < node.clock())
    with node.store.reading("expire.rounds") as session:
        over = session.scalars(query.order_by(RoundRow.discovered_at, RoundRow.round_id)).all()
    for round_id in over:
        _erase(node, round_id)
    if over:
        node.store.erase_deleted(*tables_of_hits(), *(row.__table__ for row in EXPIRING))  # type: ignore[arg-type]  # tables, all of them
    return bool(over)


def _erase(node: NodeContext, round_id: str) -> None:
    """Erase a round's hits and statements; the log entry holds their number and no content.

    The justifications of own submissions have three years of their own (`justification_retention`).
    """
    # Before its statements: a database that lost them would be taken for an older copy.
    node.high_water.forget(round_id)
    with node.store.transaction("expire.erase") as session:
        hits = session.scalar(select(func.count()).where(HitRow.round_id == round_id)) or 0
        for table in tables_of_hits():
            session.execute(delete(table).where(table.c.round_id == round_id))
        for kind in EXPIRING:
            session.execute(delete(kind).where(kind.round_id == round_id))
        row = session.get_one(RoundRow, round_id)
        row.hits_erased_at, row.outcomes_changed_at = node.clock(), None
        entry = Entry.of(
            EntryKind.ERASURE, node.clock(), node.code, round=round_id, counts={"hits": hits}, ids={"why": Word.EXPIRED}
        )
        entries.append(session, entry)
    # If we crash here, the round is marked, and the bytes go with the next scrub.
    node.rounds.forget(round_id)
    _LOG.info("hits_expired", round=round_id, count=hits)
