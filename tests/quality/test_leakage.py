"""What lists tell the matcher, counted by hand."""

from dataclasses import replace

from tests.quality.measuring.leakage import list_leakage, rule_leakage
from tests.quality.measuring.plaintext_matching import send
from tests.support.counted import FIVE_RULES, RECORDS

TABLE = replace(FIVE_RULES, rules=tuple(rule for rule in FIVE_RULES.rules if "place" not in rule.name))


def test_tokens_of_a_rule() -> None:
    by_rule = {one.rule.name: one for one in rule_leakage([send(RECORDS, TABLE)], TABLE, RECORDS)}
    assert (by_rule["pair and year"].tokens, by_rule["pair and year"].shared) == (3, 0)
    assert (by_rule["pair"].tokens, by_rule["pair"].shared, by_rule["pair"].records) == (2, 1, 3)
    assert by_rule["document"].tokens == 1


def test_a_rule_has_its_guesses() -> None:
    """Guesses stand beside the tokens of the rule; of numbers nothing is known."""
    guesses = {one.rule.name: one.guesses for one in rule_leakage([send(RECORDS, TABLE)], TABLE, RECORDS)}
    assert guesses == {"pair and year": 60, "pair": 1, "document": None}


def test_lists_as_a_whole() -> None:
    told = list_leakage([send(RECORDS, TABLE)])
    assert (told.records, told.connected, told.largest) == (4, 3, 3)
    assert told.inputs == (1, 2.0, 3)
    assert (told.profiles, told.alone) == (3, 2)
    assert told.sizes == {8: 4}
