"""How certain it is that two records are one person."""

from __future__ import annotations

import pytest

from aquila.errors import InputError
from aquila.matching.certainty import Level, expected_chance_hits, grade, learn_share, level_of, prior_bits
from aquila.records.inputs import record_inputs
from aquila.records.person import PartialDate, Record
from aquila.records.rules import RuleTable, load_rules

DEFAULT = load_rules("default")


def mask(*names: str, table: RuleTable = DEFAULT) -> int:
    """The mask of rules by name."""
    numbers = {rule.name: rule.number for rule in table.rules}
    return sum(1 << (numbers[name] - 1) for name in names)


def met(one: Record, other: Record) -> int:
    """The mask of the rules that two records meet."""
    shared = set(record_inputs(one, DEFAULT)) & set(record_inputs(other, DEFAULT))
    return sum(1 << (rule - 1) for rule in {rule for rule, _value in shared})


def test_levels_are_ordered_by_their_promise() -> None:
    """Not by the alphabet."""
    assert Level.LOW < Level.MEDIUM < Level.HIGH
    assert Level.HIGH > Level.MEDIUM >= Level.MEDIUM
    assert Level.MEDIUM <= Level.MEDIUM
    assert max(Level) is Level.HIGH
    assert sorted(Level) == ["low", "medium", "high"]


@pytest.mark.parametrize(
    ("probability", "level"),
    [(0.99, "high"), (0.98, "medium"), (0.90, "medium"), (0.5, "low"), (0.49, None), (0.0, None)],
)
def test_a_probability_reaches_the_highest_level_it_can_keep(probability: float, level: str | None) -> None:
    """Thresholds are inclusive."""
    assert level_of(probability) == level


def test_one_person_in_two_scripts_is_a_hit_of_high_certainty() -> None:
    """Names and the whole date agree."""
    one = Record("1", ("Ана",), ("Илић",), date_of_birth=PartialDate(1980, 2, 3))
    other = Record("2", ("Ilic",), ("Ana",), date_of_birth=PartialDate(1980, 3, 2))
    result = grade(DEFAULT, met(one, other), 1000, 1000)
    assert result.level is Level.HIGH
    assert result.families == ("date", "names")
    assert "date of birth" in result.sentences[0]
    assert "rare pair" in result.rules


def test_dependent_rules_count_once() -> None:
    """A second rule on the same date and weaker names changes nothing."""
    alone = grade(DEFAULT, mask("similar pair and date"), 1000, 1000)
    both = grade(DEFAULT, mask("similar pair and date", "name, initial and date", "single name and date"), 1000, 1000)
    assert both.probability == alone.probability
    assert len(both.rules) == 3


def test_independent_families_add_up() -> None:
    """A telephone number lifts a name with a part of the date."""
    alone = grade(DEFAULT, mask("similar pair and known month"), 5000, 5000)
    both = grade(DEFAULT, mask("similar pair and known month", "telephone number"), 5000, 5000)
    assert both.probability > alone.probability
    assert both.level is Level.HIGH
    assert both.families == ("phone", "date", "names")


def test_names_without_a_whole_date_are_no_hit_in_long_lists() -> None:
    """As lists grow, chance makes such pairs, and a second, independent agreement is needed."""
    partial = mask("similar pair and known month", "similar pair", "name pair")
    assert grade(DEFAULT, partial, 1000, 1000).level is not None
    assert grade(DEFAULT, partial, 200_000, 200_000).level is None
    assert grade(DEFAULT, partial | mask("document number"), 200_000, 200_000).level is Level.HIGH


def test_longer_lists_make_every_pattern_less_certain() -> None:
    """The prior falls with the longer list, whichever it is."""
    pattern = mask("similar pair and date")
    sizes = [grade(DEFAULT, pattern, size, 10).probability for size in (10, 1000, 100_000, 10_000_000)]
    assert sizes == sorted(sizes, reverse=True)
    assert grade(DEFAULT, pattern, 10, 1000) == grade(DEFAULT, pattern, 1000, 10)


def test_weights_beyond_reason_stay_probabilities() -> None:
    """No overflow, and never more than one."""
    everything = sum(1 << (rule.number - 1) for rule in DEFAULT.rules)
    assert grade(DEFAULT, everything, 1, 1).probability <= 1


@pytest.mark.parametrize("pattern", [0, 1 << 40, 1 | 1 << 40, 1 << 64])
def test_a_mask_of_unknown_rules_is_refused(pattern: int) -> None:
    """Empty masks, and rules the table does not have."""
    with pytest.raises(InputError):
        grade(DEFAULT, pattern, 10, 10)


@pytest.mark.parametrize(("size", "share"), [(0, 0.1), (10, 0.0), (10, 1.5)])
def test_a_prior_needs_lists_and_a_share(size: int, share: float) -> None:
    """An empty list holds no pair."""
    with pytest.raises(InputError):
        prior_bits(size, 10, share)
    with pytest.raises(InputError):
        grade(DEFAULT, 1, size, 10, share)


STRONG = mask("similar pair and date", "name pair", "similar pair", "rare pair")
WEAK = mask("similar pair")


def test_the_share_is_learned_from_the_patterns() -> None:
    """Many strong agreements say that the lists hold the same persons."""
    assert learn_share(DEFAULT, {STRONG: 850, WEAK: 100}, 1000, 1000) == pytest.approx(0.85, abs=0.02)
    assert learn_share(DEFAULT, {STRONG: 10, WEAK: 100}, 1000, 1000) == pytest.approx(0.01, abs=0.005)


def test_the_share_has_bounds() -> None:
    """At least a tenth of what was expected, at most the whole smaller list."""
    assert learn_share(DEFAULT, {}, 1000, 500) == DEFAULT.expected_share / 10
    assert learn_share(DEFAULT, {STRONG: 2000}, 1000, 500) == 1.0


def test_a_learned_share_moves_the_level() -> None:
    """Lists that share most of their persons need less evidence."""
    pattern = mask("single name and date")
    assert grade(DEFAULT, pattern, 5000, 5000).level is None
    assert grade(DEFAULT, pattern, 5000, 5000, 1.0).level is not None


def test_learning_ends_before_it_settles_if_told_so() -> None:
    """One step goes part of the way."""
    patterns = {STRONG: 850, WEAK: 100}
    settled = learn_share(DEFAULT, patterns, 1000, 1000)
    assert DEFAULT.expected_share < learn_share(DEFAULT, patterns, 1000, 1000, steps=1) < settled
    assert learn_share(DEFAULT, patterns, 1000, 1000, steps=0) == DEFAULT.expected_share


def test_chance_hits_are_what_the_probabilities_admit() -> None:
    """Pairs below every level are no hits."""
    result = grade(DEFAULT, STRONG, 1000, 1000)
    expected = expected_chance_hits(DEFAULT, {STRONG: 10, WEAK: 100}, 1000, 1000)
    assert expected[Level.HIGH] == pytest.approx(10 * (1 - result.probability))
    assert expected[Level.LOW] == expected[Level.MEDIUM] == 0
