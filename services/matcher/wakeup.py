"""The wake-up: signals changes to waiters in this process. Other processes look for themselves."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.kit.work.drivers import Driver


class Wakeup:
    """Rung from any thread; listened to in the event loop. Before `hang` and after `take_down` nobody hears it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drivers: Sequence[Driver] = ()
        self._rung = asyncio.Event()
        self.down = False

    def hang(self, drivers: Sequence[Driver] = ()) -> None:
        """Begin to wake drivers and waiters, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._drivers = drivers

    def take_down(self) -> None:
        """Release all waiters, and wake nobody any more; `down` lets waiters know that nothing will come."""
        self.down = True
        self._ring()
        self._loop = None

    def ring(self) -> None:
        """Signal that something was committed."""
        if self._loop is not None:
            # The loop may end at this moment; then nobody waits any more.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._ring)

    def listen(self) -> asyncio.Event:
        """Return the event that the next signal sets; take it before looking at the state that may have changed."""
        return self._rung

    def _ring(self) -> None:
        self._rung.set()
        self._rung = asyncio.Event()
        for driver in self._drivers:
            driver.wake()
