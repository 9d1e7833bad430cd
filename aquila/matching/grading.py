"""From the pairs of two lists to graded pairs, each compared with the others of its records.

A list tells of a person once, duplicates aside. So a record with a certain partner is settled: another partner of it is
right only where the person stands twice in a list. And the records that are left have fewer others that chance could
pair them with, which lifts what is not certain (PROTOCOL.md 7.4). No pair is dropped for another one's sake.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from aquila.matching.certainty import Grade, GradingBasis, Level, grade_on
from aquila.matching.join import MatchedPair
from aquila.records.rules import MILLION, RuleTable

MOST_TURNS = 8
_BELIEF = 100  # so many settled records does the table's expectation of duplicates count for


class RankedPair(NamedTuple):
    """A pair with its grade; `second` where one of its records has a partner that is more certain."""

    pair: MatchedPair
    grade: Grade
    second: bool


def grade_lists(
    table: RuleTable, grading_basis: GradingBasis, pairs: Iterable[MatchedPair], *, turns: int = MOST_TURNS
) -> tuple[GradingBasis, list[RankedPair]]:
    """Grade the pairs of two lists.

    Args:
        table: The round's rule table.
        grading_basis: What was learned of the two lists; nothing is settled yet.
        pairs: Every pair of records that met.
        turns: After how many turns settling ends, even if there is more to settle.

    Returns:
        The grading_basis with what is settled, and the pairs that reach a level, in their order.
    """
    most = _Grades(table, replace(grading_basis, settled=min(grading_basis.size_a, grading_basis.size_b)))
    kept = [pair for pair in pairs if most.of(pair.rules).level]
    certain, grading_basis = _settle(table, grading_basis, kept, turns)
    lefts: dict[bytes, int] = {}
    rights: dict[bytes, int] = {}
    firsts, seconds = _Grades(table, grading_basis), _Grades(table, grading_basis, second=True)
    for pair in certain:  # as certain as they are at last: what settled first may have gained less by it than others
        odds = firsts.of(pair.rules).centibits
        lefts[pair.left_handle] = max(odds, lefts.get(pair.left_handle, odds))
        rights[pair.right_handle] = max(odds, rights.get(pair.right_handle, odds))
    graded = []
    for pair in kept:
        result = firsts.of(pair.rules)
        odds = result.centibits
        second = max(lefts.get(pair.left_handle, odds), rights.get(pair.right_handle, odds)) > odds
        if second:
            result = seconds.of(pair.rules)
        if result.level:
            graded.append(RankedPair(pair, result, second))
    return grading_basis, graded


class _Grades:
    """The grades on one grading_basis by the rules that met: many pairs meet in few ways."""

    def __init__(self, table: RuleTable, grading_basis: GradingBasis, *, second: bool = False) -> None:
        self._terms, self._second = (table, grading_basis), second
        self._known: dict[int, Grade] = {}

    def of(self, rules: int) -> Grade:
        """Return the grade of a pair by the mask of its rules."""
        if rules not in self._known:
            table, grading_basis = self._terms
            self._known[rules] = grade_on(table, rules, grading_basis, second=self._second)
        return self._known[rules]


def _settle(
    table: RuleTable, grading_basis: GradingBasis, pairs: Sequence[MatchedPair], turns: int
) -> tuple[list[MatchedPair], GradingBasis]:
    """Find the records with a certain partner, first those that need no lift, then those that it makes certain.

    Returns:
        The pairs that settle their records, and the grading basis.
    """
    certain: list[MatchedPair] = []
    lefts: set[bytes] = set()
    rights: set[bytes] = set()
    for turn in range(turns):
        grades = _Grades(table, grading_basis)
        found = [
            pair
            for pair in pairs
            if (pair.left_handle not in lefts and pair.right_handle not in rights)
            and grades.of(pair.rules).level is Level.HIGH
        ]
        if not found:
            break
        certain += found
        lefts.update(pair.left_handle for pair in found)
        rights.update(pair.right_handle for pair in found)
        if not turn:
            grading_basis = replace(
                grading_basis, duplicates_per_million=_duplicates(table, len(found), len(lefts), len(rights))
            )
        grading_basis = replace(grading_basis, settled=min(len(lefts), len(rights)))
    return certain, grading_basis


def _duplicates(table: RuleTable, pairs: int, lefts: int, rights: int) -> int:
    """The share of settled records that have one more partner as certain, at least what the table expects."""
    expected = table.duplicates_per_million
    more = MILLION * (2 * pairs - lefts - rights) + _BELIEF * expected
    return max(expected, min(MILLION, more // (lefts + rights + _BELIEF)))
