"""What this node says after its hits: withdrawals, acknowledgements and outcomes (PROTOCOL.md 3.11).

It says so whether the round goes on or has ended, once the feed was read to its end; the outbox sends it.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from aquila.followup.life import HOUR, Ground
from aquila.protocol.corrections import kept_until
from aquila.protocol.messages import MOST_WITHDRAWN
from services.kit.logs import Log
from services.node import ledger
from services.node.book import round_row
from services.node.corrections import outcomes_of
from services.node.node import book_of
from services.node.tables import RoundRow, WithdrawalRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from aquila.protocol.rounds import Round
    from services.node.node import Node

_LOG = Log("node.correct")
_UNSIGNED = WithdrawalRow.own & WithdrawalRow.digest.is_(None)
_UNANSWERED = ~WithdrawalRow.own & WithdrawalRow.acknowledged_at.is_(None)


def rounds_to_correct(node: Node) -> Select[str]:
    """Return a query for the rounds in which something is to be said."""
    waiting = select(WithdrawalRow.round_id).where(_UNSIGNED | _UNANSWERED)
    told = RoundRow.outcomes_changed_at <= node.clock() - node.settings.outcome_hours * HOUR
    return select(RoundRow.round_id).where(RoundRow.refused.is_(None), or_(RoundRow.round_id.in_(waiting), told))


def correct(node: Node, round_id: str) -> bool:
    """Sign what is to be said after hits of a round, and tell whether there was anything."""
    with node.store.reading("correct.due") as session:
        if session.scalar(rounds_to_correct(node).where(RoundRow.round_id == round_id)) is None:
            return False
    with book_of(node, round_id).reading() as round_, node.store.transaction("correct.sign") as session:
        # If we crash before the commit, nothing was signed; after it, the outbox sends what was.
        if node.clock() > kept_until(round_):
            round_row(session, round_id).outcomes_changed_at = None  # nobody would take it any more
            return False
        _withdraw(session, node, round_)
        _acknowledge(session, node, round_)
        _tell_outcomes(session, node, round_)
    return True


def _withdraw(session: Session, node: Node, round_: Round) -> None:
    """Sign the withdrawals that were asked for, one statement for each counterpart and ground."""
    query = select(WithdrawalRow).where(WithdrawalRow.round_id == round_.round_id, _UNSIGNED)
    rows = session.scalars(query.order_by(WithdrawalRow.counterpart, WithdrawalRow.ground)).all()
    for (counterpart, ground), group in groupby(rows, key=lambda row: (row.counterpart, row.ground)):
        together = list(group)
        for first in range(0, len(together), MOST_WITHDRAWN):
            _sign_withdrawal(session, node, round_, counterpart, ground, together[first : first + MOST_WITHDRAWN])


def _sign_withdrawal(  # noqa: PLR0913, PLR0917 - what the statement says
    session: Session, node: Node, round_: Round, counterpart: str, ground: str, rows: Sequence[WithdrawalRow]
) -> None:
    hits = [row.hit_id for row in rows]
    statement = ledger.sign(
        session, node, round_.round_id,
        lambda number: node.party.withdraw(round_, number, counterpart, hits, Ground(ground)),
    )  # fmt: skip
    for row in rows:
        row.digest = statement.digest
    _LOG.info("withdrawal_signed", round=round_.round_id, counterpart=counterpart, count=len(hits))


def _acknowledge(session: Session, node: Node, round_: Round) -> None:
    """Sign that the hits of counterparts' withdrawals are marked here."""
    query = select(WithdrawalRow).where(WithdrawalRow.round_id == round_.round_id, _UNANSWERED)
    rows = session.scalars(query.order_by(WithdrawalRow.digest)).all()
    for digest, group in groupby(rows, key=lambda row: row.digest or ""):
        marked = list(group)
        known, erased = sum(row.known for row in marked), all(row.ground == Ground.ERASED for row in marked)
        _sign_acknowledgement(session, node, round_, digest, known, erased=erased)
        for row in marked:
            row.acknowledged_at = node.clock()


def _sign_acknowledgement(  # noqa: PLR0913 - what the statement says
    session: Session, node: Node, round_: Round, digest: str, known: int, *, erased: bool
) -> None:
    ledger.sign(
        session, node, round_.round_id,
        lambda number: node.party.acknowledge(round_, number, digest, known, erased=erased),
    )  # fmt: skip


def _tell_outcomes(session: Session, node: Node, round_: Round) -> None:
    """Sign what came of the hits so far, some hours after the first change: one statement tells of many."""
    row = round_row(session, round_.round_id)
    if row.outcomes_changed_at is None or node.clock() < row.outcomes_changed_at + node.settings.outcome_hours * HOUR:
        return
    pairs = outcomes_of(session, round_.round_id)
    ledger.sign(session, node, round_.round_id, lambda number: node.party.tell_outcomes(round_, number, pairs))
    row.outcomes_changed_at = None
    _LOG.info("outcomes_signed", round=round_.round_id)
