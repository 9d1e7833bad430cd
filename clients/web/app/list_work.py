"""Work on a list that takes longer than a browser should wait for: it goes on in a thread while its page is shown."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from anyio import CapacityLimiter, from_thread, to_thread

_TASKS: set[asyncio.Task[None]] = set()  # the event loop itself keeps no task alive


@dataclass(slots=True)
class ListWork:
    """One piece of work.

    Attributes:
        storing: Whether the list is stored; else it is looked through.
        rows: How many rows it has about, or None where that is not known beforehand.
        seen: How many rows had been read at the last look.
        key: Under which the node says how far it is.
        done: Whether it is over.
        result: The result of the work; None before its end and after an error.
        error: The error that ended it, or None.
    """

    storing: bool
    rows: int | None = None
    seen: int = 0
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    done: bool = False
    result: Any = None
    error: Exception | None = None

    def start(self, work: Callable[[], Any], threads: CapacityLimiter) -> None:
        """Begin in a thread of its own; called in a thread of a page's handler.

        Args:
            work: What is done; what it raises is kept for the page.
            threads: Where it runs.
        """

        async def run() -> None:
            try:
                self.result = await to_thread.run_sync(work, limiter=threads, abandon_on_cancel=True)
            except Exception as error:  # noqa: BLE001 - it is raised again where somebody sees it
                self.error = error
            finally:
                self.done = True

        async def begin() -> None:
            task = asyncio.get_running_loop().create_task(run())
            _TASKS.add(task)
            task.add_done_callback(_TASKS.discard)

        from_thread.run(begin)

    def outcome(self) -> Any:  # noqa: ANN401 - the work's own
        """Return the result, or raise the error that ended the work."""
        if self.error is not None:
            raise self.error
        return self.result
