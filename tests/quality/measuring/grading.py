"""Pairs that met, graded as the matcher of a round does (PROTOCOL.md 7)."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from aquila.matching.certainty import GradingBasis, Level
from aquila.matching.grading import grade_lists
from aquila.matching.join import MatchedPair
from aquila.matching.learning import ListPair, learn
from aquila.records.rules import RuleTable
from tests.quality.measuring.labelled_sets import Pair
from tests.quality.measuring.plaintext_matching import Meeting


class Hit(NamedTuple):
    """A pair that reaches a level, and the rules that met."""

    pair: Pair
    level: Level
    probability: float
    rules: int


def hits_of(meetings: Iterable[Meeting], table: RuleTable, rules: int = -1) -> list[Hit]:
    """Grade what met between all lists."""
    every = list(meetings)
    return [
        hit
        for meeting, grading_basis in zip(every, footings_of(every, table, rules), strict=True)
        for hit in hits_on(meeting, table, grading_basis, rules)
    ]


def footings_of(meetings: Iterable[Meeting], table: RuleTable, rules: int = -1) -> tuple[GradingBasis, ...]:
    """Learn of each meeting on what its pairs are graded."""
    return tuple(learn(table, ListPair(one.patterns(rules), one.size_a, one.size_b)) for one in meetings)


def hits_on(meeting: Meeting, table: RuleTable, grading_basis: GradingBasis, rules: int = -1) -> Iterator[Hit]:
    """Yield the hits between two lists on one grading_basis; a record's name stands for its handle."""
    pairs: dict[MatchedPair, Pair] = {}
    for found in meeting.met:
        if mask := found.rules & rules:
            record_a, record_b = found.pair[1].encode(), found.pair[3].encode()
            pairs[MatchedPair(0, 1, record_a, record_b, mask)] = found.pair
    for met, result, _second in grade_lists(table, grading_basis, pairs)[1]:
        if result.level is not None:
            yield Hit(pairs[met], result.level, result.probability, met.rules)
