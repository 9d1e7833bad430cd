"""What of a set is promised or asked and not kept."""

from dataclasses import replace

import pytest

from aquila.matching.certainty import Level
from aquila.records.rules import InputClass, load_rules
from tests.quality.measuring.bench import Results, SetResult, measure_set
from tests.quality.measuring.common_lists import common_lists, unrelated_lists
from tests.quality.measuring.measures import Counts, Measured


@pytest.fixture(scope="module")
def result() -> SetResult:
    labelled = common_lists(150, 1, ("BA", "RS"))
    return measure_set(replace(labelled, name="region, 5 x 5,000"), load_rules("default"))


def with_levels(result: SetResult, high: tuple[int, int], low: tuple[int, int]) -> SetResult:
    counts = {Level.HIGH: Counts(*high, 100), Level.MEDIUM: Counts(0, 0, 100), Level.LOW: Counts(*low, 100)}
    return replace(result, measured=Measured(counts))


def test_goals_that_are_reached_are_silent(result: SetResult) -> None:
    assert with_levels(result, (95, 0), (2, 1)).broken == ()


def test_a_missed_goal_is_said(result: SetResult) -> None:
    sentences = with_levels(result, (60, 0), (10, 0)).broken
    assert [sentence.partition(": ")[2] for sentence in sentences] == [
        "F1 is 0.8235, 0.93 is the goal",
        "recall at high is 0.6000, 0.66 is the goal",
    ]


def test_a_broken_promise_is_said(result: SetResult) -> None:
    assert "of the pairs called low, 0.333 are right" in with_levels(result, (95, 0), (10, 20)).broken[0]


def test_a_set_of_another_name_has_no_goal(result: SetResult) -> None:
    other = replace(result, labelled=replace(result.labelled, name="one's own"))
    assert with_levels(other, (10, 0), (0, 0)).broken == ()


def test_too_many_inputs_are_said(result: SetResult) -> None:
    for one in (with_levels(result, (95, 0), (0, 0)), measure_set(unrelated_lists(20, 1), load_rules("default"))):
        heavy = replace(one, per_record=dict.fromkeys(InputClass, 8.5))
        assert [sentence.partition(": ")[2] for sentence in heavy.broken] == ["25.50 inputs per record, 24 may be"]


def test_false_pairs_of_strangers_are_said(result: SetResult) -> None:
    strangers = replace(result, labelled=replace(result.labelled, same=frozenset()))
    broken = Results(load_rules("default"), [with_levels(strangers, (0, 21), (0, 290))]).broken
    assert ["21 false pairs at high" in broken[0], "311 false pairs at low" in broken[1]] == [True, True]
