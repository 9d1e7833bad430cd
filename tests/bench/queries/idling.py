"""The cost of services to which nothing happens."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from clients.local_services.processes import Process


@dataclass(frozen=True, slots=True)
class Idling:
    """The cost of one service over a while.

    Attributes:
        core_share: Its processor time as a share of one core, workers included.
        files_changed: Files of its home that have another size or time than before.
    """

    service: str
    seconds: int
    core_share: float
    bytes_written: int
    files_changed: int

    def document(self) -> dict[str, object]:
        return asdict(self)


def measure_idling(processes: Mapping[str, Process], settle_seconds: int, seconds: int) -> list[Idling]:
    """Watch services while nothing happens."""
    time.sleep(settle_seconds)
    before = {name: _Usage.of(process) for name, process in processes.items()}
    time.sleep(seconds)
    return [_spent(name, seconds, before[name], _Usage.of(process)) for name, process in processes.items()]


def processor_seconds(process: Process) -> float:
    """Return what a service has used of the processor, its workers included."""
    own = psutil.Process(process.pid)
    return sum(times.user + times.system for times in (one.cpu_times() for one in [own, *own.children(recursive=True)]))


@dataclass(frozen=True, slots=True)
class _Usage:
    processor_seconds: float
    bytes_written: int
    files: dict[str, tuple[int, int]]

    @classmethod
    def of(cls, process: Process) -> "_Usage":
        """Read the present figures of a service and of its home."""
        own = psutil.Process(process.pid)
        every = [own, *own.children(recursive=True)]
        return cls(
            processor_seconds(process), sum(one.io_counters().write_bytes for one in every), _files(process.home.path)
        )


def _files(home: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of every file; SQLite's memory for its readers has no content of its own."""
    found = (path for path in home.rglob("*") if path.is_file() and not path.name.endswith("-shm"))
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}


def _spent(name: str, seconds: int, before: _Usage, after: _Usage) -> Idling:
    changed = {path for path in {*before.files, *after.files} if before.files.get(path) != after.files.get(path)}
    share = (after.processor_seconds - before.processor_seconds) / seconds
    return Idling(name, seconds, round(share, 5), after.bytes_written - before.bytes_written, len(changed))
