"""What a consent declares is enough for lists and queries, and the table of guesses by names is what was measured."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from aquila.protocol.submissions.caps import GUESSES_BY_NAMES, elements_for
from aquila.protocol.submissions.padding import INPUTS_PER_RECORD, padded_inputs
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
    "8,000, all fields": lambda: common_lists(8_000, 31, ("BA", "RS")),
}
MARGIN = 1.09
QUERIES = 100


@pytest.mark.parametrize("made", SETS.values(), ids=SETS)
def test_a_list_and_its_queries_fit(made: Callable[[], LabelledSet]) -> None:
    """With the default rules and padding, and 9 % to spare; a query of one person is a hundred records like it."""
    by_class = {
        kind: np.array([rule.number for rule in TABLE.rules if rule.input_class is kind]) for kind in InputClass
    }
    numbers = np.array(sorted(rule.number for rule in TABLE.rules))
    for records in made().lists.values():
        inputs = send(records, TABLE).profiles()
        counts = inputs.sum(axis=1)
        padding = padded_inputs(counts, DEFAULT_PADDING) - counts
        asked = Random(1).sample(range(len(records)), QUERIES)
        for kind, rules in by_class.items():
            # Padding inputs have rules by their places, and dummies copy real records.
            till = np.append(0, np.cumsum(np.isin(numbers[np.arange(INPUTS_PER_RECORD) % len(numbers)], rules)))
            each = inputs[:, rules].sum(axis=1) + till[counts + padding] - till[counts]
            listed, queried = (elements_for(DEFAULT_PADDING, *of).of(kind) for of in ((len(records), 0), (0, QUERIES)))
            assert MARGIN * each.sum() <= listed
            assert MARGIN * each[asked].sum() * DEFAULT_PADDING.records_multiple <= queried


def test_the_table_of_guesses_is_measured() -> None:
    """On the region's lists, for the cheapest coarse rule; the document shows the same numbers."""
    population = [record for records in region(REGION).lists.values() for record in records]
    assert guesses_by_names(TABLE, population, [percent for percent, _ in GUESSES_BY_NAMES]) == dict(GUESSES_BY_NAMES)
    page = (Path(__file__).parents[2] / "docs" / "MATCHING.md").read_text("utf-8")
    table = page.split("| records found, of 100 | guesses |")[1].split("<!-- end -->")[0]
    shown = re.findall(r"^\| (\d+) \| ([\d,]+) \|$", table, re.MULTILINE)
    assert [(int(percent), int(guesses.replace(",", ""))) for percent, guesses in shown] == list(GUESSES_BY_NAMES)
