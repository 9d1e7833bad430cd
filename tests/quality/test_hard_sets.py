"""Lists of another hand, and lists that are hard to match, are what they say."""

from __future__ import annotations

import pytest

from aquila.records.rules import load_rules
from clients.people.lists import common_lists
from tests.quality.measuring.bench import measure_set
from tests.quality.measuring.hard_sets import hard_sets


def test_hard_lists_are_what_they_say() -> None:
    """Most of the one have names that chance gives often; others share nearly every person, few, or none."""
    sets = {one.name: one for one in hard_sets(100, 2_000)}
    arabic, shared = sets["mostly Arabic, 5 x 100"], sets["95 of 100 shared, 2 x 100"]
    assert len(arabic.lists) == 5
    assert len(shared.same) == 95
    assert arabic.lists["RS"] != common_lists(100, 127).lists["RS"]
    assert {name: len(one.same) for name, one in sets.items() if "2,000" in name} == {
        "population, 2 x 2,000": 200, "1 of 1,000 shared, 2 x 2,000": 2, "strangers, 2 x 2,000": 0, "1 and 2,000": 0,
    }  # fmt: skip


@pytest.mark.soak
def test_hard_lists_keep_the_promises_of_their_levels() -> None:
    """Every level with 20 hits or more, of every list of `docs/MATCHING.md`; the long lists are shorter here."""
    table = load_rules("default")
    assert [sentence for one in hard_sets(5_000, 50_000) for sentence in measure_set(one, table).unkept] == []
