"""What each rule adds: the matching without it, graded anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clients.quality.grading import hits_of
from clients.quality.measures import Measured, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aquila.records.rules import Rule, RuleTable
    from clients.quality.plain import Meeting
    from clients.quality.sets import LabelledSet


@dataclass(frozen=True, slots=True)
class Without:
    """What is measured if one rule is left out.

    Attributes:
        met: Pairs of one person that met under the rule, whatever other rules they met under.
        only: Of these, the pairs that met under no other rule.
    """

    rule: Rule
    measured: Measured
    met: int
    only: int


def without_each(meetings: Sequence[Meeting], table: RuleTable, labelled: LabelledSet) -> list[Without]:
    """Leave out one rule after another."""
    masks = [found.rules for meeting in meetings for found in meeting.met if found.pair in labelled.same]
    found = []
    for rule in table.rules:
        bit = 1 << (rule.number - 1)
        hits = hits_of(meetings, table, ~bit)
        met = sum(bool(mask & bit) for mask in masks)
        found.append(Without(rule, measure(hits, labelled), met, sum(mask == bit for mask in masks)))
    return found
