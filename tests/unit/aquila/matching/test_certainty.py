"""How certain it is that two records are one person."""

import pytest

from aquila.errors import InputError
from aquila.matching.certainty import (
    GradingBasis,
    Level,
    agreement_of_names,
    expected_chance_hits,
    grade,
    grade_on,
    level_of,
    lift_of,
    log2_centibits,
    missing_families,
    prior,
    rules_of,
)
from aquila.records.inputs import record_inputs
from aquila.records.person import PartialDate, Record
from aquila.records.rules import RuleTable, load_rules, parse_rules

DEFAULT = load_rules("default")
EXACT = load_rules("exact")


def mask(*names: str, table: RuleTable = DEFAULT) -> int:
    numbers = {rule.name: rule.number for rule in table.rules}
    return sum(1 << (numbers[name] - 1) for name in names)


def met(one: Record, other: Record) -> int:
    shared = set(record_inputs(one, DEFAULT)) & set(record_inputs(other, DEFAULT))
    return sum(1 << (rule - 1) for rule in {rule for rule, _value in shared})


def test_levels_are_ordered_by_their_promise() -> None:
    assert Level.LOW < Level.MEDIUM < Level.HIGH
    assert Level.HIGH > Level.MEDIUM >= Level.MEDIUM
    assert Level.MEDIUM <= Level.MEDIUM
    assert max(Level) is Level.HIGH
    assert sorted(Level) == ["low", "medium", "high"]


BOUNDS = [(663, "high"), (662, "medium"), (317, "medium"), (316, "low"), (0, "low"), (-1, None)]


@pytest.mark.parametrize(("centibits", "level"), BOUNDS)
def test_the_level_at_each_bound_and_one_centibit_below(centibits: int, level: str | None) -> None:
    """The odds are the evidence alone between two lists of one record that hold the same person."""
    table = parse_rules(ONE_PART.format(bits=f"{centibits / 100:.2f}"))
    assert grade(table, 1, 1, 1, 1_000_000).centibits == centibits
    assert grade(table, 1, 1, 1, 1_000_000).level == level_of(centibits) == level


def test_bounds_are_odds_rounded_up() -> None:
    """Of one centibit less, the probability is below the promise."""
    for level, odds in [(Level.HIGH, 99), (Level.MEDIUM, 9), (Level.LOW, 1)]:
        assert 2 ** (level.centibits - 1) < odds**100 <= 2**level.centibits
        assert odds / (odds + 1) == level.least


ONE_PART = """
name = "one part"
version = 1
expected_share = 0.03
families = {{ phone = "phone" }}
parts.number = {{ reads = "phone", family = "phone", bits = {bits}, sentence = "a number agrees" }}
[[rules]]
number = 1
name = "number"
input_class = "full"
parts = ["number"]
sentence = "A number agrees."
"""


@pytest.mark.parametrize(
    ("over", "under", "found"),
    [
        *[(1, 1, 0), (2, 1, 100), (1, 2, -100), (3, 1, 158), (1, 3, -159), (3, 2, 58), (10, 1, 332), (1, 10, -333)],
        *[(1 << 70, 1, 7000), ((1 << 70) - 1, 1, 6999), (1, (1 << 70) - 1, -7000), (1, 1 << 70, -7000)],
    ],
)
def test_logarithms_are_rounded_down_to_hundredths(over: int, under: int, found: int) -> None:
    assert log2_centibits(over, under) == found


def test_a_grade_by_hand() -> None:
    """The example of PROTOCOL.md 7.5: prior, weights and lift, each from whole numbers."""
    pattern = mask("similar pair and known month")
    learned = (("known month", -120), ("names: similar pair + origin: silent", 85))
    basis = GradingBasis(4000, 5000, 250_000, 10_000, 3000, learned)
    assert prior(4000, 5000, 250_000) == -1429
    assert lift_of(basis) == 332
    first, second = (grade_on(DEFAULT, pattern, basis, second=second) for second in (False, True))
    assert (first.centibits, first.level) == (-1429 + 570 + 960 - 120 + 85 + 332, Level.MEDIUM)
    assert (second.centibits, second.level) == (-1894 + 570 + 960 - 120 + 85, None)


def test_one_person_in_two_scripts_is_a_hit_of_high_certainty() -> None:
    one = Record("1", ("Ана",), ("Илић",), date_of_birth=PartialDate(1980, 2, 3))
    other = Record("2", ("Ilic",), ("Ana",), date_of_birth=PartialDate(1980, 3, 2))
    result = grade(DEFAULT, met(one, other), 1000, 1000)
    assert result.level is Level.HIGH
    assert result.families == ("date", "names", "rarity", "whole")
    assert "date of birth" in result.sentences[0]
    assert "rare pair" in result.rules


def test_dependent_rules_count_once() -> None:
    alone = grade(DEFAULT, mask("name, initial and date"), 1000, 1000)
    both = grade(DEFAULT, mask("name, initial and date", "single beginning and date"), 1000, 1000)
    assert both.centibits == alone.centibits
    assert len(both.rules) == 2


def test_independent_families_add_up() -> None:
    alone = grade(DEFAULT, mask("similar pair and known month"), 5000, 5000)
    both = grade(DEFAULT, mask("similar pair and known month", "telephone number"), 5000, 5000)
    assert both.centibits > alone.centibits
    assert both.level is Level.HIGH
    assert both.families == ("phone", "date", "names")


def test_names_without_a_whole_date_are_no_hit_in_long_lists() -> None:
    """As lists grow, chance makes such pairs, and a second, independent agreement is needed."""
    partial = mask("similar pair and known month", "every name of two", "name pair")
    assert grade(DEFAULT, partial, 1000, 1000).level is not None
    assert grade(DEFAULT, partial, 200_000, 200_000).level is None
    assert grade(DEFAULT, partial | mask("document number"), 200_000, 200_000).level is Level.HIGH


def test_longer_lists_make_every_pattern_less_certain() -> None:
    pattern = mask("name, initial and date", "name pair")
    sizes = [grade(DEFAULT, pattern, size, 10).centibits for size in (10, 1000, 100_000, 10_000_000)]
    assert sizes == sorted(sizes, reverse=True)
    assert grade(DEFAULT, pattern, 10, 1000) == grade(DEFAULT, pattern, 1000, 10)


def test_weights_beyond_reason_stay_probabilities() -> None:
    everything = sum(1 << (rule.number - 1) for rule in DEFAULT.rules)
    assert 0.999 < grade(DEFAULT, everything, 1, 1).probability <= 1
    far = GradingBasis(1, 1, 1, 1, 0, (("whole date", -100_000),))
    assert 0 < grade_on(DEFAULT, mask("name, initial and date"), far).probability < 1e-99


@pytest.mark.parametrize("pattern", [0, 1 << 40, 1 | 1 << 40, 1 << 64])
def test_a_mask_of_unknown_rules_is_refused(pattern: int) -> None:
    with pytest.raises(InputError):
        grade(DEFAULT, pattern, 10, 10)


@pytest.mark.parametrize(("size", "share"), [(0, 100_000), (10, 0), (10, 1_500_000)])
def test_a_prior_needs_lists_and_a_share(size: int, share: int) -> None:
    with pytest.raises(InputError):
        prior(size, 10, share)
    with pytest.raises(InputError):
        grade(DEFAULT, 1, size, 10, share)


STRONG = mask("name, initial and date", "name pair", "every name of two", "rare pair")
WEAK = mask("every name of two")


def missing_of(*rules: str) -> list[str]:
    found = missing_families(DEFAULT, rules_of(DEFAULT, mask(*rules)))
    return [family for family in found if family in {"names", "origin"}]


def test_names_in_one_spelling_sound_alike() -> None:
    """A rule on names that sound alike would have shown a date: names that agree in spelling show that it differs."""
    assert "date" in missing_families(DEFAULT, rules_of(DEFAULT, mask("name pair")))
    assert "date" not in missing_families(EXACT, rules_of(EXACT, 1))


def test_a_table_that_counts_nothing_has_no_kinds_of_names() -> None:
    assert agreement_of_names(EXACT, rules_of(EXACT, 1)) == ""
    assert agreement_of_names(DEFAULT, rules_of(DEFAULT, mask("document number"))) == ""
    assert agreement_of_names(DEFAULT, rules_of(DEFAULT, mask("name, initial and date"))) == "names: name and initial"
    placed = rules_of(DEFAULT, mask("similar pair and place", "every name of two"))
    assert agreement_of_names(DEFAULT, placed) == "names: similar pair + every name of two + place of birth"


def test_the_silence_of_the_names_is_evidence_too() -> None:
    alone = grade(DEFAULT, mask("document number"), 1000, 1000)
    named = grade(DEFAULT, mask("document number", "every name of two"), 1000, 1000)
    assert alone.centibits < Level.HIGH.centibits < named.centibits


@pytest.mark.parametrize(
    ("rules", "silent"),
    [
        (["document number"], ["names"]),
        (["similar pair and known month"], ["origin"]),
        (["date and nationality"], ["names"]),
        (["name pair"], ["origin"]),
    ],
)
def test_only_a_family_that_could_speak_is_silent(rules: list[str], silent: list[str]) -> None:
    """A place is compared only beside a date or two names: without these nobody knows whether it differs."""
    assert missing_of(*rules) == silent


KNOWN = "known nationalities and date"


@pytest.mark.parametrize(
    ("rules", "silent"),
    [
        (["name, initial and date"], []),
        (["name, initial and date", KNOWN], ["origin"]),
        (["name, initial and date", KNOWN, "date and nationality"], []),
        ([KNOWN], ["origin"]),
        (["single beginning and date"], []),
        (["single beginning and new year", "similar pair and nationality"], []),
    ],
)
def test_what_one_record_does_not_know_is_no_silence(rules: list[str], silent: list[str]) -> None:
    """Where the date agrees, nationalities differ only if the rule says that both are known."""
    assert missing_of(*rules) == silent


def test_that_something_is_known_is_no_evidence() -> None:
    """It is no family of a hit, weighs nothing, and is not among the parts that are learned."""
    rule = next(rule for rule in DEFAULT.rules if rule.name == KNOWN)
    assert [part.name for part in rule.parts] == ["two initials", "whole date", "known nationality"]
    assert [part.name for part in rule.shown] == ["two initials", "whole date"]
    assert "known nationality" not in {part.name for part in DEFAULT.parts}
    assert grade(DEFAULT, mask(KNOWN), 10, 10).families == ("date", "names")


def test_a_learned_share_moves_the_level() -> None:
    pattern = mask("name, initial and date")
    assert grade(DEFAULT, pattern, 20_000, 20_000).level is None
    assert grade(DEFAULT, pattern, 20_000, 20_000, 1_000_000).level is not None


def test_learned_weights_move_the_odds() -> None:
    """Of the part that agrees, and of a family that is silent; other parts and families change nothing."""
    still = GradingBasis(5000, 5000, 30_000, 10_000)
    pattern = mask("name, initial and date")
    before = grade_on(DEFAULT, pattern, still).centibits
    for learned, holds in [
        ((("name and initial", 200),), lambda now: now == before + 200),
        ((("whole date", -100),), lambda now: now == before - 100),
        ((("document: silent", -50),), lambda now: now == before - 50),
        ((("names: silent", -500), ("date", -500), ("rare pair", 500)), lambda now: now == before),
    ]:
        assert holds(grade_on(DEFAULT, pattern, GradingBasis(5000, 5000, 30_000, 10_000, 0, learned)).centibits)


def test_a_second_partner_is_a_duplicate_or_nobody() -> None:
    """The share of duplicates counts in place of the share of common persons, and never more than it."""
    pattern = mask("name, initial and date")
    for common, falls in [(900_000, True), (10_000, False), (5_000, False)]:
        grading_basis = GradingBasis(5000, 5000, common, 10_000)
        first, second = (grade_on(DEFAULT, pattern, grading_basis, second=second).centibits for second in (False, True))
        assert (second < first) is falls


def test_settled_records_lift_what_is_not_certain() -> None:
    """The more records have a partner, the fewer are left for chance; a certain pair and a second one gain nothing."""
    pattern = mask("name, initial and date")
    before = [
        grade_on(DEFAULT, pattern, GradingBasis(5000, 5000, 300_000, 10_000, n)).centibits for n in (0, 2500, 4500)
    ]
    assert before == sorted(before)
    assert before[0] < before[1]
    for mask_, second in [(STRONG, False), (pattern, True)]:
        found = {grade_on(DEFAULT, mask_, GradingBasis(99, 99, 300_000, 10_000, n), second=second) for n in (0, 60)}
        assert len(found) == 1


def test_the_lift_has_a_bound() -> None:
    """Where every record is settled, and where one list is shorter than what is settled."""
    assert lift_of(GradingBasis(10, 10, 1, 1, 0)) == 0
    assert lift_of(GradingBasis(10, 20, 1, 1, 5)) == 141
    assert lift_of(GradingBasis(10, 1000, 1, 1, 10)) == lift_of(GradingBasis(5, 9, 1, 1, 99)) == 660
    assert lift_of(GradingBasis(1000, 1000, 1, 1, 898)) == 658
    assert lift_of(GradingBasis(1000, 1000, 1, 1, 899)) == 660


def test_chance_hits_are_what_the_probabilities_admit() -> None:
    strong, weak = grade(DEFAULT, STRONG, 1000, 1000), grade(DEFAULT, WEAK, 100_000, 100_000)
    expected = expected_chance_hits([strong] * 10 + [weak] * 100)
    assert expected[Level.HIGH] == pytest.approx(10 * (1 - strong.probability))
    assert expected[Level.LOW] == expected[Level.MEDIUM] == 0
