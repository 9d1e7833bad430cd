"""Precision, recall and F1 of hits, by level, at the three cuts and by likelihood; whether probabilities are true."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from aquila.matching.certainty import Level
from tests.quality.measuring.grading import Hit
from tests.quality.measuring.labelled_sets import LabelledSet, Pair

LEVELS = (Level.HIGH, Level.MEDIUM, Level.LOW)
CUTS = ("high", "high and medium", "all")
FEWEST_PAIRS = 20
"""Fewer pairs of a level say nothing about its promise."""
PRECISIONS = (0.99, 0.95)
"""Where the recall of pairs by likelihood is read."""


@dataclass(frozen=True, slots=True)
class Counts:
    right: int
    wrong: int
    persons: int

    @property
    def precision(self) -> float:
        """The share of the pairs that is right; 1 where there is none."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """The share of the common persons that was found."""
        return self.right / self.persons if self.persons else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.right / (self.right + self.wrong + self.persons) if self.right else 0.0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.right + other.right, self.wrong + other.wrong, self.persons)


@dataclass(frozen=True, slots=True)
class Measured:
    """What hits are worth on a labelled set."""

    by_level: dict[Level, Counts]

    @property
    def at_cuts(self) -> dict[str, Counts]:
        """Counts of `CUTS`: of a level and those above it."""
        high, medium, low = (self.by_level[level] for level in LEVELS)
        return dict(zip(CUTS, (high, high + medium, high + medium + low), strict=True))

    @property
    def best_f1(self) -> float:
        return max(counts.f1 for counts in self.at_cuts.values())

    @property
    def unkept(self) -> dict[Level, Counts]:
        """The levels that are right less often than they promise, where the pairs are enough to say so."""
        return {
            level: counts
            for level, counts in self.by_level.items()
            if counts.right + counts.wrong >= FEWEST_PAIRS and counts.precision < level.least
        }


def measure(hits: Iterable[Hit], labelled: LabelledSet) -> Measured:
    """Count right and wrong hits of each level; pairs of which nobody knows anything are left out."""
    right, wrong = dict.fromkeys(Level, 0), dict.fromkeys(Level, 0)
    for hit in hits:
        if hit.pair in labelled.same:
            right[hit.level] += 1
        elif labelled.judged is None or hit.pair in labelled.judged:
            wrong[hit.level] += 1
    persons = len(labelled.same)
    return Measured({level: Counts(right[level], wrong[level], persons) for level in Level})


@dataclass(frozen=True, slots=True)
class Ranked:
    """Pairs in the order of their likelihood, cut where the labels say that it is best.

    Attributes:
        best: Counts at the threshold of the highest F1.
        recall_at: The highest recall at each of `PRECISIONS`; 0 where no threshold reaches it.
    """

    best: Counts
    recall_at: dict[float, float]


def rank(pairs: Iterable[tuple[Pair, float]], labelled: LabelledSet) -> Ranked:
    """Cut pairs at each likelihood; pairs whose truth is unknown are left out."""
    right, wrong, persons = 0, 0, len(labelled.same)
    best, recall_at = Counts(0, 0, persons), dict.fromkeys(PRECISIONS, 0.0)
    ordered = sorted(pairs, key=lambda pair: -pair[1])
    for place, (pair, likelihood) in enumerate(ordered):
        if pair in labelled.same:
            right += 1
        elif labelled.judged is None or pair in labelled.judged:
            wrong += 1
        if place + 1 == len(ordered) or ordered[place + 1][1] < likelihood:
            counts = Counts(right, wrong, persons)
            best = max(best, counts, key=lambda one: one.f1)
            for precision in PRECISIONS:
                if counts.precision >= precision:
                    recall_at[precision] = max(recall_at[precision], counts.recall)
    return Ranked(best, recall_at)


@dataclass(frozen=True, slots=True)
class Bin:
    """Hits of like probability: what was said on average, and what was right."""

    said: float
    right: int
    count: int

    @property
    def share(self) -> float:
        return self.right / self.count


BOUNDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9999, 1.0)


def calibration(hits: Sequence[Hit], labelled: LabelledSet, bounds: Sequence[float] = BOUNDS) -> list[Bin]:
    """Compare what the probabilities say with what is right, in bins of probability; empty bins are left out."""
    judged = [hit for hit in hits if labelled.judged is None or hit.pair in labelled.judged]
    bins = []
    for low, high in pairwise(bounds):
        last = high == bounds[-1]
        found = [hit for hit in judged if low <= hit.probability < high or (last and hit.probability >= high)]
        if found:
            said = sum(hit.probability for hit in found) / len(found)
            bins.append(Bin(said, sum(hit.pair in labelled.same for hit in found), len(found)))
    return bins
