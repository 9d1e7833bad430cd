"""Choice of the backend that does the group arithmetic.

Everything above calls `load_group` once and passes the group on. A faster backend is chosen here and nowhere else.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aquila.crypto.sodium import SodiumGroup

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from aquila.crypto.group import Group

SYSTEM_AFFINITY: Callable[[int], Collection[int]] | None = getattr(os, "sched_getaffinity", None)
"""What Linux has and other systems lack."""


def load_group(threads: int | None = None) -> Group:
    """Return the best backend of this machine.

    Args:
        threads: How many cores a batch may use; by default all that this process may run on.

    Raises:
        InputError: `threads` is below 1, or no backend can be loaded.
    """
    return SodiumGroup(usable_cores() if threads is None else threads)


def usable_cores(affinity: Callable[[int], Collection[int]] | None = SYSTEM_AFFINITY) -> int:
    """Return how many cores this process may run on, which a container or taskset can restrict.

    Args:
        affinity: Returns the cores of a process; without it, all cores count.
    """
    return len(affinity(0)) if affinity else os.cpu_count() or 1
