"""Levels keep their promise on lists of unlike shapes, small; `make bench-quality` has all of them."""

import pytest

from aquila.records.rules import load_rules
from tests.quality.measuring.bench import measure_set
from tests.quality.measuring.shapes import Case, lists_of

TABLE = load_rules("default")


@pytest.mark.parametrize(
    ("case", "least"),
    [
        (Case("40 of 100 dates on 1 January", 4_000, 1), 0.70),
        (Case("40 of 100 dates on 1 January", 4_000, 30), 0.90),
        (Case("70 of 100 dates on 1 January", 4_000, 1), 0.65),
        (Case("70 of 100 dates on 1 January", 4_000, 30), 0.85),
        (Case("70 of 100 dates on 1 January", 4_000, 100), 0.93),
    ],
    ids=str,
)
def test_a_level_keeps_its_promise(case: Case, least: float) -> None:
    """As 1 January becomes usual it says less, however many persons are in common; the others are still found."""
    result = measure_set(lists_of(case), TABLE)
    assert result.unkept == ()
    assert result.measured.at_cuts["all"].recall >= least
