"""Choice of the backend that does the group arithmetic.

Everything above calls `load_group` once and passes the group on. All backends give the same bytes and the same
errors; the fastest that was built and that the processor can run is chosen.
"""

import os
from collections.abc import Callable, Collection
from dataclasses import replace
from types import ModuleType
from typing import Literal

from aquila.crypto.group import Group
from aquila.crypto.native.batch import NATIVE_BACKENDS, NativeBackend, NativeGroup, load_core
from aquila.crypto.sodium import SodiumGroup, load_library
from aquila.errors import InputError

Backend = Literal["auto", "libsodium"] | NativeBackend

BACKENDS: tuple[Backend, ...] = (*NATIVE_BACKENDS, "libsodium")
"""The fastest first."""

SYSTEM_AFFINITY: Callable[[int], Collection[int]] | None = getattr(os, "sched_getaffinity", None)
"""What Linux has and other systems lack."""


def load_group(
    threads: int | None = None, backend: Backend = "auto", find_core: Callable[[NativeBackend], ModuleType] = load_core
) -> Group:
    """Return the best backend of this machine, or the one asked for.

    Args:
        threads: How many cores a batch may use; by default all that this process may run on.
        backend: `auto` takes the first that can be used of `NATIVE_BACKENDS` and libsodium, and the group's `reason`
            says why.
        find_core: Brings the C module of a backend; `load_core` in use.

    Raises:
        InputError: `threads` is below 1, or the backend asked for, or any, cannot be loaded.
    """
    cores = usable_cores() if threads is None else threads
    if backend == "libsodium":
        return SodiumGroup(cores)
    if backend != "auto":
        return NativeGroup(backend, cores, find_core(backend))
    because = ""
    for native in NATIVE_BACKENDS:
        try:
            return NativeGroup(native, cores, find_core(native), because)
        except InputError as absent:
            because = because or f", because {absent}"
    library = load_library()
    return SodiumGroup(cores, replace(library, reason=f"{library.reason}{because}"))


def usable_cores(affinity: Callable[[int], Collection[int]] | None = SYSTEM_AFFINITY) -> int:
    """Return how many cores this process may run on, which a container or taskset can restrict.

    Args:
        affinity: Returns the cores of a process; without it, all cores count.
    """
    return len(affinity(0)) if affinity else os.cpu_count() or 1
