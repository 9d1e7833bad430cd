"""What the matching has to reach: `make bench-quality` fails below it, set by set."""

from __future__ import annotations

from dataclasses import dataclass

from aquila.matching.certainty import Level

MOST_INPUTS = 16.0
"""Of each set: how many inputs a record may give on average, before padding."""

MOST_FALSE = {Level.HIGH: 20, Level.LOW: 300}
"""Of two unrelated lists of 200,000: how many false pairs there may be at high, and at all levels."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a set has to reach.

    Attributes:
        f1: F1 at the best of the three cuts.
        at_high: Recall of the pairs called high; 0 where nothing is asked.
    """

    f1: float
    at_high: float = 0.0


GOALS = {
    "FEBRL 4": Goal(0.951, 0.88),
    "region, 5 x 5,000": Goal(0.93, 0.66),
    "region, all fields": Goal(0.96),
    "aliases": Goal(0.853),
    "generated, 5 x 20,000": Goal(0.88),
}
"""The goals by the names of the sets; a set of another name has only the promises of its levels to keep."""
