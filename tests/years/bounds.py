"""The bounds of what a start, rest and an answer may cost, and the table of what costs more.

Processor time is judged, that of the database's server included, and not time on the clock, because other work on the
machine makes a service late. It makes it dearer too, as a slower machine does: so a start and an answer are divided by
the slowness of the yardstick.
"""

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

START_SECONDS = 5.0
"""Seconds of processor until a service is ready: the median of its starts."""

IDLE_PERCENT = 1.0
"""Of a core, while nothing happens."""

ANSWER_MILLISECONDS = 150.0
"""Of processor, for a page, or for an answer in JSON to a person: the median of several."""

WHOLE_BYTES = 100_000
"""An answer that is all that there is of a round, and not a part of a list, may cost that for each so many bytes."""


class Figure(NamedTuple):
    database: str
    service: str
    what: str
    value: float
    unit: str
    most: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has a bound and is above it."""
        return self.most is not None and self.value > self.most


def over_bounds(figures: Iterable[Figure]) -> list[Figure]:
    """Return the figures that are above their bounds, those first that are furthest above."""
    over = [one for one in figures if one.is_over]
    return sorted(over, key=lambda one: -one.value / one.most if one.most else -math.inf)


def table_of(figures: Iterable[Figure]) -> Iterator[str]:
    yield "| database | service | what | figure | at most |"
    yield "|---|---|---|---:|---:|"
    for one in figures:
        most = "" if one.most is None else f"{one.most:g}"
        yield f"| {one.database} | {one.service} | {one.what} | {one.value:.2f} {one.unit} | {most} |"
