"""What names and dates can make certain at most follows from how common they are."""

from pathlib import Path

import numpy as np
import pytest

from tests.quality.populations.rarity import Rarity, found_if_counted, found_if_known, most_found, rarity_of

PAGE = (Path(__file__).parents[2] / "docs" / "MATCHING.md").read_text("utf-8")


def test_names_that_few_bear_are_found() -> None:
    """Of two names, one is so rare that one stranger in a thousand pairs bears it, and one so common that ten do."""
    of = Rarity(np.array([[1e-6, 1e-6], [1e-2, 1e-2]]), 1e-4, 1e-4)
    assert of.strangers(10_000, 0.001, 1e-4) == pytest.approx([1e-3, 10.0])
    assert found_if_known(of, 10_000, 0.001) == 0.5
    assert found_if_known(of, 10_000, 0.1) == 0.5
    assert found_if_known(of, 100, 1.0) == 1.0
    assert found_if_counted(of, 10_000, 0.001, 1e-4) == pytest.approx(0.5)


def test_dates_in_either_order_agree_more_often() -> None:
    """Days up to the twelfth agree with another day of their year too: about a third more pairs of strangers."""
    of = rarity_of(10)
    assert 1.3 < of.any_order / of.whole < 1.42


def test_the_page_states_the_table() -> None:
    """Of lists of 200,000 with one of 1,000 in common half are certain to whoever knows how common names are."""
    written = PAGE.split("<!-- computed: rarity -->", 1)[1].split("<!-- end -->", 1)[0].strip()
    assert written == most_found().strip()
    of = rarity_of()
    assert found_if_known(of, 200_000, 0.001) == pytest.approx(0.52, abs=0.01)
    assert found_if_counted(of, 200_000, 0.001, of.any_order) == found_if_counted(of, 200_000, 0.001, of.whole) == 0
