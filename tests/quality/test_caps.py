"""What a consent declares is enough for lists and queries, and the table of guesses by names is what was measured."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from aquila.protocol.submissions.caps import GUESSES_BY_NAMES, elements_for
from aquila.protocol.submissions.padding import INPUTS_PER_RECORD, padded_inputs
from aquila.records.person import Record
from aquila.records.rules import InputClass, load_rules
from aquila.simulation import DEFAULT_PADDING
from tests.quality.measuring.common_lists import common_lists
from tests.quality.measuring.guesses import guesses_by_names
from tests.quality.measuring.labelled_sets import LabelledSet
from tests.quality.measuring.plaintext_matching import send
from tests.quality.measuring.set_files import region


def not_split(labelled: LabelledSet) -> LabelledSet:
    lists = {
        party: [
            replace(one, given_names=(), family_names=(), full_name=" ".join((*one.given_names, *one.family_names)))
            for one in records
        ]
        for party, records in labelled.lists.items()
    }
    return replace(labelled, lists=lists)


REGION = Path(__file__).parent / "region"
TABLE = load_rules("default")
SETS: dict[str, Callable[[], LabelledSet]] = {
    "region, all fields": lambda: region(REGION),
    "region, names not split": lambda: not_split(region(REGION)),
    "4,000, all fields": lambda: common_lists(4_000, 31, ("BA", "RS")),
}
WHOLE = "region, all fields"
MARGIN = 1.09
QUERIES = 100


def needed(records: Sequence[Record]) -> dict[InputClass, NDArray[np.int64]]:
    """Return by class how many elements each record needs: padding has rules by place, dummies are like records."""
    inputs = send(records, TABLE).profiles()
    counts = inputs.sum(axis=1)
    padded = padded_inputs(counts, DEFAULT_PADDING)
    numbers = np.array(sorted(rule.number for rule in TABLE.rules))
    found = {}
    for kind in InputClass:
        rules = np.array([rule.number for rule in TABLE.rules if rule.input_class is kind])
        till = np.append(0, np.cumsum(np.isin(numbers[np.arange(INPUTS_PER_RECORD) % len(numbers)], rules)))
        found[kind] = inputs[:, rules].sum(axis=1) + till[padded] - till[counts]
    return found


@pytest.mark.parametrize(
    "made",
    [pytest.param(made, id=name, marks=[pytest.mark.soak] * (made is not SETS[WHOLE])) for name, made in SETS.items()],
)
def test_a_list_and_its_queries_fit(made: Callable[[], LabelledSet]) -> None:
    """With the default rules and padding, and 9 % to spare; a query of one person is a hundred records like it."""
    for records in made().lists.values():
        asked = Random(1).sample(range(len(records)), QUERIES)
        for kind, each in needed(records).items():
            listed, queried = (elements_for(DEFAULT_PADDING, *of).of(kind) for of in ((len(records), 0), (0, QUERIES)))
            assert MARGIN * each.sum() <= listed
            assert MARGIN * each[asked].sum() * DEFAULT_PADDING.records_multiple <= queried


def test_a_list_of_years_alone_needs_up_to_twice_the_elements() -> None:
    """Each year stands for twelve months under one rule, so an officer has to name more records than there are."""
    records = not_split(region(REGION)).lists["BG"]
    dates = (one.date_of_birth and replace(one.date_of_birth, month=None, day=None) for one in records)
    years = [replace(one, date_of_birth=born) for one, born in zip(records, dates, strict=True)]
    for kind, each in needed(years).items():
        listed = elements_for(DEFAULT_PADDING, len(years), 0).of(kind)
        assert each.sum() <= 2 * listed
        assert kind is not InputClass.PARTIAL or each.sum() > listed


def test_the_table_of_guesses_is_measured() -> None:
    """On the region's lists, for the cheapest coarse rule; the document shows the same numbers."""
    population = [record for records in region(REGION).lists.values() for record in records]
    assert guesses_by_names(TABLE, population, [percent for percent, _ in GUESSES_BY_NAMES]) == dict(GUESSES_BY_NAMES)
    page = (Path(__file__).parents[2] / "docs" / "MATCHING.md").read_text("utf-8")
    table = page.split("| records found, of 100 | guesses |")[1].split("<!-- end -->")[0]
    shown = re.findall(r"^\| (\d+) \| ([\d,]+) \|$", table, re.MULTILINE)
    assert [(int(percent), int(guesses.replace(",", ""))) for percent, guesses in shown] == list(GUESSES_BY_NAMES)
