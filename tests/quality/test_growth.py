"""What longer lists would find is foreseen from shorter ones."""

from pathlib import Path

import pytest

from aquila.matching.certainty import Level
from aquila.records.rules import load_rules
from tests.quality.measuring.bench import measure_set
from tests.quality.measuring.growth import SHARES, Ways, count_ways, forecast
from tests.quality.measuring.set_files import NAMES_AND_DATE
from tests.quality.populations import populated_lists

PAGE = (Path(__file__).parents[2] / "docs" / "MATCHING.md").read_text("utf-8")


def test_persons_grow_with_the_lists_and_strangers_with_their_square() -> None:
    """A way that is nearly always right in short lists is so less often in long ones, and where few are common."""
    ways = Ways({1: (900, 0), 2: (100, 400)}, 1_000)
    measured = forecast(ways, 1.0)
    assert measured.by_level[Level.HIGH].recall == pytest.approx(0.9)
    assert measured.at_cuts["all"].right == 900
    longer = forecast(ways, 100.0)
    assert longer.by_level[Level.HIGH].right == 0
    assert longer.by_level[Level.MEDIUM].recall == pytest.approx(0.9)
    assert longer.by_level[Level.MEDIUM].wrong == 5_000
    assert forecast(ways, 100.0, 0.1).by_level[Level.LOW].recall == pytest.approx(0.9)


@pytest.mark.soak
def test_lists_four_times_as_long_find_what_was_foreseen() -> None:
    """At high somewhat less is foreseen than is found, because long lists have names that are rare; all is alike."""
    table = load_rules("default")
    short, long = (
        populated_lists({"BA": size, "RS": size}, seed).only(NAMES_AND_DATE)
        for size, seed in ((4_000, 71), (16_000, 72))
    )
    foreseen, measured = forecast(count_ways(short, table), 4.0).at_cuts, measure_set(long, table).measured.at_cuts
    assert -0.02 < measured["high"].recall - foreseen["high"].recall < 0.15
    assert foreseen["all"].recall == pytest.approx(measured["all"].recall, abs=0.1)


def test_the_page_states_the_table_of_the_command() -> None:
    """Three shares of common persons, and never more at high than at all levels."""
    rows = PAGE.split("<!-- foreseen: growth -->", 1)[1].split("<!-- end -->", 1)[0].strip().splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == [f"{share * 1_000:g} of 1,000" for share in SHARES]
    for row in rows:
        found = [float(cell) for cell in row.strip("|").split("|")[1::2]]
        assert found == sorted(found)
