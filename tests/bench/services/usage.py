"""Processor time and memory of processes and of all that they start, looked at from outside."""

import contextlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Self

import psutil

_STATUS = "/proc/{}/status"
_PEAK = "VmHWM:"


class _ProcessId(NamedTuple):
    """A process for good: numbers are given again."""

    pid: int
    started: float


@dataclass(slots=True)
class _Spent:
    """The use of one process.

    Attributes:
        root: The name of the process that began it, or of itself.
        before: Processor seconds that it had used when this began.
        seconds: Processor seconds at the last look.
        peak: The most bytes that it has held in memory.
    """

    root: str
    is_root: bool
    before: float
    seconds: float = 0.0
    peak: int = 0


@dataclass(frozen=True, slots=True)
class ProcessUsage:
    """The cost of a process with all that it started.

    Attributes:
        peak_memory: The most bytes that the process itself held, in its life so far; pages that it shares count.
        worker_memory: The same of that of its descendants which held most; 0 without any.
    """

    processor_seconds: float
    peak_memory: int
    worker_memory: int


@dataclass(slots=True)
class UsageWatch:
    """Watches processes within a `with` block.

    What ended between two looks counts up to the look before. Time of the processes before the block does not count.

    Attributes:
        look_seconds: Seconds between two looks.
        peak_together: The most bytes that all of them held at one look; pages they share count for each.
    """

    roots: Mapping[str, int]
    look_seconds: float = 0.5
    peak_together: int = 0
    _found: dict[_ProcessId, _Spent] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin: what the processes have used so far is left out."""
        self._look(first=True)
        self._thread = threading.Thread(target=self._watch, name="usage", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look for the last time."""
        assert self._thread is not None
        self._ended.set()
        self._thread.join()
        self._look()

    def usage(self) -> dict[str, ProcessUsage]:
        """Return the cost of each watched process up to the last look."""
        found = {}
        for name in self.roots:
            mine = [one for one in self._found.values() if one.root == name]
            found[name] = ProcessUsage(
                round(sum(one.seconds - one.before for one in mine), 2),
                max((one.peak for one in mine if one.is_root), default=0),
                max((one.peak for one in mine if not one.is_root), default=0),
            )
        return found

    def look(self) -> float:
        """Look now, and return the processor seconds of all of them so far."""
        self._look()
        return self.processor_seconds()

    def processor_seconds(self) -> float:
        """Return the processor seconds of all of them up to the last look."""
        return round(sum(one.seconds - one.before for one in tuple(self._found.values())), 2)

    def _watch(self) -> None:
        while not self._ended.wait(self.look_seconds):
            self._look()

    def _look(self, *, first: bool = False) -> None:
        together = 0
        for name, pid in self.roots.items():
            with contextlib.suppress(psutil.Error):
                root = psutil.Process(pid)
                for one in (root, *root.children(recursive=True)):
                    with contextlib.suppress(psutil.Error):
                        together += self._look_at(one, name, is_root=one.pid == pid, first=first)
        self.peak_together = max(self.peak_together, together)

    def _look_at(self, process: psutil.Process, root: str, *, is_root: bool, first: bool) -> int:
        """Note what a process has used, and return the bytes that it holds now; raises psutil.Error if it ended."""
        with process.oneshot():
            times, held = process.cpu_times(), process.memory_info().rss
            key = _ProcessId(process.pid, process.create_time())
        seconds = times.user + times.system
        spent = self._found.setdefault(key, _Spent(root, is_root, seconds if first else 0.0))
        spent.seconds = seconds
        spent.peak = max(spent.peak, held, _peak_of(process.pid))
        return held


def _peak_of(pid: int) -> int:
    """Return the most bytes that a process has ever held in memory, where Linux knows it; else 0."""
    with contextlib.suppress(OSError):
        for line in Path(_STATUS.format(pid)).read_text("ascii", errors="replace").splitlines():
            if line.startswith(_PEAK):
                return int(line.split()[1]) << 10
    return 0
