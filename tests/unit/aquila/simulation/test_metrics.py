"""Tasks that are measured, and the group that is timed."""

import os
from pathlib import Path
from typing import cast

from aquila.crypto.backend import Backend
from aquila.crypto.group import GENERATOR, Group
from aquila.executors import InProcess
from aquila.simulation.metrics import Measurements, TaskRunner, TimedGroup, measured

TWO = b"\x02" + bytes(31)


def double(group: Group, scalar: bytes) -> bytes:
    element = group.multiply_base(scalar)
    return group.multiply(element, TWO)


def test_a_timed_group_is_the_group(group: Group) -> None:
    """Its answers and its name are the group's; what its operations take is added up."""
    timed = TimedGroup(group)
    assert (timed.name, timed.seconds) == (group.name, 0.0)
    assert double(cast("Group", timed), b"\x01" + bytes(31)) == group.multiply(GENERATOR, TWO)
    assert timed.seconds > 0


def test_a_task_is_measured(group: Group) -> None:
    done = measured(double, cast("Backend", group.name), b"\x01" + bytes(31))
    assert done.result == group.multiply(GENERATOR, TWO)
    assert 0 < done.group_seconds <= done.seconds
    assert done.process == os.getpid()
    assert done.memory > 1 << 20


def test_a_workshop_notes_whose_time_it_was(group: Group) -> None:
    """Labels stay beside their results, and seconds go to the party that the label names."""
    taken = Measurements()
    workshop = TaskRunner(InProcess(), 2, cast("Backend", group.name), taken)
    items = [(code, bytes([number]) + bytes(31)) for number, code in enumerate(("SI", "RS", "SI"), start=1)]
    done = dict(workshop.do("doubling", lambda code: code, double, items))
    assert list(done) == ["SI", "RS"]
    assert set(taken.seconds["doubling"]) == {"SI", "RS"}
    assert 0 < taken.group_seconds["doubling"] <= sum(taken.seconds["doubling"].values())


def test_the_most_on_disk(tmp_path: Path) -> None:
    taken = Measurements()
    (tmp_path / "folder").mkdir()
    file = tmp_path / "folder" / "file"
    for size in (5, 9, 3):
        file.write_bytes(bytes(size))
        taken.look_at_disk(tmp_path)
    assert taken.disk == 9
