"""How many hits the sizes explain, and when there are far too many."""

from math import exp

import pytest

from aquila.errors import InputError
from aquila.matching.hit_rate import LEAST_HITS, expected_hits, fewest_persons, is_alarming, poisson_tail


def test_the_smaller_list_bounds_what_is_expected() -> None:
    """A grid of a million against a list of ten thousand explains no more than ten thousand do."""
    assert expected_hits(30_000, 100, 10_000) == expected_hits(30_000, 10_000, 100) == pytest.approx(3)
    assert expected_hits(30_000, 5, 10_000) == 1
    for sizes in ((0, 1, 1), (1, 0, 1), (1, 1, 0)):
        with pytest.raises(InputError):
            expected_hits(*sizes)


@pytest.mark.parametrize(("records", "multiple", "persons"), [(100, 100, 1), (200, 100, 101), (7, 1, 7), (10, 100, 1)])
def test_padding_asks_for_nobody(records: int, multiple: int, persons: int) -> None:
    assert fewest_persons(records, multiple) == persons


@pytest.mark.parametrize(("hits", "expected"), [(0, 2.0), (1, 0.5), (3, 1.0), (20, 3.0), (400, 30.0)])
def test_the_tail_is_that_of_a_poisson_distribution(hits: int, expected: float) -> None:
    below, term = 0.0, exp(-expected)
    for number in range(hits):
        below += term
        term *= expected / (number + 1)
    assert poisson_tail(hits, expected) == pytest.approx(1 - below, abs=1e-9)


@pytest.mark.parametrize(
    ("hits", "expected", "alarming"),
    [
        (LEAST_HITS - 1, 0.01, False),
        (LEAST_HITS, 0.5, True),
        (20, 3.0, True),
        (12, 3.0, False),
        (300, 300.0, False),
        (420, 300.0, True),
        (250, 300.0, False),
    ],
)
def test_alarm(hits: int, expected: float, alarming: bool) -> None:
    """A case of a few persons raises none, as many as persons explain raise none, far more do."""
    assert is_alarming(hits, expected) is alarming
