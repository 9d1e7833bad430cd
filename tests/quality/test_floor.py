"""A floor under the quality of matching: a change of rules or normalizer that hurts the region's names is red here."""

from pathlib import Path

import pytest

from aquila.matching.certainty import Level
from aquila.records.rules import load_rules
from tests.quality.measuring.bench import measure_set
from tests.quality.measuring.common_lists import unrelated_lists
from tests.quality.measuring.main import ALL_FIELDS
from tests.quality.measuring.set_files import NAMES_AND_DATE, region
from tests.quality.measuring.thresholds import GOALS, MOST_INPUTS

REGION = Path(__file__).parent / "region"


@pytest.mark.parametrize(("fields", "name"), [(NAMES_AND_DATE, ""), (ALL_FIELDS, "region, all fields")])
def test_the_region(fields: tuple[str, ...], name: str) -> None:
    """Of the pairs of each level at least the promised share is right, enough is found, and inputs are few."""
    lists = region(REGION)
    result = measure_set(lists.only(fields, name), load_rules("default"))
    assert result.measured.best_f1 >= GOALS[result.labelled.name].f1
    assert result.broken == ()
    # A promise that is kept by saying little is worth little.
    assert result.measured.by_level[Level.HIGH].recall >= GOALS["region, 5 x 5,000"].at_high
    # On average and before padding: every input costs each party an evaluation.
    assert sum(result.per_record.values()) <= MOST_INPUTS


def test_strangers_hardly_meet() -> None:
    found = measure_set(unrelated_lists(4_000, seed=5).only(NAMES_AND_DATE), load_rules("default"))
    assert found.measured.by_level[Level.HIGH].wrong == 0
    assert len(found.hits) <= 5
