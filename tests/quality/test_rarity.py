"""How common names and dates of the generated populations are."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aquila.records.entropy import most_dates_of_persons
from aquila.records.rules import load_rules
from clients.people.invent import MOSTLY_ARABIC
from tests.quality.measuring.common_lists import GenerationSettings, common_lists
from tests.quality.measuring.dates_of_names import most_dates
from tests.quality.measuring.labelled_sets import LabelledSet
from tests.quality.measuring.set_files import NAMES_AND_DATE, region
from tests.quality.measuring.surest import ways_of
from tests.quality.populations import populated_lists
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


@pytest.mark.soak
def test_rare_names_are_right_more_often() -> None:
    made = populated_lists({"BA": 6_000, "RS": 6_000}, 81).only(NAMES_AND_DATE)
    ways = {way.names: way for way in ways_of(made, load_rules("default"), 0.01)}
    rare, usual = ways["name pair", "rare pair", "every name of two"], ways["name pair", "every name of two"]
    assert rare.precision > usual.precision
    assert sum(way.right for way in ways.values()) < 60
    assert rare.right + usual.right == pytest.approx(0.5 * 60, rel=0.2)


SETS = {
    "region": lambda: region(Path(__file__).parent / "region"),
    "mostly Arabic": lambda: common_lists(5_000, 127, ("BA", "RS"), GenerationSettings(cultures=MOSTLY_ARABIC)),
}


@pytest.mark.soak
@pytest.mark.parametrize("made", SETS.values(), ids=SETS)
def test_persons_are_not_refused(made: Callable[[], LabelledSet]) -> None:
    """The commonest name of each list has at most two thirds of the dates that it may have, in one year and in all."""
    table = load_rules("default")
    for records in made().lists.values():
        found, allowed = most_dates(records, table), most_dates_of_persons(len(records))
        assert all(3 * most <= 2 * bound for most, bound in zip(found, allowed, strict=True))
