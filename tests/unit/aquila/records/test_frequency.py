"""Values that too many of a party's own records share."""

from __future__ import annotations

import pytest

from aquila.records import frequency
from aquila.records.frequency import FrequencyLimit
from aquila.records.inputs import Input
from aquila.records.rules import load_rules

DEFAULT = load_rules("default")
COMMON, RARE = 11, 12  # the rules "every name" and "rare pair"


def noted(times: int, *, limit: int = 8) -> FrequencyLimit:
    """A count in which both rules met one value so many times, and another once."""
    counts = FrequencyLimit(DEFAULT, limit)
    for _record in range(times):
        counts.note([(COMMON, b"a"), (RARE, b"a")])
    counts.note([(COMMON, b"b"), (RARE, b"b")])
    return counts


@pytest.mark.parametrize(("times", "kept"), [(1, [11, 12]), (2, [11]), (8, [11]), (9, [])])
def test_a_value_is_held_back_under_its_rule(times: int, kept: list[int]) -> None:
    """The party's limit holds for all rules; a rule for rare names has its own, lower one."""
    held = noted(times).held_back()
    assert [rule for rule, _value in held.keep([Input(COMMON, b"a"), Input(RARE, b"a")])] == kept
    assert len(held.keep([Input(COMMON, b"b"), Input(RARE, b"b")])) == 2
    assert sum(held.by_rule.values()) == 2 - len(kept) == held.values
    assert len(held.keep([Input(COMMON, b"a"), Input(RARE, b"a")], count=False)) == len(kept)
    assert sum(held.by_rule.values()) == held.values, "a dummy's copy is left out and not counted"


def test_a_party_may_set_a_lower_limit_than_a_rule() -> None:
    """The lower of the two counts."""
    assert noted(3, limit=2).held_back().values == 2


def test_an_empty_list_holds_nothing_back() -> None:
    """There is nothing to count."""
    held = FrequencyLimit(DEFAULT).held_back()
    assert held.keep([Input(1, b"a")]) == (Input(1, b"a"),)
    assert repr(held) == "HeldBack(values=0)"


def test_counting_goes_on_after_it_was_asked() -> None:
    """More records may be noted."""
    counts = noted(8)
    assert counts.held_back().values == 1
    counts.note([(COMMON, b"a")])
    assert counts.held_back().values == 2


def test_many_inputs_are_counted_in_arrays() -> None:
    """More inputs than one array holds."""
    counts = FrequencyLimit(DEFAULT)
    inputs = [(COMMON, number.to_bytes(4, "big")) for number in range(200_000)]
    for _repeat in range(9):
        counts.note(inputs)
    assert counts.held_back().values == 200_000
    assert frequency._CHUNK < 9 * 200_000
