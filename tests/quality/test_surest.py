"""The surest agreements of names and a whole date, counted."""

import pytest

from aquila.records.rules import load_rules
from tests.quality.measuring.set_files import NAMES_AND_DATE
from tests.quality.measuring.surest import ways_of
from tests.quality.populations import populated_lists


def test_rare_names_are_right_more_often() -> None:
    made = populated_lists({"BA": 6_000, "RS": 6_000}, 81).only(NAMES_AND_DATE)
    ways = {way.names: way for way in ways_of(made, load_rules("default"), 0.01)}
    rare, usual = ways["name pair", "rare pair", "every name"], ways["name pair", "every name"]
    assert rare.precision > usual.precision
    assert sum(way.right for way in ways.values()) < 60
    assert rare.right + usual.right == pytest.approx(0.5 * 60, rel=0.2)
