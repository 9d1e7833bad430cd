"""Pairs seen beside the others of their records."""

from aquila.matching.certainty import GradingBasis, Level, grade_on
from aquila.matching.grading import grade_lists
from aquila.matching.join import MatchedPair
from aquila.records.rules import load_rules

DEFAULT = load_rules("default")
FOOTING = GradingBasis(100, 100, 900_000, 10_000)


def mask(*names: str) -> int:
    numbers = {rule.name: rule.number for rule in DEFAULT.rules}
    return sum(1 << (numbers[name] - 1) for name in names)


CERTAIN = mask("name, initial and date", "name pair", "every name of two", "rare pair")
LIKELY = mask("every name of two", "rare pair")
CHANCE = mask("single beginning and date")


def met(left: int, right: int, rules: int) -> MatchedPair:
    return MatchedPair(0, 1, bytes([left]), bytes([right]), rules)


def test_a_pair_whose_record_has_a_certain_partner_is_second() -> None:
    """On either side; it stays a hit if it is certain enough to be a duplicate."""
    pairs = [met(1, 1, CERTAIN), met(1, 2, LIKELY), met(3, 1, LIKELY), met(4, 4, LIKELY), met(5, 5, CHANCE)]
    grading_basis, graded = grade_lists(DEFAULT, FOOTING, pairs)
    seconds = {(item.pair.left_handle[0], item.pair.right_handle[0]): item.second for item in graded}
    assert (seconds[1, 1], seconds[4, 4]) == (False, False)
    for item in graded:
        assert item.grade == grade_on(DEFAULT, item.pair.rules, grading_basis, second=item.second)
    first = next(item for item in graded if item.pair == pairs[3]).grade
    for pair in pairs[1:3]:
        others = [item.grade for item in graded if item.pair == pair]
        assert all(found.centibits < first.centibits for found in others)
    assert grading_basis.settled == 1


def test_equal_partners_are_both_first() -> None:
    """A list may hold a person twice; nobody can say which record is the second."""
    grading_basis, graded = grade_lists(DEFAULT, FOOTING, [met(1, 1, CERTAIN), met(1, 2, CERTAIN)])
    assert [(item.grade.level, item.second) for item in graded] == [(Level.HIGH, False)] * 2
    assert grading_basis.settled == 1
    assert grading_basis.duplicates_per_million > FOOTING.duplicates_per_million


def test_duplicates_are_counted_among_certain_pairs() -> None:
    pairs = [met(left, 2 * left + twin, CERTAIN) for left in range(60) for twin in (0, 1)]
    grading_basis, _ = grade_lists(DEFAULT, FOOTING, pairs)
    assert 200_000 < grading_basis.duplicates_per_million < 400_000
    single, _ = grade_lists(DEFAULT, FOOTING, pairs[::2])
    assert single.duplicates_per_million == FOOTING.duplicates_per_million


def test_what_is_lifted_to_certainty_settles_too() -> None:
    pairs = [met(number, number, CERTAIN) for number in range(85)]
    rest = [met(number, number, LIKELY) for number in range(85, 90)]
    grading_basis, graded = grade_lists(DEFAULT, FOOTING, pairs + rest)
    assert grading_basis.settled == 90
    assert {item.grade.level for item in graded} == {Level.HIGH}
    alone, graded = grade_lists(DEFAULT, FOOTING, rest)
    assert alone.settled == 0
    assert Level.HIGH not in {item.grade.level for item in graded}


def test_settling_ends_before_all_is_settled_if_told_so() -> None:
    pairs = [met(number, number, CERTAIN if number < 85 else LIKELY) for number in range(90)]
    grading_basis, _ = grade_lists(DEFAULT, FOOTING, pairs, turns=1)
    assert grading_basis.settled == 85


def test_nothing_met() -> None:
    assert grade_lists(DEFAULT, FOOTING, []) == (FOOTING, [])


def test_the_order_of_pairs_changes_nothing() -> None:
    pairs = [met(1, 1, CERTAIN), met(1, 2, LIKELY), met(2, 2, CERTAIN), met(3, 3, LIKELY)]
    forth, back = (grade_lists(DEFAULT, FOOTING, order) for order in (pairs, pairs[::-1]))
    assert forth[0] == back[0]
    assert len(forth[1]) == len(back[1])
    assert set(forth[1]) == set(back[1])
