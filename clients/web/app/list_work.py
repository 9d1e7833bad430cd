"""Work on a list that takes longer than a browser should wait for: it goes on in a thread while its page is shown.

The node ends a look-through whose progress nobody asks for (`services.kit.work.memory`). A browser that runs the page's
script asks as long as the page is open. For one that does not, this asks until the list stops waiting, because its
person may load the page again rarely. What was ended begins again when its person comes back.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from anyio import CapacityLimiter, from_thread, to_thread

from aquila.errors import InputError

_ASK_SECONDS = 10.0
_TASKS: set[asyncio.Task[None]] = set()  # the event loop itself keeps no task alive


@dataclass(slots=True)
class ListWork:
    """One piece of work."""

    storing: bool
    """Whether the list is stored; else it is looked through."""
    rows: int | None = None
    """How many rows it has about, or None where that is not known beforehand."""
    seen: int = 0
    """How many rows had been read at the last look."""
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    """Under which the node says how far it is."""
    done: bool = False
    result: Any = None
    """The result of the work; None before its end and after an error."""
    error: Exception | None = None
    """The error that ended it, or None."""
    is_watched: bool = False
    """Whether a browser has begun to ask by itself how far it is."""

    @property
    def was_ended(self) -> bool:
        """Return whether it ended because nobody asked how far it was."""
        return isinstance(self.error, InputError) and self.error.sentence.code == "reading_ended"

    def start(self, work: Callable[[], Any], threads: CapacityLimiter, ask: Callable[[], bool]) -> None:
        """Begin in a thread of its own; called in a thread of a page's handler.

        Args:
            work: What is done; what it raises is kept for the page.
            threads: Where it runs.
            ask: Asks the node how far it is, and returns whether the list still waits for its person.
        """

        async def keep_asking() -> None:
            still_waits = True
            while still_waits and not self.is_watched:
                await asyncio.sleep(_ASK_SECONDS)
                still_waits = await to_thread.run_sync(ask, limiter=threads)

        async def run() -> None:
            asking = asyncio.create_task(keep_asking())
            try:
                self.result = await to_thread.run_sync(work, limiter=threads, abandon_on_cancel=True)
            except Exception as error:  # noqa: BLE001 - it is raised again where somebody sees it
                self.error = error
            finally:
                asking.cancel()
                self.done = True

        async def begin() -> None:
            task = asyncio.get_running_loop().create_task(run())
            _TASKS.add(task)
            task.add_done_callback(_TASKS.discard)

        from_thread.run(begin)

    def outcome(self) -> Any:
        """Return the result, or raise the error that ended the work."""
        if self.error is not None:
            raise self.error
        return self.result
