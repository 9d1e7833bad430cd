"""Lists that do not keep all promises are what they say."""

from __future__ import annotations

from clients.people.lists import common_lists
from tests.quality.measuring.hard_sets import hard_sets


def test_hard_lists_are_of_one_culture_or_nearly_the_same() -> None:
    """Most of the one have names that chance gives often; the others share nearly every person."""
    arabic, shared = hard_sets(100)
    assert len(arabic.lists) == 5
    assert len(shared.same) == 95
    assert arabic.lists["RS"] != common_lists(100, 127).lists["RS"]
