"""Choice of the backend."""

from __future__ import annotations

import os

import pytest

from aquila.crypto.backend import load_group, usable_cores
from aquila.errors import InputError


def test_all_usable_cores_by_default() -> None:
    """Without a number, a batch may use all cores of the process."""
    assert load_group().reason.endswith(f"threads: {usable_cores()}")


def test_threads_as_asked_for() -> None:
    """A number is taken as it is, and a wrong one refused."""
    assert load_group(3).reason.endswith("threads: 3")
    with pytest.raises(InputError):
        load_group(0)


def test_cores_of_a_restricted_process() -> None:
    """Only the cores that the process may run on count."""
    assert usable_cores(lambda _: {4, 7}) == 2


def test_cores_where_the_system_does_not_say() -> None:
    """A system without affinity counts all its cores."""
    assert usable_cores(None) == (os.cpu_count() or 1)
