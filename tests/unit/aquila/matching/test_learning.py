"""What a round teaches about its own lists."""

import pytest

from aquila.errors import InputError
from aquila.matching.certainty import GradingBasis, grade_on
from aquila.matching.learning import ListPair, learn, learn_share
from aquila.records.rules import load_rules

DEFAULT = load_rules("default")
EXACT = load_rules("exact")


def mask(*names: str) -> int:
    numbers = {rule.name: rule.number for rule in DEFAULT.rules}
    return sum(1 << (numbers[name] - 1) for name in names)


STRONG = mask("name, initial and date", "name pair", "every name of two", "rare pair")
SINGLE = mask("single beginning and date")
COMMON = mask("name, initial and date", "name pair", "every name of two")
WEAK = mask("every name of two")
MONTH = mask("similar pair and known month")
AGREES = "names: name pair + every name of two + rare pair + nationality"
DIFFERS = "names: name pair + every name of two + rare pair + origin: silent"


def weight(grading_basis: GradingBasis, of: str) -> int:
    """What was learned of a part or a family, in hundredths of a bit."""
    return dict(grading_basis.learned).get(of, 0)


def share(grading_basis: GradingBasis) -> float:
    return grading_basis.common_per_million / 1e6


def test_the_share_is_learned_from_the_patterns() -> None:
    """Many strong agreements say that the lists hold the same persons."""
    many = learn(DEFAULT, ListPair({STRONG: 850, WEAK: 100}, 1000, 1000))
    few = learn(DEFAULT, ListPair({STRONG: 10, WEAK: 100}, 1000, 2000))
    assert share(many) == pytest.approx(0.85, abs=0.02)
    assert share(few) == pytest.approx(0.01, abs=0.005)
    assert (few.size_a, few.size_b, few.settled, few.duplicates_per_million) == (1000, 2000, 0, 10_000)


def test_the_share_has_bounds() -> None:
    """At least a fiftieth of what was expected, at most the whole smaller list."""
    lists = [ListPair({}, 1000, 500), ListPair({STRONG: 2000}, 1000, 500)]
    assert [share(learn(DEFAULT, one)) for one in lists] == [0.0006, 1.0]
    assert learn_share(DEFAULT, {}, 1000, 500) == DEFAULT.common_per_million // 50
    assert learn_share(DEFAULT, {STRONG: 2000}, 1000, 500) == 1_000_000


def test_the_share_alone_is_learned_with_the_weights_of_the_table() -> None:
    assert learn_share(DEFAULT, {STRONG: 850, WEAK: 100}, 1000, 1000) == pytest.approx(850_000, abs=20_000)


def test_lists_in_which_names_change_give_single_names_more_weight() -> None:
    """Far more pairs than chance makes agree in the date and one name: then one name is worth more here."""
    usual = learn(DEFAULT, ListPair({STRONG: 3000}, 5000, 5000))
    learned = learn(DEFAULT, ListPair({STRONG: 3000, SINGLE: 800}, 5000, 5000))
    assert weight(learned, "names: single beginning") > weight(usual, "names: single beginning") + 400


def test_few_persons_show_how_many_names_are_rare() -> None:
    rare, usual = (learn(DEFAULT, ListPair({STRONG: many, COMMON: 100 - many}, 5000, 5000)) for many in (65, 20))
    of = "names: name pair + every name of two"
    assert weight(rare, f"{of} + rare pair") - weight(usual, f"{of} + rare pair") > 120
    assert weight(usual, of) - weight(rare, of) > 60


def test_chance_does_not_teach_itself() -> None:
    """So many pairs as chance makes with the table's weights are no hit."""
    learned = learn(DEFAULT, ListPair({STRONG: 150, SINGLE: 60}, 5000, 5000))
    assert grade_on(DEFAULT, SINGLE, learned).level is None
    assert share(learned) == pytest.approx(0.03, abs=0.005)


def test_names_weigh_as_much_as_they_are_rare_in_these_lists() -> None:
    """The same agreement is worth less where many strangers bear the same names, in long lists and in short ones."""
    learned = [learn(DEFAULT, ListPair({STRONG: 30, WEAK: strangers}, 5000, 5000)) for strangers in (20, 2000, 200_000)]
    weights = [weight(one, "names: similar pair + every name of two") for one in learned]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] > weights[2] + 600
    rare, _middle, usual = (grade_on(DEFAULT, WEAK | MONTH, one) for one in learned)
    assert rare.centibits > usual.centibits


def test_names_alone_never_count_persons() -> None:
    """However many pairs of names agree without a date, they say nothing about common persons."""
    few = learn(DEFAULT, ListPair({STRONG: 30}, 5000, 5000))
    many = learn(DEFAULT, ListPair({STRONG: 30, WEAK: 100_000}, 5000, 5000))
    assert share(many) == pytest.approx(share(few), rel=0.01)


def test_places_agree_by_chance_where_names_do() -> None:
    """Where nearly all strangers of one name agree in the nationality, it is little evidence beside that name."""
    placed = WEAK | mask("similar pair and nationality")
    dated = STRONG | mask("similar pair and nationality")
    lists = [ListPair({dated: 300, WEAK: 1000 - share, placed: share}, 5000, 5000) for share in (100, 900)]
    label = "names: similar pair + every name of two"
    gained = [
        weight(one, f"{label} + nationality") - weight(one, f"{label} + origin: silent")
        for one in (learn(DEFAULT, pair) for pair in lists)
    ]
    assert gained[0] > gained[1] + 200


def test_silence_speaks_where_a_family_usually_agrees() -> None:
    """Of one person's pairs nine in ten agree in a document number: then its silence is evidence against."""
    with_number = {STRONG | mask("document number"): 900, STRONG: 100}
    learned = learn(DEFAULT, ListPair(with_number, 2000, 2000))
    assert -300 < weight(learned, "document: silent") < -200
    learned = learn(DEFAULT, ListPair({STRONG: 1000}, 2000, 2000))
    assert weight(learned, "document: silent") == 0


def test_silence_of_what_was_not_compared_teaches_nothing() -> None:
    """A nationality is compared only beside a date or two names; a number alone says nothing about it."""
    known = STRONG | mask("known nationalities and date")
    placed = {known | mask("date and nationality"): 900, known: 100}
    learned = learn(DEFAULT, ListPair(placed, 2000, 2000))
    beside = learn(DEFAULT, ListPair({**placed, mask("document number", "e-mail address"): 300}, 2000, 2000))
    assert weight(learned, DIFFERS) == pytest.approx(weight(beside, DIFFERS), abs=30)
    assert weight(learned, DIFFERS) < weight(learned, AGREES) - 200


def test_what_one_record_does_not_know_teaches_nothing() -> None:
    known = STRONG | mask("known nationalities and date")
    counts = {known | mask("date and nationality"): 900, known: 100}
    learned = learn(DEFAULT, ListPair(counts, 2000, 2000))
    beside = learn(DEFAULT, ListPair({**counts, STRONG: 600}, 2000, 2000))
    assert weight(learned, DIFFERS) == pytest.approx(weight(beside, DIFFERS), abs=30)
    assert weight(learned, DIFFERS) < weight(learned, AGREES) - 200


def test_a_fixed_weight_is_not_learned() -> None:
    """Two initials say that both know a nationality; however many such pairs there are, they are no person's."""
    few = learn(DEFAULT, ListPair({STRONG: 500}, 1000, 1000))
    many = learn(DEFAULT, ListPair({STRONG: 500, mask("known nationalities and date"): 400}, 1000, 1000))
    assert weight(many, "names: two initials") <= weight(few, "names: two initials")


def test_days_on_which_many_strangers_are_born_weigh_less() -> None:
    """Where strangers of one name are often born on 1 January, that agreement is little evidence."""
    new_year = WEAK | mask("name, initial and new year")
    few, many = (learn(DEFAULT, ListPair({STRONG: 30, WEAK: 20_000, new_year: n}, 9000, 9000)) for n in (1, 400))
    assert weight(few, "new year") > weight(many, "new year") + 200


def test_a_table_whose_parts_are_not_learned() -> None:
    learned = learn(EXACT, ListPair({1: 500}, 1000, 1000))
    assert {of for of, _weight in learned.learned} <= {"names: silent", "date: silent"}
    assert share(learned) == pytest.approx(0.5, abs=0.01)


def test_learning_ends_before_it_settles_if_told_so() -> None:
    lists = ListPair({STRONG: 300, SINGLE: 100}, 1000, 1000)
    start, one, settled = (learn(DEFAULT, lists, steps=steps) for steps in (0, 1, 200))
    assert start.common_per_million == DEFAULT.common_per_million
    assert share(start) < share(one) < share(settled)
    alone = [learn_share(DEFAULT, lists.patterns, 1000, 1000, steps=steps) for steps in (0, 1, 200)]
    assert alone[0] == DEFAULT.common_per_million
    assert alone[0] < alone[1] < alone[2]


def test_faults_of_the_caller() -> None:
    for pair in (ListPair({1 << 40: 1}, 10, 10), ListPair({1: 1}, 0, 10)):
        with pytest.raises(InputError):
            learn(DEFAULT, pair)
