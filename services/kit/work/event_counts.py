"""Counts of events since a service started, for its health and its metrics."""

from __future__ import annotations

import threading
from collections import Counter


class EventCounts:
    """Counts of events by name. Safe in threads.

    Names are constants of the code, such as the class of an error; none comes from a caller.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, name: str) -> None:
        """Count one event."""
        with self._lock:
            self._counts[name] += 1

    def of(self, name: str) -> int:
        """Return how many events of a name there were."""
        with self._lock:
            return self._counts[name]
