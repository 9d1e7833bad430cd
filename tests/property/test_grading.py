"""Properties of grading: exact, the same on both sides, whatever order things stand in, and never against evidence."""

from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from aquila.matching.certainty import (
    GradingBasis,
    Level,
    grade_on,
    lift_of,
    log2_centibits,
    prior,
    rules_of,
    strongest_parts,
)
from aquila.protocol.messages import HitReport
from aquila.protocol.rounds.exchange import grading_basis_on
from aquila.records.rules import MILLION, load_rules, mask_of
from tests.support.samples import SAMPLES, read

TABLE = load_rules("default")
WHOLE = st.integers(1, 1 << 62)
SIZES = st.integers(1, 20_000_000)
SHARES = st.integers(1, MILLION)
MASKS = st.sets(st.sampled_from(sorted(TABLE.by_number)), min_size=1).map(mask_of)
NAMES = sorted({part.name for part in TABLE.parts} | {f"{family}: silent" for family, _words in TABLE.families})
LEARNED = st.dictionaries(st.sampled_from(NAMES), st.integers(-1_500, 1_500)).map(lambda of: tuple(sorted(of.items())))
BASES = st.builds(GradingBasis, SIZES, SIZES, SHARES, SHARES, st.integers(0, 20_000_000), LEARNED)


@given(over=WHOLE, under=WHOLE)
def test_a_logarithm_is_the_greatest_that_holds(over: int, under: int) -> None:
    """2^(k/100) is at most the fraction, and 2^((k+1)/100) is more: compared as powers, without a rounded number."""
    found, ratio = log2_centibits(over, under), Fraction(over, under) ** 100
    assert Fraction(2) ** found <= ratio < Fraction(2) ** (found + 1)


@given(size=SIZES, more=st.integers(0, 9), share=SHARES, settled=st.integers(0, 20_000_000))
def test_prior_and_lift_move_one_way(size: int, more: int, share: int, settled: int) -> None:
    """A longer list lowers the prior and the lift, a larger share raises the one, a settled record the other."""
    assert prior(size + more, size, share) <= prior(size, size, share) <= 0
    assert prior(size, size, share) <= prior(size, size, min(MILLION, share + more))
    basis = GradingBasis(size, 2 * size, share, 1, settled)
    assert 0 <= lift_of(replace(basis, size_b=2 * size + more)) <= lift_of(basis)
    assert lift_of(basis) <= lift_of(replace(basis, settled=settled + more)) <= 660


def rank(level: Level | None) -> int:
    return -1 if level is None else level.centibits


@given(mask=MASKS, basis=BASES, second=st.booleans(), more=st.integers(1, 800))
def test_more_evidence_never_lowers_a_level(mask: int, basis: GradingBasis, *, second: bool, more: int) -> None:
    """A pair that needs no lift any more has smaller odds, and no lower level."""
    name = strongest_parts(rules_of(TABLE, mask))[0].name
    weights = dict(basis.learned)
    weights[name] = weights.get(name, 0) + more
    heavier = replace(basis, learned=tuple(sorted(weights.items())))
    before, after = (grade_on(TABLE, mask, one, second=second) for one in (basis, heavier))
    assert rank(after.level) >= rank(before.level)
    assert rank(grade_on(TABLE, mask, basis, second=True).level) <= rank(grade_on(TABLE, mask, basis).level)


@given(mask=MASKS, basis=BASES, second=st.booleans(), random=st.randoms(use_true_random=False))
def test_the_order_of_a_table_changes_nothing(mask: int, basis: GradingBasis, *, second: bool, random: Random) -> None:
    """Parts of a rule, families and weights stand in some order, and add up to the same."""
    rules = tuple(replace(rule, parts=shuffled(rule.parts, random)) for rule in TABLE.rules)
    mixed = replace(TABLE, rules=rules, families=shuffled(TABLE.families, random), digest="another order")
    basis_too = replace(basis, learned=shuffled(basis.learned, random))
    assert grade_on(TABLE, mask, basis, second=second) == grade_on(mixed, mask, basis_too, second=second)


T = TypeVar("T")


def shuffled(items: tuple[T, ...], random: Random) -> tuple[T, ...]:
    return tuple(random.sample(items, len(items)))


@given(mask=MASKS, basis=BASES, second=st.booleans())
def test_both_sides_get_the_same_from_what_reports_state(mask: int, basis: GradingBasis, *, second: bool) -> None:
    """Each side knows its own size and reads the rest, which is nothing but integers, from its own report."""
    graded = grade_on(TABLE, mask, basis, second=second)
    for own, other in ((basis.size_a, basis.size_b), (basis.size_b, basis.size_a)):
        stated = SAMPLES[HitReport]["basis"] | {
            "records": other,
            "common_per_million": basis.common_per_million,
            "duplicates_per_million": basis.duplicates_per_million,
            "settled": basis.settled,
            "learned": [{"of": of, "centibits": centibits} for of, centibits in basis.learned],
        }
        report = read(HitReport, basis=stated)
        assert isinstance(report, HitReport)
        assert grade_on(TABLE, mask, grading_basis_on(report, (own, other)), second=second) == graded
