"""Lists of another hand, and lists that are hard to match, are what they say."""

import pytest

from aquila.matching.certainty import Level
from aquila.records.rules import load_rules
from tests.quality.measuring.bench import measure_set
from tests.quality.measuring.common_lists import common_lists
from tests.quality.measuring.hard_sets import hard_sets


def test_hard_lists_are_what_they_say() -> None:
    """Most of the one have names that chance gives often; others share nearly every person, few, or none."""
    sets = {one.name: one for one in hard_sets(100, 2_000)}
    arabic, shared = sets["mostly Arabic, 5 x 100"], sets["95 of 100 shared, 2 x 100"]
    assert len(arabic.lists) == 5
    assert len(shared.same) == 95
    assert arabic.lists["RS"] != common_lists(100, 127).lists["RS"]
    assert {name: len(one.same) for name, one in sets.items() if "2,000" in name} == {
        "population, 2 x 2,000": 200,
        "1 of 1,000 shared, 2 x 2,000": 2,
        "strangers, 2 x 2,000": 0,
        "1 and 2,000": 0,
    }


@pytest.mark.soak
def test_levels_of_all_hard_lists_together_keep_their_promises() -> None:
    """Those of `docs/MATCHING.md`, of which the long ones are shorter here; a single level may break its own."""
    table = load_rules("default")
    found = [measure_set(one, table).measured.by_level for one in hard_sets(5_000, 50_000)]
    for level in Level:
        right, wrong = (sum(getattr(one[level], kind) for one in found) for kind in ("right", "wrong"))
        assert right / (right + wrong) >= level.least, level
