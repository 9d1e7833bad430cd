"""The second generator makes what it says, the same each time."""

from collections import Counter

from aquila.records.rules import load_rules
from tests.quality.measuring.bench import measure_set
from tests.quality.measuring.set_files import NAMES_AND_DATE
from tests.quality.populations import Population, populated_lists, strangers
from tests.quality.populations.inventories import family_names, given_names

SIZES = {"BA": 400, "RS": 300}


def test_the_same_seed_gives_the_same_lists() -> None:
    one, again, other = (populated_lists(SIZES, seed) for seed in (1, 1, 2))
    assert one == again
    assert one.lists != other.lists


def test_lists_are_as_long_and_share_as_many_persons_as_was_said() -> None:
    made = populated_lists(SIZES, 3)
    assert {code: len(records) for code, records in made.lists.items()} == SIZES
    assert len(made.same) == 30
    assert strangers(50, 4).same == frozenset()


def test_names_are_thousands_and_few_are_usual() -> None:
    for culture in ("SRB", "BIH", "BGR", "MKD", "ROU", "ALB", "TUR", "HUN", "ARA"):
        families = family_names(culture)
        assert len(families.names) > 400
        first, last = families.sums[0], families.sums[-1] - families.sums[-2]
        assert first / last > 20
        assert first / families.sums[-1] < 0.1
        assert len(given_names(culture, "M").names) > 30


def test_persons_in_families_and_twice() -> None:
    alone, related = (
        Counter(
            record.family_names for record in populated_lists({"RS": 400}, 5, Population(related=share)).lists["RS"]
        )
        for share in (0.0, 0.9)
    )
    assert sum(count > 1 for count in related.values()) > sum(count > 1 for count in alone.values())
    assert len(populated_lists(SIZES, 6, Population(twice=0.9)).same) == 30


def test_brothers_and_sisters_in_the_other_list() -> None:
    """They bear one family name, and are not one person."""
    shared = []
    for share in (0.0, 0.9):
        made = populated_lists({"BA": 400, "RS": 400}, 8, Population(common=0, kin=share))
        assert not made.same
        one, other = ({record.family_names for record in made.lists[code]} for code in ("BA", "RS"))
        shared.append(len(one & other))
    assert shared[1] > shared[0] + 50


def test_levels_keep_their_promises_on_lists_of_another_hand() -> None:
    made = populated_lists({"BA": 3_000, "RS": 3_000}, 7).only(NAMES_AND_DATE)
    found = measure_set(made, load_rules("default"))
    assert found.unkept == ()
    assert found.measured.at_cuts["all"].recall > 0.7
