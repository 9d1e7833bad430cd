"""A command in a process of its own, whose memory is watched."""

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from aquila.errors import ExecutorError
from aquila.sentences import quoted

_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class WatchedProcess:
    """Result of a command.

    Attributes:
        peak_memory: The most bytes that its processes held in memory together; pages they share count for each.
    """

    seconds: float
    peak_memory: int
    out: str


def watch(command: Sequence[str]) -> WatchedProcess:
    """Run a command of ours, and look at the memory of all its processes meanwhile."""
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
        last = (said.strip().splitlines() or ["it said nothing"])[-1]
        raise ExecutorError(quoted(f"a measured command failed: {last}"))
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
