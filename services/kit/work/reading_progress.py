"""Progress of the lists that this process reads now: the rows of each, under a key that its caller chose."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aquila.interface.records import ReadingProgress
from services.kit.errors import NotFoundError


@dataclass(slots=True)
class RowsRead:
    """Rows of one list that were read so far."""

    rows: int = 0


@dataclass(slots=True)
class ListsInProgress:
    """The lists that are read now. Nothing is stored: a process that ends reads none."""

    _reading: dict[str, RowsRead] = field(default_factory=dict)

    @contextmanager
    def reading(self, key: str | None) -> Iterator[RowsRead]:
        """Count the rows of one list under a key, as long as it is read; without a key nobody asks for them."""
        counted = RowsRead()
        if key is None:
            yield counted
            return
        self._reading[key] = counted
        try:
            yield counted
        finally:
            self._reading.pop(key, None)

    def find(self, key: str) -> ReadingProgress:
        """Return the progress of a list.

        Raises:
            NotFoundError: None is read under this key.
        """
        counted = self._reading.get(key)
        if counted is None:
            raise NotFoundError("list_not_being_read")
        return ReadingProgress(rows=counted.rows)
