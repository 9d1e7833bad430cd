"""Pairs that met, graded as the matcher of a round does (PROTOCOL.md 3.7.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aquila.matching.certainty import Level, grade, learn_share
from aquila.protocol.matcher import MILLION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aquila.records.rules import RuleTable
    from clients.quality.plain import Meeting
    from clients.quality.sets import Pair


class Hit(NamedTuple):
    """A pair that reaches a level, and the rules that met."""

    pair: Pair
    level: Level
    probability: float
    rules: int


def hits_of(meetings: Iterable[Meeting], table: RuleTable, rules: int = -1) -> list[Hit]:
    """Grade what met between all lists.

    Args:
        meetings: What met.
        table: The match rules.
        rules: A mask of the rules that count; all by default.
    """
    return [hit for meeting in meetings for hit in _hits(meeting, table, rules)]


def _hits(meeting: Meeting, table: RuleTable, rules: int) -> Iterator[Hit]:
    """Yield the hits between two lists."""
    sizes = meeting.size_a, meeting.size_b
    patterns = meeting.patterns(rules)
    share = max(1, round(learn_share(table, patterns, *sizes) * MILLION)) / MILLION
    graded = {mask: grade(table, mask, *sizes, share) for mask in patterns}
    for found in meeting.met:
        mask = found.rules & rules
        if mask and (level := graded[mask].level) is not None:
            yield Hit(found.pair, level, graded[mask].probability, mask)
