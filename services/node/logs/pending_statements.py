"""Statements that wait until the matcher's log is proved to hold what came before them (PROTOCOL.md 10.5.2).

A receipt and a closing are signed at once where everything is proved already, and otherwise after the look that proves
it. Tokens wait likewise, where they are made (`services.node.steps.submissions.finalize`).
"""

from __future__ import annotations

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from aquila.protocol.rounds.verified_round import Round
from services.node.context import NodeContext, Signer
from services.node.logs import checks
from services.node.rounds import statements
from services.node.storage.tables import PendingStatementKind, PendingStatementRow, RoundRow


def may_sign(session: Session, round_id: str) -> bool:
    """Return whether the log is proved to hold all of a round that it is to hold, and to be the one that others saw."""
    return checks.promises_are_kept(session, round_id) and checks.heads_are_verified(session)


def put(session: Session, signer: Signer, round_: Round, row: PendingStatementRow) -> None:
    """Queue a receipt or closing for signing as soon as it is allowed, in the transaction of its content."""
    session.add(row)
    session.flush()
    _sign_all(session, signer, round_)


def sign(node: NodeContext, round_id: str) -> bool:
    """Sign what was due and may be signed now; return whether nothing is left."""
    with node.store.reading("due.look") as session:
        if (
            session.scalar(select(PendingStatementRow.kind).where(PendingStatementRow.round_id == round_id).limit(1))
            is None
        ):
            return True
    with node.rounds.of(round_id).reading() as round_, node.store.transaction("due.sign") as session:
        return _sign_all(session, node.signer, round_)


def rounds_with_due() -> Select[str]:
    """Return a query for the rounds in which something is to be signed still."""
    return (
        select(PendingStatementRow.round_id)
        .join(RoundRow, RoundRow.round_id == PendingStatementRow.round_id)
        .where(RoundRow.refused.is_(None))
    )


def _sign_all(session: Session, signer: Signer, round_: Round) -> bool:
    """Sign receipts, and then the closing, where the log holds everything; return whether it does."""
    round_id = round_.round_id
    if not may_sign(session, round_id):
        return False
    query = (
        select(PendingStatementRow)
        .where(PendingStatementRow.round_id == round_id)
        .order_by(PendingStatementRow.kind.desc())
    )
    for row in session.scalars(query).all():
        number = statements.next_number(session, round_id)
        if row.kind == PendingStatementKind.CLOSING:
            empty = statements.given_up(session, signer.high_water, round_id, number)
            envelope = signer.party.close(round_, number, row.hits, empty)
        else:
            envelope = signer.party.receipt(round_, number, row.submission_id or None, row.hits)
        statements.put_signed(session, signer, round_id, envelope)
    session.execute(delete(PendingStatementRow).where(PendingStatementRow.round_id == round_id))
    return True
