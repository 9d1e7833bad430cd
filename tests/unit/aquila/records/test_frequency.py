"""In how many records of a list a value may stand."""

from __future__ import annotations

from aquila.records.rules import DEFAULT_LIMIT, limits_of, load_rules

DEFAULT = load_rules("default")
COMMON, RARE = 10, 11  # the rules "every name" and "rare pair"


def test_a_rule_for_rare_values_has_a_lower_limit() -> None:
    """The round's limit holds for all rules; a rule for rare names has its own, lower one."""
    limits = limits_of(DEFAULT)
    assert limits.keys() == DEFAULT.by_number.keys()
    assert (limits[COMMON], limits[RARE]) == (DEFAULT_LIMIT, 1)


def test_a_round_may_set_a_lower_limit_than_a_rule() -> None:
    """The lower of the two counts."""
    assert set(limits_of(DEFAULT, 1).values()) == {1}
    assert limits_of(DEFAULT, 3)[COMMON] == 3
