"""Use case: the secretariat's officer wants a round to end; a step ends it when that is possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aquila.errors import OrderError
from aquila.protocol.messages import Outcome

if TYPE_CHECKING:
    from services.matcher.desk import Desk


def wish_end(desk: Desk, round_id: str, outcome: Outcome, reason: str) -> None:
    """Store how a round shall end. The wish to abort stands above the wish to close, and cannot be taken back.

    Raises:
        NotFoundError: There is no such round.
        OrderError: It has ended already, or is to be aborted.
    """
    with desk.known.writing("round.wish", round_id) as turn:
        if turn.round.ending is not None or (turn.row.wish == Outcome.ABORTED.value and outcome is Outcome.CLOSED):
            raise OrderError("the round has ended or is to be aborted", round=round_id)
        if turn.row.wish != Outcome.ABORTED.value:
            turn.row.wish, turn.row.reason = outcome.value, reason
    desk.bell.ring()
