"""Lists of persons stay far below the bounds on the dates of birth of one name."""

from collections.abc import Callable
from pathlib import Path

import pytest

from aquila.records.entropy import most_dates_of_persons
from aquila.records.rules import load_rules
from clients.people.invent import MOSTLY_ARABIC
from tests.quality.measuring.common_lists import GenerationSettings, common_lists
from tests.quality.measuring.dates_of_names import most_dates
from tests.quality.measuring.labelled_sets import LabelledSet
from tests.quality.measuring.set_files import region

SETS = {
    "region": lambda: region(Path(__file__).parent / "region"),
    "mostly Arabic": lambda: common_lists(5_000, 127, ("BA", "RS"), GenerationSettings(cultures=MOSTLY_ARABIC)),
}


@pytest.mark.parametrize("made", SETS.values(), ids=SETS)
def test_persons_are_not_refused(made: Callable[[], LabelledSet]) -> None:
    """The commonest name of each list has at most two thirds of the dates that it may have, in one year and in all."""
    table = load_rules("default")
    for records in made().lists.values():
        found, allowed = most_dates(records, table), most_dates_of_persons(len(records))
        assert all(3 * most <= 2 * bound for most, bound in zip(found, allowed, strict=True))
