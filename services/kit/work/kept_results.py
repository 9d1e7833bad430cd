"""Results that cost much and are asked for again: the newest few, until what they were made from changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

R = TypeVar("R")


@dataclass(slots=True)
class KeptResults(Generic[R]):
    """The newest results by subject. Safe in threads; nothing is stored.

    Attributes:
        most: How many are kept.
    """

    most: int = 8
    _kept: dict[str, tuple[str, R]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def get(self, subject: str, version: str, make: Callable[[], R]) -> R:
        """Return the result for a subject, made now where none of this version is kept.

        Two callers at the same moment may both make it.

        Args:
            subject: What the result is about.
            version: What it is made from, such as a digest; with another version it is made again.
            make: Makes it.
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
