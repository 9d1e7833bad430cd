"""Measurement of a step: processor time of one thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

_MICROSECONDS = 1e6


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
