"""The weights of a hit: they add up to the odds by which it was graded."""

from dataclasses import replace
from math import log2

import pytest

from aquila.matching.certainty import GradingBasis, grade_on
from aquila.matching.weights import WeightKind, strangers_bits, weights_of
from aquila.records.rules import BUILT_IN, load_rules, mask_of

TABLE = load_rules(BUILT_IN[0])
LEARNED = (("whole date", 25), ("names: silent", -40))
BASES = {
    "plain": GradingBasis(1_000, 5_000, 50_000, 5_000),
    "settled": GradingBasis(1_000, 5_000, 50_000, 5_000, settled=800),
    "learned": GradingBasis(1_000, 5_000, 50_000, 5_000, settled=10, learned=LEARNED),
}


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("rules", [(1,), (5, 9), (7,), (9, 10, 11, 12), tuple(range(1, 20))])
@pytest.mark.parametrize("second", [False, True])
def test_they_add_up_to_the_grade(basis: str, rules: tuple[int, ...], *, second: bool) -> None:
    on, mask = BASES[basis], mask_of(rules)
    weights, graded = weights_of(TABLE, mask, on, second=second), grade_on(TABLE, mask, on, second=second)
    assert sum(one.centibits for one in weights) == graded.centibits
    assert weights[0].kind is WeightKind.PRIOR
    assert [one.sentence for one in weights if one.kind is WeightKind.AGREES] == list(graded.sentences)


def test_missing_evidence_and_lift_are_weights_of_their_own() -> None:
    """A family of which nothing agrees is named by its words; a lift stands last."""
    kinds = [one.kind for one in weights_of(TABLE, mask_of((7,)), BASES["settled"])]
    assert kinds[-1] is WeightKind.LIFT
    sets = [weights_of(TABLE, 1 << number, BASES["plain"]) for number in range(19)]
    missing = {one.sentence for found in sets for one in found if one.kind is WeightKind.MISSING}
    assert missing <= set(dict(TABLE.families).values())


def test_what_differs_is_said_of_what_agrees() -> None:
    """A part that is not the strongest of its family says what a stronger one would need."""
    (month,) = (one for one in weights_of(TABLE, mask_of((6,)), BASES["plain"]) if "month" in one.sentence)
    assert month.differs == "the day of birth differs, or a source does not know it"
    (whole, *_) = (one for one in weights_of(TABLE, mask_of((1, 2)), BASES["plain"]) if "whole date" in one.sentence)
    assert whole.differs == ""


def test_strangers_agree_less_often_the_more_agrees() -> None:
    basis = BASES["plain"]
    single, initial, pair = (
        strangers_bits(TABLE, mask_of(rules), basis) for rules in ((2,), (1, 2), (1, 2, 9, 10, 11))
    )
    assert single > initial > pair
    longer = replace(basis, size_a=2 * basis.size_a)
    assert strangers_bits(TABLE, mask_of((1, 2)), longer) == pytest.approx(initial + 1)
    # An agreement in a nationality is usual for one person, and rarer by chance than none.
    assert strangers_bits(TABLE, mask_of((9, 10, 13)), basis) < strangers_bits(TABLE, mask_of((9, 10)), basis)
    # A number alone says nothing of names and date, and its share is not known: it is taken for certain.
    number = weights_of(TABLE, mask_of((16,)), basis)
    evidence = sum(one.centibits for one in number if one.kind in {WeightKind.AGREES, WeightKind.MISSING})
    pairs = log2(basis.size_a) + log2(basis.size_b)
    assert strangers_bits(TABLE, mask_of((16,)), basis) == pytest.approx(pairs - evidence / 100)
    exact = load_rules("exact")
    assert strangers_bits(exact, 1, basis) == pytest.approx(
        log2(basis.size_a)
        + log2(basis.size_b)
        - sum(one.centibits for one in weights_of(exact, 1, basis)[1:] if one.kind != WeightKind.LIFT) / 100
    )
