"""Precision, recall, F1 and calibration, by hand."""

from dataclasses import replace

import pytest

from aquila.matching.certainty import Level
from tests.quality.measuring.grading import Hit
from tests.quality.measuring.labelled_sets import LabelledSet, Pair
from tests.quality.measuring.measures import Counts, calibration, measure, rank


def pair(number: int) -> Pair:
    return Pair("AA", str(number), "BB", str(number))


def hit(number: int, level: Level, probability: float) -> Hit:
    return Hit(pair(number), level, probability, 1)


LABELLED = LabelledSet("four", {"AA": [], "BB": []}, frozenset(map(pair, range(4))))
HITS = [
    hit(0, Level.HIGH, 0.995),
    hit(1, Level.HIGH, 0.995),
    hit(2, Level.MEDIUM, 0.95),
    hit(9, Level.MEDIUM, 0.95),
    hit(8, Level.LOW, 0.6),
]


def test_levels_and_cuts() -> None:
    measured = measure(HITS, LABELLED)
    assert measured.by_level[Level.HIGH] == Counts(2, 0, 4)
    assert measured.by_level[Level.MEDIUM] == Counts(1, 1, 4)
    assert measured.at_cuts["all"] == Counts(3, 2, 4)
    assert measured.at_cuts["high"].f1 == pytest.approx(2 * 2 / (2 + 4))
    assert measured.best_f1 == pytest.approx(2 * 3 / (4 + 4))
    assert not measured.unkept  # five pairs say nothing about a promise


def test_what_nobody_judged_does_not_count() -> None:
    judged = LabelledSet("some", LABELLED.lists, LABELLED.same, LABELLED.same | {pair(9)})
    assert measure(HITS, judged).at_cuts["all"] == Counts(3, 1, 4)


def test_nothing_found_is_no_division_by_zero() -> None:
    measured = measure([], LABELLED)
    assert measured.best_f1 == 0.0
    assert measured.unkept == {}


def test_pairs_by_likelihood() -> None:
    """A threshold takes all pairs of its likelihood; the highest recall counts that reaches a precision."""
    ranked = rank([(pair(9), 0.5), (pair(0), 0.9), (pair(1), 0.9), (pair(2), 0.5), (pair(3), 0.4)], LABELLED)
    assert ranked.best == Counts(4, 1, 4)
    assert ranked.recall_at == {0.99: 0.5, 0.95: 0.5}
    assert rank([(pair(9), 0.9), (pair(0), 0.8)], LABELLED).recall_at == {0.99: 0.0, 0.95: 0.0}
    assert rank([(pair(9), 0.9), (pair(0), 0.8)], replace(LABELLED, judged=LABELLED.same)).recall_at[0.99] == 0.25


def test_calibration_bins() -> None:
    """What was said stands beside what was right; certainty itself is in the last bin."""
    bins = calibration([*HITS, hit(3, Level.HIGH, 1.0)], LABELLED)
    assert [(one.right, one.count) for one in bins] == [(0, 1), (1, 2), (2, 2), (1, 1)]
    assert bins[1].said == pytest.approx(0.95)
    assert bins[1].share == 0.5
