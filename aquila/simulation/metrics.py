"""Measurements of a rehearsal: seconds by phase and party, elements, bytes, memory, disk; and its task runner."""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar, cast

from aquila.crypto.backend import Backend
from aquila.crypto.group import Group
from aquila.executors import group_of, labelled

Watch: TypeAlias = "Callable[[str, str, int, int], None]"
"""Is told of every step: phase, party, how many parts of it are done, and of how many."""

Item = TypeVar("Item")
Label = TypeVar("Label")
Result = TypeVar("Result")

_KIBIBYTE = 1 << 10


def without_measurement(_phase: str, _party: str, _done: int, _of: int) -> None:
    """Let the steps pass."""


def peak_memory() -> int:
    """Return the most memory that this process ever held, in bytes."""
    peak = getrusage(RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIBIBYTE  # macOS counts bytes, Linux KiB


@dataclass(slots=True)
class Measurements:
    """Measurements of one rehearsal."""

    clock: Callable[[], float] = time.thread_time
    """Seconds of processor time of this thread."""
    watch: Watch = without_measurement
    """Is told how far each phase of each party is."""
    seconds: dict[str, dict[str, float]] = field(default_factory=dict)
    """Processor seconds by phase and party, whichever process spent them."""
    group_seconds: dict[str, float] = field(default_factory=dict)
    """Of these, the seconds spent in the group, by phase."""
    elements: Counter[str] = field(default_factory=Counter)
    """Elements that each party submitted."""
    bytes_sent: Counter[str] = field(default_factory=Counter)
    """Elements, evaluations and tokens that each party sent; statements are not counted."""
    held_back: dict[str, dict[str, int]] = field(default_factory=dict)
    """For each party and rule, the records whose value too many others share."""
    memory: dict[int, int] = field(default_factory=dict)
    """The most memory that each process held, by process id."""
    disk: int = 0
    """The most bytes in the rehearsal's directory."""

    @contextmanager
    def phase(self, name: str, party: str) -> Iterator[None]:
        """Add the time that a block of this thread takes to a party's phase."""
        started = self.clock()
        yield
        self.add(name, party, self.clock() - started)

    def add(self, name: str, party: str, seconds: float) -> None:
        """Add seconds to a party's phase."""
        parties = self.seconds.setdefault(name, {})
        parties[party] = parties.get(party, 0.0) + seconds

    def move(self, name: str, to: str, party: str, seconds: float, group_seconds: float) -> None:
        """Take seconds, and those of them in the group, from a phase of a party to another phase of it."""
        self.add(name, party, -seconds)
        self.add(to, party, seconds)
        self.group_seconds[name] = self.group_seconds.get(name, 0.0) - group_seconds
        self.group_seconds[to] = self.group_seconds.get(to, 0.0) + group_seconds

    def look_at_disk(self, directory: Path) -> None:
        """Note how much lies in the directory now."""
        sizes = (path.stat().st_size for path in directory.rglob("*") if path.is_file())
        self.disk = max(self.disk, sum(sizes))

    @property
    def peak_memory(self) -> int:
        """The most memory of all processes together: the sum of what each ever held, this one included."""
        return sum((self.memory | {os.getpid(): peak_memory()}).values())


class TaskMeasurement(NamedTuple, Generic[Result]):
    """The result of a task, and its cost."""

    result: Result
    seconds: float
    group_seconds: float
    process: int
    memory: int


class TimedGroup:
    """A group whose operations are timed; it offers whatever the other one does."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        """Return an operation of the group that adds its time, or one of the group's other attributes."""
        attribute = getattr(self._group, name)
        return partial(self._timed, attribute) if callable(attribute) else attribute

    def _timed(self, operation: Callable[..., Result], *args: object, **kwargs: object) -> Result:
        started = time.thread_time()
        try:
            return operation(*args, **kwargs)
        finally:
            self.seconds += time.thread_time() - started


def measured(function: Callable[[Group, Item], Result], backend: Backend, item: Item) -> TaskMeasurement[Result]:
    """Do a task with the group of this process, and measure it."""
    started, group = time.thread_time(), TimedGroup(group_of(backend))
    result = function(cast("Group", group), item)
    return TaskMeasurement(result, time.thread_time() - started, group.seconds, os.getpid(), peak_memory())


@dataclass(frozen=True, slots=True)
class TaskRunner:
    """Runs and measures the tasks of a rehearsal."""

    executor: Executor
    """Of any kind."""
    workers: int
    """How many tasks it does at the same time."""
    backend: Backend
    """The group backend of its processes."""
    measured: Measurements
    """Takes the measurements."""

    def do(
        self,
        phase: str,
        whose: Callable[[Label], str],
        function: Callable[[Group, Item], Result],
        items: Iterable[tuple[Label, Item]],
        ahead: int = 0,
    ) -> Iterator[tuple[Label, Result]]:
        """Yield each label with its task's result, in order, with a bounded number of tasks in flight.

        Args:
            phase: What the time is noted under.
            whose: Returns the party that a label's time is noted under.
            function: The task.
            items: Labels, which stay here, and the arguments of the tasks.
            ahead: How many tasks are in flight at least, where more are needed to keep all workers busy.
        """
        call = partial(measured, function, self.backend)
        for label, done in labelled(self.executor, call, items, max(ahead, 2 * self.workers + 1)):
            self.measured.add(phase, whose(label), done.seconds)
            in_group = self.measured.group_seconds
            in_group[phase] = in_group.get(phase, 0.0) + done.group_seconds
            self.measured.memory[done.process] = max(done.memory, self.measured.memory.get(done.process, 0))
            yield label, done.result
