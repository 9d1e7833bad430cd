"""Learning is what the formulas of schemas/records/match-rules.md say."""

import json
from pathlib import Path

import pytest

from aquila.matching.learning import ListPair, learn
from aquila.records.rules import mask_of, rules_of
from tests.support.written_learning import Learner, Table

TABLE = Path(__file__).parents[4] / "schemas" / "records" / "tables" / "default.json"
PATTERNS = {
    (1, 5, 6): 1_500,
    (5, 6): 120,
    (6,): 2_000,
    (6, 9, 10, 11, 12): 400,
    (9, 10): 90,
    (9, 10, 13): 60,
    (9, 20, 11, 14, 15): 80,
    (2,): 300,
    (3, 12): 25,
    (7, 15): 40,
    (8,): 12,
    (14, 15): 200,
    (16,): 30,
    (1, 2, 16): 45,
    (23,): 9,
    (24,): 6,
}


@pytest.mark.parametrize("sizes", [(5_000, 5_000), (6_000, 40_000), (3_000, 3_500)])
def test_two_lists(sizes: tuple[int, int]) -> None:
    """Every weight and the share, to the last hundredth of a bit and millionth."""
    content = json.loads(TABLE.read_text("utf-8"))
    table = Table(content)
    masks = [table.mask(rules, pairs) for rules, pairs in PATTERNS.items()]
    share, weights = Learner(table, masks, sizes).learn()
    found = learn(rules_of(content), ListPair({mask_of(rules): n for rules, n in PATTERNS.items()}, *sizes))
    assert dict(found.learned) == weights
    assert found.common_per_million == share
