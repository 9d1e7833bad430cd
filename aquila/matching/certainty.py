"""How certain it is that two records are the same person, from the match rules that met.

Fellegi and Sunter (1969): each evidence family adds the logarithm of its likelihood ratio, and the strongest part that
agrees speaks for its family, so that rules which depend on one another count once. The prior comes from the (padded)
sizes of the two lists: the longer they are, the more pairs agree by chance. Both, and the table of weights, are
public; whoever has the rules that met can recompute the level (PROTOCOL.md, certainty).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from math import exp2, log2
from typing import TYPE_CHECKING

from aquila.errors import InputError

if TYPE_CHECKING:
    from aquila.records.rules import Part, Rule, RuleTable

_CACHED = 1 << 14
_MOST_BITS = 500.0  # beyond it a double cannot tell the probability from one


class Level(StrEnum):
    """A promise measured on held-back data: of the hits of a level at least this share is right."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def least(self) -> float:
        """The least probability of the level."""
        return _LEAST[self]

    def __lt__(self, other: str) -> bool:
        return self.least < Level(other).least

    def __le__(self, other: str) -> bool:
        return self.least <= Level(other).least

    def __gt__(self, other: str) -> bool:
        return self.least > Level(other).least

    def __ge__(self, other: str) -> bool:
        return self.least >= Level(other).least


_LEAST = {Level.LOW: 0.50, Level.MEDIUM: 0.90, Level.HIGH: 0.99}


@dataclass(frozen=True, slots=True)
class Grade:
    """What the rules that met say.

    Attributes:
        level: None where the probability is below every level: no hit.
        probability: That the two records are one person, 0 to 1.
        families: The evidence families that agree, strongest first.
        rules: The names of the rules that met, in the order of their numbers.
        sentences: The agreements in plain words, in the order of `families`.
    """

    level: Level | None
    probability: float
    families: tuple[str, ...]
    rules: tuple[str, ...]
    sentences: tuple[str, ...] = ()


@lru_cache(maxsize=_CACHED)
def grade(table: RuleTable, rule_mask: int, size_a: int, size_b: int) -> Grade:
    """Grade a pair of records by the rules that met.

    Args:
        table: The round's rule table.
        rule_mask: Bit `n - 1` is set where rule number n met; at least one.
        size_a: Records of the one list, padding included.
        size_b: Records of the other.

    Raises:
        InputError: No rule, an unknown rule, or an empty list.
    """
    rules = _rules_of(table, rule_mask)
    if min(size_a, size_b) < 1:
        raise InputError("A pair of lists cannot be graded if one is empty.")
    parts = strongest_parts(rules)
    probability = _probability(prior_bits(table, size_a, size_b) + sum(part.bits for part in parts))
    return Grade(
        level=level_of(probability),
        probability=probability,
        families=tuple(part.family for part in parts),
        rules=tuple(rule.name for rule in rules),
        sentences=tuple(part.sentence for part in parts),
    )


def level_of(probability: float) -> Level | None:
    """The highest level whose promise a probability keeps, or None."""
    return max((level for level in Level if probability >= level.least), default=None)


def prior_bits(table: RuleTable, size_a: int, size_b: int) -> float:
    """The prior odds that two records are one person, as log2: one's expected partners over all candidates."""
    odds = table.expected_share / max(size_a, size_b)
    return log2(odds) - log2(1 - odds) if odds < 1 else _MOST_BITS


def strongest_parts(rules: tuple[Rule, ...]) -> tuple[Part, ...]:
    """For each evidence family the strongest part that agrees; strongest family first, ties by name."""
    strongest: dict[str, Part] = {}
    for rule in rules:
        for part in rule.parts:
            if part.family not in strongest or part.bits > strongest[part.family].bits:
                strongest[part.family] = part
    return tuple(sorted(strongest.values(), key=lambda part: (-part.bits, part.family)))


def _rules_of(table: RuleTable, rule_mask: int) -> tuple[Rule, ...]:
    """The rules of a mask.

    Raises:
        InputError: None, or one that the table does not have.
    """
    rules = tuple(rule for rule in table.rules if rule_mask >> (rule.number - 1) & 1)
    if not rules or sum(1 << (rule.number - 1) for rule in rules) != rule_mask:
        raise InputError("A mask of rules is empty or names a rule that the table does not have.")
    return rules


def _probability(bits: float) -> float:
    """From log2 odds to a probability."""
    return 1 / (1 + exp2(-max(-_MOST_BITS, min(_MOST_BITS, bits))))
