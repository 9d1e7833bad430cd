"""Measurement: processor time of one thread for a step, a process of its own for memory."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import psutil

from aquila.errors import ExecutorError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_MICROSECONDS = 1e6
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class TimingSpread:
    """Microseconds of processor time per element, over the repeats."""

    median: float
    least: float
    most: float

    def __sub__(self, part: TimingSpread) -> TimingSpread:
        """Return the rest without a part that was measured by itself: figure by figure, so a sum of errors too."""
        return TimingSpread(
            round(self.median - part.median, 3), round(self.least - part.least, 3), round(self.most - part.most, 3)
        )

    def document(self) -> dict[str, float]:
        """Return it for JSON."""
        return {"median": self.median, "least": self.least, "most": self.most}


def measure(work: Callable[[], object], elements: int, repeats: int) -> TimingSpread:
    """Run a step several times in this thread.

    Processor time does not count what other processes take, only how they crowd caches and memory: `least` is the
    figure of a quiet machine.

    Args:
        work: The step, over a whole batch; it starts no thread.
        elements: How many elements the batch has.
        repeats: How often it counts.
    """
    work()  # the first run warms caches and is not counted
    spent = []
    for _ in range(repeats):
        started = time.thread_time()
        work()
        spent.append((time.thread_time() - started) * _MICROSECONDS / elements)
    return TimingSpread(*(round(value, 3) for value in (median(spent), min(spent), max(spent))))


@dataclass(frozen=True, slots=True)
class WatchedProcess:
    """Result of a command.

    Attributes:
        seconds: From its start to its end.
        peak_memory: The most bytes that its processes held in memory together; pages they share count for each.
        out: Its standard output.
    """

    seconds: float
    peak_memory: int
    out: str


def watch(command: Sequence[str]) -> WatchedProcess:
    """Run a command of ours, and look at the memory of all its processes meanwhile.

    Raises:
        ExecutorError: It failed; its last line says why.
    """
    started, peak = time.perf_counter(), 0
    with psutil.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while True:
            peak = max(peak, memory_of(process))
            try:
                out, said = process.communicate(timeout=_LOOK_SECONDS)
                break
            except subprocess.TimeoutExpired:
                continue
    if process.returncode:
        raise ExecutorError("measured_command_failed", said=(said.strip().splitlines() or ["it said nothing"])[-1])
    return WatchedProcess(round(time.perf_counter() - started, 3), peak, out)


def memory_of(process: psutil.Process) -> int:
    """Return the bytes that a process and its descendants hold in memory now."""
    held = 0
    try:
        for one in (process, *process.children(recursive=True)):
            try:
                held += one.memory_info().rss
            except psutil.Error:
                continue  # it ended while we looked
    except psutil.Error:
        return held
    return held
