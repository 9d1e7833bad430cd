"""A floor under the quality of matching: a change of rules or normalizer that hurts the region's names is red here."""

from pathlib import Path

import pytest

from aquila.matching.certainty import Level
from aquila.records.rules import load_rules
from tests.quality.measuring.bench import SetResult, measure_set
from tests.quality.measuring.common_lists import unrelated_lists
from tests.quality.measuring.main import ALL_FIELDS
from tests.quality.measuring.set_files import NAMES_AND_DATE, region
from tests.quality.measuring.thresholds import GOALS, MOST_INPUTS

REGION = Path(__file__).parent / "region"


@pytest.fixture(scope="module", params=["names and date", "all fields"])
def result(request: pytest.FixtureRequest) -> SetResult:
    lists = region(REGION)
    if request.param == "all fields":
        return measure_set(lists.only(ALL_FIELDS, "region, all fields"), load_rules("default"))
    return measure_set(lists.only(NAMES_AND_DATE), load_rules("default"))


def test_f1(result: SetResult) -> None:
    assert result.measured.best_f1 >= GOALS[result.labelled.name].f1


def test_levels_keep_their_promise(result: SetResult) -> None:
    """Of the pairs of each level at least the promised share is right; no goal is missed."""
    assert result.broken == ()


def test_enough_is_found_at_high(result: SetResult) -> None:
    """A promise that is kept by saying little is worth little."""
    assert result.measured.by_level[Level.HIGH].recall >= GOALS["region, 5 x 5,000"].at_high


def test_records_give_few_inputs(result: SetResult) -> None:
    """On average and before padding: every input costs each party an evaluation."""
    assert sum(result.per_record.values()) <= MOST_INPUTS


def test_strangers_hardly_meet() -> None:
    found = measure_set(unrelated_lists(4_000, seed=5).only(NAMES_AND_DATE), load_rules("default"))
    assert found.measured.by_level[Level.HIGH].wrong == 0
    assert len(found.hits) <= 5
