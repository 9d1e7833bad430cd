"""What a process remembers and does not store: counts of events, costly results, and lists that are being read."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from aquila.interface.records import ReadingProgress
from services.kit.errors import NotFoundError


class EventCounts:
    """Counts of events by name. Safe in threads.

    Names are constants of the code, such as the class of an error; none comes from a caller.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, name: str) -> None:
        with self._lock:
            self._counts[name] += 1

    def of(self, name: str) -> int:
        with self._lock:
            return self._counts[name]


R = TypeVar("R")


@dataclass(slots=True)
class KeptResults(Generic[R]):
    """The newest results by subject. Safe in threads; nothing is stored."""

    most: int = 8
    _kept: dict[str, tuple[str, R]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def get(self, subject: str, version: str, make: Callable[[], R]) -> R:
        """Return the result for a subject, made now unless one of this version, such as a digest, is kept.

        Two callers at the same moment may both make it.
        """
        with self._lock:
            found = self._kept.pop(subject, None)
            if found is not None and found[0] == version:
                self._kept[subject] = found  # the newest now
                return found[1]
        made = make()
        with self._lock:
            self._kept.pop(subject, None)
            self._kept[subject] = version, made
            while len(self._kept) > self.most:
                del self._kept[next(iter(self._kept))]
        return made


PATIENCE = 30.0
"""Seconds after which nobody waits for a list any more, if nobody has asked for its progress since."""


@dataclass(slots=True)
class RowsRead:
    """Rows of one list that were read so far, and when somebody asked for them last."""

    asked_at: float = 0.0
    rows: int = 0


@dataclass(slots=True)
class ListsInProgress:
    """The lists that are read now. Nothing is stored: a process that ends reads none."""

    clock: Callable[[], float] = time.monotonic
    _reading: dict[str, RowsRead] = field(default_factory=dict)

    @contextmanager
    def reading(self, key: str | None) -> Iterator[RowsRead]:
        """Count the rows of one list under a key, as long as it is read; without a key nobody asks for them."""
        counted = RowsRead(self.clock())
        if key is None:
            yield counted
            return
        self._reading[key] = counted
        try:
            yield counted
        finally:
            self._reading.pop(key, None)

    def find(self, key: str) -> ReadingProgress:
        """Return the progress of a list; raises NotFoundError if none is read under this key."""
        counted = self._reading.get(key)
        if counted is None:
            raise NotFoundError("list_not_being_read")
        counted.asked_at = self.clock()
        return ReadingProgress(rows=counted.rows)

    def is_forgotten(self, key: str | None) -> bool:
        """Return whether a list is read under a key and nobody has asked for its progress for long."""
        counted = self._reading.get(key or "")
        return counted is not None and self.clock() - counted.asked_at > PATIENCE
