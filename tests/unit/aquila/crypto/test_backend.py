"""Choice of the backend."""

import os
import threading
from types import ModuleType

import pytest

from aquila.crypto.backend import BACKENDS, Backend, load_group, usable_cores
from aquila.crypto.group import GENERATOR
from aquila.crypto.native.batch import NATIVE_BACKENDS, NativeBackend
from aquila.errors import InputError
from aquila.sentences import quoted


def find_nothing(backend: NativeBackend) -> ModuleType:
    """Look for a C module on a machine whose processor is too old for any."""
    raise InputError(quoted(f"the processor lacks what {backend} needs"))


def test_all_usable_cores_by_default() -> None:
    assert load_group().reason.endswith(f"threads: {usable_cores()}")


def test_threads_as_asked_for() -> None:
    assert load_group(3).reason.endswith("threads: 3")
    with pytest.raises(InputError):
        load_group(0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_thread_is_the_callers(backend: Backend) -> None:
    """A group of one thread starts none: it is cheap to make, and works on in a process that was forked."""
    try:
        group = load_group(1, backend)
    except InputError as absent:
        pytest.skip(str(absent))
    before = threading.active_count()
    assert len(group.multiply_base((1).to_bytes(32, "little") * 1_000)) == 32_000
    assert threading.active_count() == before


def test_libsodium_stands_in() -> None:
    """Without a C module libsodium computes, and the reason says which one and why not the fastest."""
    group = load_group(1, find_core=find_nothing)
    assert group.name == "libsodium"
    assert group.reason.startswith("libsodium 1.")
    assert "because the processor lacks what ifma needs" in group.reason
    assert group.multiply_base((1).to_bytes(32, "little")) == GENERATOR


def test_the_fastest_that_there_is() -> None:
    """Backends are tried from the fastest on, and the reason says why a faster one is not used."""
    core = ModuleType("a C module")

    def find_slowest(backend: NativeBackend) -> ModuleType:
        return core if backend == "portable" else find_nothing(backend)

    for find, name, choice in (
        (lambda _: core, "ifma", ""),
        (find_slowest, "portable", ", because the processor lacks what ifma needs"),
    ):
        group = load_group(1, find_core=find)
        assert (group.name, group.reason) == (name, f"{NATIVE_BACKENDS[name]}{choice}; threads: 1")


def test_backend_that_is_asked_for() -> None:
    """A backend that is asked for is used or refused, never replaced."""
    assert load_group(1, "libsodium").name == "libsodium"
    for backend in NATIVE_BACKENDS:
        with pytest.raises(InputError, match=f"what {backend} needs"):
            load_group(1, backend, find_core=find_nothing)


def test_cores_of_a_restricted_process() -> None:
    assert usable_cores(lambda _: {4, 7}) == 2


def test_cores_where_the_system_does_not_say() -> None:
    assert usable_cores(None) == (os.cpu_count() or 1)
