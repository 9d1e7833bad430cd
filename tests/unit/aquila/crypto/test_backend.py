"""Choice of the backend."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from aquila.crypto.backend import load_group, usable_cores
from aquila.crypto.group import GENERATOR
from aquila.errors import InputError
from aquila.sentences import quoted

if TYPE_CHECKING:
    from types import ModuleType

    from aquila.crypto.backend import Backend


def find_nothing() -> ModuleType:
    """Look for the C module on a machine whose processor is too old."""
    raise InputError(quoted("the processor lacks avx512ifma"))


def test_all_usable_cores_by_default() -> None:
    """Without a number, a batch may use all cores of the process."""
    assert load_group().reason.endswith(f"threads: {usable_cores()}")


def test_threads_as_asked_for() -> None:
    """A number is taken as it is, and a wrong one refused."""
    assert load_group(3).reason.endswith("threads: 3")
    with pytest.raises(InputError):
        load_group(0)


@pytest.mark.parametrize("backend", ["native", "sodium"])
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
    """Without the native core libsodium computes, and the reason says which one and why."""
    group = load_group(1, find_core=find_nothing)
    assert group.name == "sodium"
    assert group.reason.startswith("libsodium 1.")
    assert "because the processor lacks avx512ifma" in group.reason
    assert group.multiply_base((1).to_bytes(32, "little")) == GENERATOR


def test_backend_that_is_asked_for() -> None:
    """A backend that is asked for is used or refused, never replaced."""
    assert load_group(1, "sodium").name == "sodium"
    with pytest.raises(InputError):
        load_group(1, "native", find_core=find_nothing)


def test_cores_of_a_restricted_process() -> None:
    """Only the cores that the process may run on count."""
    assert usable_cores(lambda _: {4, 7}) == 2


def test_cores_where_the_system_does_not_say() -> None:
    """A system without affinity counts all its cores."""
    assert usable_cores(None) == (os.cpu_count() or 1)
