"""The wake-up: signals changes to waiters in this process, among them the calls that parties hold open.

What other processes commit is found by a look at the newest event (`services.matcher.steps.schedule`).
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Collection, Iterator, Mapping

from services.kit.work.drivers import Driver


class Wakeup:
    """Notified from any thread; awaited in the event loop. Before `start` and after `stop` it wakes nobody."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drivers: Mapping[Driver, Collection[str] | None] = {}
        self._notified = asyncio.Event()
        self.down = False

    def start(self, drivers: Mapping[Driver, Collection[str] | None] | None = None) -> None:
        """Begin to wake waiters, and drivers by the kinds of events (None for all), in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._drivers = drivers or {}

    def stop(self) -> None:
        """Release all waiters, and wake nobody any more; `down` lets waiters know that nothing will come."""
        self.down = True
        self._notify(None)
        self._loop = None

    def notify(self, kind: str | None = None) -> None:
        """Signal that an event of a kind was committed; None wakes every driver."""
        if self._loop is not None:
            # The loop may end at this moment; then nobody waits any more.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._notify, kind)

    def listen(self) -> asyncio.Event:
        """Return the event that the next signal sets; take it before looking at the state that may have changed."""
        return self._notified

    def _notify(self, kind: str | None) -> None:
        self._notified.set()
        self._notified = asyncio.Event()
        for driver, kinds in self._drivers.items():
            if kind is None or kinds is None or kind in kinds:
                driver.wake()


class LongPolls:
    """The calls that parties hold open in this process; to be used in the event loop's thread.

    A party holds few at a time, and another one ends its oldest: so a node that lost its connection, or was started
    again, does not wait for a call that nobody reads.
    """

    most = 2
    """How many calls a party holds."""

    def __init__(self) -> None:
        self._held: dict[str, deque[asyncio.Event]] = {}

    def count(self, party: str) -> int:
        """Return how many calls a party holds now."""
        return len(self._held.get(party, ()))

    @contextlib.contextmanager
    def hold(self, party: str) -> Iterator[asyncio.Event]:
        """Count a call of a registered party within the block, and give the event that ends it for a newer one."""
        held = self._held.setdefault(party, deque())
        while len(held) >= self.most:
            held.popleft().set()
        own = asyncio.Event()
        held.append(own)
        try:
            yield own
        finally:
            if not own.is_set():
                held.remove(own)
