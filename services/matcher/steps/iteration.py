"""The rounds that a step looks at; a failure in one round does not keep the others waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from aquila.errors import AquilaError
from services.kit.logging import Log
from services.matcher.storage.tables import RoundRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import ColumnElement

    from services.matcher.context import MatcherContext

_LOG = Log("matcher.steps")

OPEN = RoundRow.ended_at.is_(None)
"""Rounds that go on."""

ENDED = RoundRow.ended_at.is_not(None) & RoundRow.finished_at.is_(None)
"""Rounds that ended and whose traces are not all gone."""


def each_round(context: MatcherContext, which: ColumnElement[bool], work: Callable[[str], bool]) -> bool:
    """Do the work for every round, and return whether there was any.

    Raises:
        AquilaError: The last failure, after all rounds had their turn; each one is logged.
    """
    with context.store.reading("rounds.due") as session:
        rounds = session.scalars(select(RoundRow.round_id).where(which).order_by(RoundRow.created_at)).all()
    busy, failed = False, None
    for round_id in rounds:
        try:
            busy |= work(round_id)
        except AquilaError as error:
            _LOG.warning("round_failed", round=round_id, error=error)
            failed = error
    if failed is not None:
        raise failed
    return busy
