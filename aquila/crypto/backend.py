"""Choice of the backend that does the group arithmetic.

Everything above calls `load_group` once and passes the group on. All backends give the same bytes and the same
errors; the fastest that was built and that the processor can run is chosen.
"""

import os
from collections.abc import Callable, Collection
from types import ModuleType
from typing import Literal

from aquila.crypto.group import NATIVE_BACKENDS, Group, NativeBackend, load_core
from aquila.errors import InputError

Backend = Literal["auto"] | NativeBackend

SYSTEM_AFFINITY: Callable[[int], Collection[int]] | None = getattr(os, "sched_getaffinity", None)
"""What Linux has and other systems lack."""


def load_group(
    threads: int | None = None, backend: Backend = "auto", find_core: Callable[[NativeBackend], ModuleType] = load_core
) -> Group:
    """Return the best backend of this machine, or the one asked for.

    Args:
        threads: How many cores a batch may use; by default all that this process may run on.
        backend: `auto` takes the first that can be used of `NATIVE_BACKENDS`, and the group's `reason` says why.
        find_core: Brings the C module of a backend; `load_core` in use.

    Raises:
        InputError: `threads` is below 1, or the backend asked for, or any, cannot be loaded.
    """
    cores = usable_cores() if threads is None else threads
    if backend != "auto":
        return Group(backend, cores, find_core(backend))
    *faster, slowest = NATIVE_BACKENDS
    because = ""
    for native in faster:
        try:
            return Group(native, cores, find_core(native), because)
        except InputError as absent:
            because = because or f", because {absent}"
    return Group(slowest, cores, find_core(slowest), because)


def usable_cores(affinity: Callable[[int], Collection[int]] | None = SYSTEM_AFFINITY) -> int:
    """Return how many cores this process may run on, which a container or taskset can restrict.

    Args:
        affinity: Returns the cores of a process; without it, all cores count.
    """
    return len(affinity(0)) if affinity else os.cpu_count() or 1
