"""The weights of one hit, one by one: how a match gets from the prior odds to its level, for people to look at.

The weights are those of `certainty.grade_on`, in its order, and add up to its odds: what is drawn is what was graded.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import log2

from aquila.matching.certainty import (
    GradingBasis,
    Level,
    agreement_of_names,
    evidence_of,
    lift_of,
    missing_evidence,
    missing_families,
    prior_of,
    rules_of,
    strongest_parts,
)
from aquila.matching.chance import usual_bits
from aquila.records.rules import CENTIBITS, RuleTable


class WeightKind(StrEnum):
    """The kind of a weight."""

    PRIOR = "prior"
    AGREES = "agrees"
    MISSING = "missing"
    LIFT = "lift"


@dataclass(frozen=True, slots=True)
class Weight:
    """One weight."""

    kind: WeightKind
    """The prior odds, an agreement, evidence that is missing, or the lift of an uncertain pair where most records of
    both lists have a certain partner."""
    sentence: str
    """What agrees, or the name of the family of which nothing agrees; empty for prior and lift."""
    centibits: int
    """By how much it moves the odds, as log2 in hundredths of a bit."""
    differs: str = ""
    """Of an agreement, what then differs or is not known; empty where nothing."""


def weights_of(table: RuleTable, rule_mask: int, basis: GradingBasis, *, second: bool = False) -> tuple[Weight, ...]:
    """Return the weights by which a pair of records was graded.

    Args:
        table: The round's rule table.
        rule_mask: Bit `n - 1` is set where rule number n met; at least one.
        basis: What is known of the two lists.
        second: As in `certainty.grade_on`.

    Raises:
        InputError: As `certainty.grade_on`.
    """
    rules, learned = rules_of(table, rule_mask), dict(basis.learned)
    words, missing = dict(table.families), dict(table.silent)
    found = [Weight(WeightKind.PRIOR, "", prior_of(basis, second=second))]
    together = learned.get(agreement_of_names(table, rules), 0)
    for part in strongest_parts(rules):
        of_names = table.counted is not None and part.family == table.counted.names[0]
        weight = part.centibits + learned.get(part.name, 0) + (together if of_names else 0)
        found.append(Weight(WeightKind.AGREES, part.sentence, weight, part.differs))
    for family in missing_families(table, rules):
        weight = missing.get(family, 0) + learned.get(missing_evidence(family), 0)
        if weight:
            found.append(Weight(WeightKind.MISSING, words[family], weight))
    if not second and sum(one.centibits for one in found) < Level.HIGH.centibits:
        found.append(Weight(WeightKind.LIFT, "", lift_of(basis)))
    return tuple(one for one in found if one.kind is not WeightKind.LIFT or one.centibits)


def strangers_bits(table: RuleTable, rule_mask: int, basis: GradingBasis) -> float:
    """Return how many pairs of two persons are expected in two lists that agree in just this way, as log2.

    A weight is how much more often one person's records agree so than two persons' do.

    Args:
        table: The round's rule table.
        rule_mask: Bit `n - 1` is set where rule number n met; at least one.
        basis: What is known of the two lists.

    Raises:
        InputError: As `certainty.grade_on`.
    """
    rules = rules_of(table, rule_mask)
    pairs = log2(basis.size_a) + log2(basis.size_b)
    return pairs + usual_bits(table, rules) - evidence_of(table, rules, basis) / CENTIBITS
