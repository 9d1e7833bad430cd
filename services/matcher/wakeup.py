"""The wake-up: signals changes to waiters in this process, among them the calls that parties hold open.

What other processes commit is found by a look at the newest event (`services.matcher.steps.schedule`).
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from services.kit.work.drivers import Driver


class _Signal(NamedTuple):
    """What was committed: events of a kind, and the parties that may see them; None for any, and for all."""

    kind: str | None = None
    readers: Collection[str] | None = None

    def is_for(self, party: str) -> bool:
        return self.readers is None or party in self.readers


class Wakeup:
    """Notified from any thread; awaited in the event loop. Before `start` and after `stop` it wakes nobody."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drivers: Mapping[Driver, Collection[str] | None] = {}
        self._notified = asyncio.Event()
        self._of_parties: dict[str, asyncio.Event] = {}
        self._together = threading.local()
        self.down = False

    def start(self, drivers: Mapping[Driver, Collection[str] | None] | None = None) -> None:
        """Begin to wake waiters, and drivers by the kinds of events (None for all), in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._drivers = drivers or {}

    def stop(self) -> None:
        """Release all waiters, and wake nobody any more; `down` lets waiters know that nothing will come."""
        self.down = True
        self._notify([_Signal()])
        self._loop = None

    def notify(self, kind: str | None = None, readers: Collection[str] | None = None) -> None:
        """Signal that events of a kind were committed, which some parties may see.

        Args:
            kind: None wakes every driver.
            readers: None wakes the calls of every party.
        """
        signal, signals = _Signal(kind, readers), getattr(self._together, "signals", None)
        if signals is None:
            self._send([signal])
        else:
            signals.append(signal)

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Give the signals of this thread within the block at its end, as one."""
        self._together.signals = signals = list[_Signal]()
        try:
            yield
        finally:
            self._together.signals = None
            self._send(signals)

    def listen(self, party: str | None = None) -> asyncio.Event:
        """Return the event that the next signal sets; take it before looking at the state that may have changed.

        Args:
            party: A registered party: only signals of what it may see set the event.
        """
        return self._notified if party is None else self._of_parties.setdefault(party, asyncio.Event())

    def _send(self, signals: Sequence[_Signal]) -> None:
        if self._loop is not None and signals:
            # The loop may end at this moment; then nobody waits any more.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._notify, signals)

    def _notify(self, signals: Sequence[_Signal]) -> None:
        self._notified.set()
        self._notified = asyncio.Event()
        for party in [one for one in self._of_parties if any(signal.is_for(one) for signal in signals)]:
            self._of_parties.pop(party).set()
        for driver, kinds in self._drivers.items():
            if any(signal.kind is None or kinds is None or signal.kind in kinds for signal in signals):
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
