"""Step: a look at the newest event, for what other processes on the same database committed."""

from __future__ import annotations

import asyncio
import contextlib

from sqlalchemy import Select, func, select

from services.matcher.context import MatcherContext
from services.matcher.storage.tables import EventRow, RoundRow

PULSE_SECONDS = 2.0
"""Seconds between two looks while something comes."""

QUIET_PULSE_SECONDS = 10.0
"""Seconds between two looks at most while nothing comes."""

_MOST = 1_000  # events between two looks, of which each is looked at


class Pulse:
    """The step, which rings the wake-up of its process when there is something new.

    What this process commits wakes those for whom it is work when it is committed. All others hear of it once there is
    a pause, in case that one of them has something to do all the same.
    """

    def __init__(self, context: MatcherContext) -> None:
        self._context = context
        self._seen: tuple[int, int] | None = None
        self._pending = False
        self._news = context.wakeup.listen()

    async def wait(self, seconds: float) -> None:
        """Wait between two looks: longer while nothing is committed here, and nothing waits for a pause.

        Args:
            seconds: For which to wait where nothing comes.
        """
        await asyncio.sleep(min(seconds, PULSE_SECONDS))
        if seconds > PULSE_SECONDS and not self._pending:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), seconds - PULSE_SECONDS)

    def step(self) -> bool:
        """Look once; it waits for the next interval whatever it found.

        Raises:
            StoreError: The database failed.
        """
        self._news = self._context.wakeup.listen()  # before the look, so that nothing is missed in between
        known, event = self._seen or (None, None)
        newest = select(func.coalesce(func.max(EventRow.event_id), 0)) if event is None else _after(event)
        with self._context.store.reading("pulse.look") as session:
            count = session.scalar(select(func.count()).select_from(RoundRow)) or 0
            found = set(session.scalars(newest))
        self._seen = count, max(found, default=event or 0)
        own = self._context.round_cache.take_committed(self._seen[1])
        if event is None:
            return False
        of_others = bool(found - own) or len(found) == _MOST or count != known
        if of_others or (self._pending and not found):
            self._context.wakeup.notify()
        self._pending = bool(found) and not of_others
        return False


def _after(event: int) -> Select[int]:
    """Return the query of the next events after one."""
    return select(EventRow.event_id).where(EventRow.event_id > event).order_by(EventRow.event_id).limit(_MOST)
