"""Choice of the backend that does the group arithmetic.

Everything above calls `load_group` once and passes the group on. Both backends give the same bytes and the same
errors; the native one is chosen where it was built and the processor can run it, because it is several times faster.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from aquila.crypto.native.batch import NativeGroup, load_core
from aquila.crypto.sodium import SodiumGroup, load_library
from aquila.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import ModuleType

    from aquila.crypto.group import Group

Backend = Literal["auto", "native", "sodium"]

SYSTEM_AFFINITY: Callable[[int], Collection[int]] | None = getattr(os, "sched_getaffinity", None)
"""What Linux has and other systems lack."""


def load_group(
    threads: int | None = None, backend: Backend = "auto", find_core: Callable[[], ModuleType] = load_core
) -> Group:
    """Return the best backend of this machine, or the one asked for.

    Args:
        threads: How many cores a batch may use; by default all that this process may run on.
        backend: `auto` takes the native one where it can be had, else libsodium, and the group's `reason` says why.
        find_core: Brings the C module; `load_core` in use.

    Raises:
        InputError: `threads` is below 1, or the backend asked for, or any, cannot be loaded.
    """
    cores = usable_cores() if threads is None else threads
    if backend == "sodium":
        return SodiumGroup(cores)
    try:
        core = find_core()
    except InputError as absent:
        if backend == "native":
            raise
        library = load_library()
        return SodiumGroup(cores, replace(library, reason=f"{library.reason}, because {absent}"))
    return NativeGroup(cores, core)


def usable_cores(affinity: Callable[[int], Collection[int]] | None = SYSTEM_AFFINITY) -> int:
    """Return how many cores this process may run on, which a container or taskset can restrict.

    Args:
        affinity: Returns the cores of a process; without it, all cores count.
    """
    return len(affinity(0)) if affinity else os.cpu_count() or 1
