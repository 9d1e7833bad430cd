"""Justifications of submissions: kept for three years, then erased (Prüm II asks for as long; PROTOCOL.md 8.5).

Those of this node's submissions lie beside them and in what it signed; those of others in what they signed. A standing
query is erased as a whole three years after it ended.
"""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind
from aquila.audit.entries import EntryKind as Kind
from aquila.protocol.messages import StatementKind
from aquila.protocol.rounds.verified_round import JUSTIFICATION_DAYS, without_justification
from services.kit.log.entries import statements_kept
from services.kit.people.context import log_entry
from services.node.context import NodeContext
from services.node.storage.states import LocalRoundState
from services.node.storage.tables import RoundRow, StandingQueryRow, StatementRow, SubmissionRow

_DAY = 86_400


def erase_justifications(node: NodeContext) -> bool:
    """Erase the justifications whose three years are over; return whether there were any."""
    before = node.clock() - JUSTIFICATION_DAYS * _DAY
    with node.store.reading("justification.old") as session:
        due = [row.submission_id for row in _own(session, before)]
        signed = {row.round_id for row in _signed(session, before)}
        ended = session.scalars(select(StandingQueryRow.standing_id).where(StandingQueryRow.ended_at <= before)).all()
    if not due and not signed and not ended:
        return False
    with node.store.transaction("justification.erase") as session:
        for row in _own(session, before):
            row.justification = {}
        for statement in _signed(session, before):
            statement.envelope = without_justification(statement.envelope)
            statement.erased_at = node.clock()
        session.execute(delete(StandingQueryRow).where(StandingQueryRow.ended_at <= before))
        if due or ended:
            counts = {"justifications": len(due) + len(ended)}
            log_entry(session, node.people, EntryKind.ERASURE, None, counts=counts)
    for round_id in signed:
        node.rounds.forget(round_id)
    # If we crash here, or a reader is in the way, the bytes go with the next scrub.
    tables = SubmissionRow.__table__, StatementRow.__table__, StandingQueryRow.__table__
    node.store.erase_deleted(*tables)  # type: ignore[arg-type]  # declared tables are Tables
    return True


def _own(session: Session, before: int) -> Sequence[SubmissionRow]:
    """Return this node's submissions that were wished for before a time and have their justification still."""
    rows = session.scalars(select(SubmissionRow).where(SubmissionRow.wished_at <= before))
    return [row for row in rows if row.justification]


def _signed(session: Session, before: int) -> Sequence[StatementRow]:
    """Return signed submissions of rounds that are over, taken or signed before a time.

    An own one stays whole for as long as this node's log holds its entry, which an auditor makes again from it.
    """
    query = select(StatementRow).join(RoundRow, RoundRow.round_id == StatementRow.round_id)
    whole = (
        StatementRow.kind == StatementKind.SUBMISSION.value,
        StatementRow.erased_at.is_(None),
        StatementRow.taken_at <= before,
    )
    rows = session.scalars(query.where(*whole, RoundRow.state == LocalRoundState.DESTROYED)).all()
    rounds = sorted({row.round_id for row in rows if row.own})
    kept = {digest for round_id in rounds for digest in statements_kept(session, round_id, Kind.SUBMISSION)}
    return [row for row in rows if row.digest not in kept]
