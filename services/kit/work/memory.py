"""What a process remembers and does not store: counts of events, costly results, and lists that are being read."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from aquila.interface.records import ReadingProgress
from aquila.matching.list_rows import KeptRows, ReadRows
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
    """The newest results by subject. Safe in threads; nothing is stored.

    Attributes:
        most: How large they may be together.
        size_of: Returns the size of one; each counts 1 if not given. One that is larger than all may be is not kept.
    """

    most: int = 8
    size_of: Callable[[R], int] = field(default=lambda _: 1, repr=False)
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
            if (size := self.size_of(made)) <= self.most:
                size += sum(self.size_of(one) for _, one in self._kept.values())
                while size > self.most:
                    size -= self.size_of(self._kept.pop(next(iter(self._kept)))[1])
                self._kept[subject] = version, made
        return made

    def forget(self, which: Callable[[str], bool]) -> None:
        """Forget the results for some subjects."""
        with self._lock:
            for subject in [*filter(which, self._kept)]:
                del self._kept[subject]


_ROWS_BYTES = 128 << 20
_MOST_OF_COLUMN = _ROWS_BYTES // 4 // KeptRows.BYTES_OF_ROW


class KeptColumns:
    """Token rows of columns, among which a few are looked for again and again: the newest ones. Safe in threads.

    They are read once, and again where the memory for them is used up; those of a long list each time.
    """

    def __init__(self) -> None:
        self._kept: KeptResults[KeptRows] = KeptResults(_ROWS_BYTES, lambda one: one.size)

    def of(self, round_id: str, place: str, count: int, read: Callable[[], Iterable[bytes]]) -> ReadRows:
        """Return the rows of a column, which do not change any more; raises as `read` does.

        Args:
            place: Its name within the round.
            count: How many rows it has.
            read: Reads them chunk by chunk.
        """
        if count > _MOST_OF_COLUMN:
            return ReadRows(read)
        return self._kept.get(f"{round_id} {place}", "", lambda: KeptRows(read()))

    def forget(self, which: Callable[[str], bool]) -> None:
        """Forget the columns of some rounds."""
        self._kept.forget(lambda subject: which(subject.partition(" ")[0]))


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
