"""What a round teaches about its own lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aquila.errors import InputError
from aquila.matching.learning import ListPair, learn, learn_share
from aquila.records.rules import load_rules

if TYPE_CHECKING:
    from aquila.matching.certainty import GradingBasis

DEFAULT = load_rules("default")
EXACT = load_rules("exact")


def mask(*names: str) -> int:
    """The mask of rules by name."""
    numbers = {rule.name: rule.number for rule in DEFAULT.rules}
    return sum(1 << (numbers[name] - 1) for name in names)


STRONG = mask("name, initial and date", "name pair", "every name", "rare pair")
SINGLE = mask("single beginning and date")
WEAK = mask("every name")


def weight(footing: GradingBasis, of: str) -> int:
    """What was learned of a part or a family, in hundredths of a bit."""
    return dict(footing.learned).get(of, 0)


def share(footing: GradingBasis) -> float:
    """The learned share."""
    return footing.common_per_million / 1e6


def test_the_share_is_learned_from_the_patterns() -> None:
    """Many strong agreements say that the lists hold the same persons; each two lists have a share of their own."""
    many, few = learn(
        DEFAULT, [ListPair({STRONG: 850, WEAK: 100}, 1000, 1000), ListPair({STRONG: 10, WEAK: 100}, 1000, 2000)]
    )
    assert share(many) == pytest.approx(0.85, abs=0.02)
    assert share(few) == pytest.approx(0.01, abs=0.005)
    assert many.learned == few.learned
    assert (few.size_a, few.size_b, few.settled, few.duplicates_per_million) == (1000, 2000, 0, 10_000)


def test_the_share_has_bounds() -> None:
    """At least a tenth of what was expected, at most the whole smaller list."""
    lists = [ListPair({}, 1000, 500), ListPair({STRONG: 2000}, 1000, 500)]
    assert [share(footing) for footing in learn(DEFAULT, lists)] == [0.003, 1.0]
    assert learn_share(DEFAULT, {}, 1000, 500) == DEFAULT.expected_share / 10
    assert learn_share(DEFAULT, {STRONG: 2000}, 1000, 500) == 1.0


def test_the_share_alone_is_learned_with_the_weights_of_the_table() -> None:
    """As lists are searched for duplicates."""
    assert learn_share(DEFAULT, {STRONG: 850, WEAK: 100}, 1000, 1000) == pytest.approx(0.85, abs=0.02)


def test_lists_in_which_names_change_give_single_names_more_weight() -> None:
    """Far more pairs than chance makes agree in the date and one name: then one name is worth more here."""
    (learned,) = learn(DEFAULT, [ListPair({STRONG: 3000, SINGLE: 800}, 5000, 5000)])
    assert 400 < weight(learned, "single beginning") <= 600


def test_chance_does_not_teach_itself() -> None:
    """So many pairs as chance makes with the table's weights move nothing up."""
    (learned,) = learn(DEFAULT, [ListPair({STRONG: 150, SINGLE: 60}, 5000, 5000)])
    assert weight(learned, "single beginning") <= 0
    assert share(learned) == pytest.approx(0.03, abs=0.005)


def test_silence_speaks_where_a_family_usually_agrees() -> None:
    """Of one person's pairs nine in ten agree in a document number: then its silence is evidence against."""
    with_number = {STRONG | mask("document number"): 900, STRONG: 100}
    (learned,) = learn(DEFAULT, [ListPair(with_number, 2000, 2000)])
    assert -300 < weight(learned, "document: silent") < -200
    (learned,) = learn(DEFAULT, [ListPair({STRONG: 1000}, 2000, 2000)])
    assert weight(learned, "document: silent") == 0


def test_silence_of_what_was_not_compared_teaches_nothing() -> None:
    """A nationality is compared only beside a date or two names; a number alone says nothing about it."""
    known = STRONG | mask("known nationalities and date")
    placed = {known | mask("date and nationality"): 900, known: 100}
    (learned,) = learn(DEFAULT, [ListPair(placed, 2000, 2000)])
    (beside,) = learn(DEFAULT, [ListPair({**placed, mask("document number", "e-mail address"): 300}, 2000, 2000)])
    assert weight(learned, "origin: silent") == weight(beside, "origin: silent") < -200


def test_what_one_record_does_not_know_teaches_nothing() -> None:
    """Of pairs of which one record knows no nationality, however many, nobody knows whether they would differ."""
    known = STRONG | mask("known nationalities and date")
    counts = {known | mask("date and nationality"): 900, known: 100}
    (learned,) = learn(DEFAULT, [ListPair(counts, 2000, 2000)])
    (beside,) = learn(DEFAULT, [ListPair({**counts, STRONG: 600}, 2000, 2000)])
    assert weight(learned, "origin: silent") == weight(beside, "origin: silent") < -200


def test_a_fixed_weight_is_not_learned() -> None:
    """Where many are born on 1 January, chance makes that agreement too."""
    new_year = mask("name, initial and new year", "similar pair and known month", "every name", "name pair")
    (learned,) = learn(DEFAULT, [ListPair({STRONG: 500, new_year: 400}, 1000, 1000)])
    assert weight(learned, "new year") == 0


def test_a_table_whose_parts_are_not_learned() -> None:
    """A family without usual shares keeps its weights; only its silence is learned."""
    (learned,) = learn(EXACT, [ListPair({1: 500}, 1000, 1000)])
    assert {of for of, _weight in learned.learned} <= {"names: silent", "date: silent"}
    assert share(learned) == pytest.approx(0.5, abs=0.01)


def test_learning_ends_before_it_settles_if_told_so() -> None:
    """One step goes part of the way."""
    lists = [ListPair({STRONG: 850, SINGLE: 500}, 1000, 1000)]
    (start,), (one,), (settled,) = (learn(DEFAULT, lists, steps=steps) for steps in (0, 1, 200))
    assert share(start) == DEFAULT.expected_share
    assert start.learned == ()
    assert share(start) < share(one) < share(settled)
    alone = [learn_share(DEFAULT, lists[0].patterns, 1000, 1000, steps=steps) for steps in (0, 1, 200)]
    assert alone[0] == DEFAULT.expected_share
    assert alone[0] < alone[1] < alone[2]


def test_nothing_to_learn_from() -> None:
    """A round whose lists may not be joined."""
    assert learn(DEFAULT, []) == ()


def test_faults_of_the_caller() -> None:
    """Unknown rules and empty lists."""
    for pair in (ListPair({1 << 40: 1}, 10, 10), ListPair({1: 1}, 0, 10)):
        with pytest.raises(InputError):
            learn(DEFAULT, [pair])
