"""A node's own basis, and when what it doubts is an alarm."""

from dataclasses import replace

import pytest

from aquila.matching.certainty import Level, grade_on
from aquila.matching.join import MatchedPair
from aquila.protocol.messages import CheckFault, ReportCheck
from aquila.protocol.shadow.checks import OwnSide, agree, check_pair, doubted_pairs, doubts_too_many, own_basis
from aquila.protocol.shadow.meeting import ColumnTerms
from aquila.records.rules import load_rules, mask_of
from tests.support.samples import SAMPLES
from tests.support.shadow_pairs import ShadowPair

TABLE = load_rules("default")
SURE, WEAK = mask_of([1, 2, 5, 6, 9, 10]), mask_of([9, 10])


def pair(number: int, rules: int) -> MatchedPair:
    return MatchedPair(0, 1, number.to_bytes(16, "big"), number.to_bytes(16, "big"), rules)


def test_the_own_basis_is_learned_without_the_matcher() -> None:
    """From pairs whose tags were checked, and from the own list for all others, in proportion to the other's length."""
    basis = own_basis(TABLE, [SURE] * 40, {WEAK: 100}, (1_000, 3_000))
    assert (basis.size_a, basis.size_b) == (1_000, 3_000)
    assert grade_on(TABLE, SURE, basis).level is Level.HIGH
    assert own_basis(TABLE, [], {}, (10, 10)).common_per_million == 600


def test_what_is_called_too_weak_is_graded_again() -> None:
    """Pairs that are hits on the own basis and are not reported as hits are counted, above the least level alone."""
    basis = own_basis(TABLE, [SURE] * 40, {WEAK: 100}, (1_000, 1_000))
    told = [(pair(number, SURE), number < 30) for number in range(40)] + [(pair(99, WEAK), False)]
    assert doubted_pairs(TABLE, basis, Level.HIGH, told) == 10
    assert doubted_pairs(TABLE, basis, Level.HIGH, told[:30]) == 0


@pytest.mark.parametrize(
    ("minimum", "doubted", "hits", "records", "alarm"),
    [
        (Level.LOW, 0, 0, 100, False),
        (Level.LOW, 1, 40, 300, True),
        (Level.LOW, 3, 100, 2_000, False),
        (Level.LOW, 4, 100, 2_000, True),
        (Level.LOW, 10, 0, 20_000, False),
        (Level.LOW, 11, 0, 2_000_000, True),
        (Level.MEDIUM, 13, 100, 2_000, False),
        (Level.MEDIUM, 14, 100, 2_000, True),
        (Level.HIGH, 26, 100, 2_000, False),
        (Level.HIGH, 27, 100, 2_000, True),
    ],
)
def test_when_doubts_are_an_alarm(minimum: Level, doubted: int, hits: int, records: int, *, alarm: bool) -> None:
    """More than two honest bases differ in, of hits and of strangers: in small lists a single one."""
    assert doubts_too_many(minimum, doubted, hits, (records, records)) is alarm


def test_both_sides_agree() -> None:
    """On the same tags and as many pairs below, and both without a fault."""
    mine = ReportCheck.model_validate(SAMPLES[ReportCheck] | {"fault": None})
    theirs = mine.model_copy(update={"party": mine.counterpart, "counterpart": mine.party})
    assert agree(mine, theirs)
    for change in ({"met": "1" * 64}, {"met": None}, {"below": 2}, {"fault": CheckFault.TAGS}):
        assert not agree(mine, theirs.model_copy(update=change))
        assert not agree(theirs.model_copy(update=change), mine)


@pytest.mark.parametrize("below", [10, 11])
def test_few_pairs_below_are_not_graded_again(below: int) -> None:
    """Where all of them may be doubted without an alarm, the own list is not looked at."""
    records = [{1: [number]} for number in range(below)]
    found = ShadowPair.of(records, records, ((1,),))
    told = found.told(0)
    told = replace(told, pairs=[one._replace(is_hit=False) for one in told.pairs])
    counted: list[int] = []

    def strangers() -> dict[int, int]:
        counted.append(below)
        return {}

    own = OwnSide(TABLE, found.rows[0], ColumnTerms(found.sets, frozenset()), (20_000, 20_000), Level.LOW)
    check_pair(found.key, own, told, strangers)
    assert counted == [below] * (below > 10)
