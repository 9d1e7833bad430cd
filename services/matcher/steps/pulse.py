"""Step: a look at the newest event, for what other processes on the same database committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from services.matcher.storage.tables import EventRow, RoundRow

if TYPE_CHECKING:
    from services.matcher.context import MatcherContext


class Pulse:
    """The step, which rings the wake-up of its process when there is something new."""

    def __init__(self, context: MatcherContext) -> None:
        self._context = context
        self._seen: tuple[int, int] | None = None

    def step(self) -> bool:
        """Look once; it waits for the next interval whatever it found.

        Raises:
            StoreError: The database failed.
        """
        rounds, newest = select(func.count()).select_from(RoundRow), select(func.max(EventRow.event_id))
        with self._context.store.reading("pulse.look") as session:
            count, event = session.execute(select(rounds.scalar_subquery(), newest.scalar_subquery())).one()
        seen = count or 0, event or 0
        if self._seen not in {None, seen}:
            self._context.wakeup.notify()
        self._seen = seen
        return False
