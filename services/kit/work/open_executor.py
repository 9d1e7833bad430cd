"""An executor that is open: a pool of processes of this machine, or a connection to a cluster."""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

_MOST_AHEAD = 256


@dataclass(frozen=True, slots=True)
class OpenExecutor:
    """An executor, how many pieces it does at the same time, and how it is given back."""

    executor: Executor
    workers: int
    close: Callable[[], None]

    @property
    def ahead(self) -> int:
        """Return the limit of pieces of one kind in flight; twice the workers keep all busy."""
        return min(_MOST_AHEAD, 2 * self.workers)
