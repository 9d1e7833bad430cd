"""How certain it is that two records are the same person, from the match rules that met.

Fellegi and Sunter (1969): each evidence family adds the logarithm of its likelihood ratio, and the strongest part that
agrees speaks for its family, so that rules which depend on one another count once. The prior comes from the (padded)
sizes of the two lists and the share of persons that both hold: the longer the lists, the more pairs agree by chance.
The share is the table's, or learned blind from the patterns that met. Sizes, share and weights are public; whoever
has the rules that met can recompute the level (PROTOCOL.md, certainty).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from math import exp2, log2
from typing import TYPE_CHECKING

from aquila.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aquila.records.rules import Part, Rule, RuleTable

_CACHED = 1 << 14
_MOST_BITS = 500.0  # beyond it a double cannot tell the probability from one
_LEAST_LEARNED = 0.1  # of the expected share: lists with few common persons still show those they have
MOST_STEPS = 200
_CLOSE_ENOUGH = 1e-6


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
def grade(table: RuleTable, rule_mask: int, size_a: int, size_b: int, share: float | None = None) -> Grade:
    """Grade a pair of records by the rules that met.

    Args:
        table: The round's rule table.
        rule_mask: Bit `n - 1` is set where rule number n met; at least one.
        size_a: Records of the one list, padding included.
        size_b: Records of the other.
        share: Of the smaller list, the share of persons that the other holds too, above 0 and at most 1; the table's
            `expected_share` where none is given.

    Raises:
        InputError: No rule, an unknown rule, an empty list, or no share.
    """
    rules = _rules_of(table, rule_mask)
    parts = strongest_parts(rules)
    prior = prior_bits(size_a, size_b, table.expected_share if share is None else share)
    probability = _probability(prior + sum(part.bits for part in parts))
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


def prior_bits(size_a: int, size_b: int, share: float) -> float:
    """The prior odds that two records are one person, as log2: common persons over all pairs.

    Raises:
        InputError: An empty list, or a share that is none.
    """
    if min(size_a, size_b) < 1 or not 0 < share <= 1:
        raise InputError("A prior needs two lists with records and a share above 0 and at most 1.")
    return log2(share) - log2(max(size_a, size_b))


def learn_share(
    table: RuleTable, patterns: Mapping[int, int], size_a: int, size_b: int, *, steps: int = MOST_STEPS
) -> float:
    """Learn from the patterns that met which share of the smaller list the other list holds too.

    Expectation-maximization over the share alone, the weights fixed: no label is needed, and nothing but counts.

    Args:
        table: The round's rule table.
        patterns: For each mask of rules, how many pairs of records of the two lists met so.
        size_a: Records of the one list, padding included.
        size_b: Records of the other.
        steps: After how many steps learning ends even if the share still moves.

    Returns:
        A share for `grade`: at least a tenth of the expected one, at most 1.

    Raises:
        InputError: As `grade`.
    """
    share, smaller = table.expected_share, min(size_a, size_b)
    least = _LEAST_LEARNED * share
    for _step in range(steps):
        found = sum(
            count * grade.__wrapped__(table, mask, size_a, size_b, share).probability
            for mask, count in patterns.items()
        )
        before, share = share, min(1.0, max(least, found / smaller))
        if abs(share - before) <= _CLOSE_ENOUGH * share:
            break
    return share


def expected_chance_hits(
    table: RuleTable, patterns: Mapping[int, int], size_a: int, size_b: int, share: float | None = None
) -> dict[Level, float]:
    """How many of the hits of each level are expected to be the work of chance.

    What the probabilities themselves admit: the sum of their complements. It is as honest as the weights are.

    Raises:
        InputError: As `grade`.
    """
    expected = dict.fromkeys(Level, 0.0)
    for mask, count in patterns.items():
        result = grade(table, mask, size_a, size_b, share)
        if result.level is not None:
            expected[result.level] += count * (1 - result.probability)
    return expected


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
