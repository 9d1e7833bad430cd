"""The certainty that two records are the same person, from the match rules that met.

Fellegi and Sunter (1969): each evidence family adds the logarithm of its likelihood ratio, and the strongest part that
agrees speaks for its family, so that rules which depend on one another count once. The prior comes from the (padded)
sizes of the two lists and the share of persons that both hold: the longer the lists, the more pairs agree by chance.
The weights are the table's, moved by what was learned blind in the round (`learning.py`). Sizes, share, weights and
what was learned are stated to both sides; whoever has the rules that met can recompute the level (PROTOCOL.md 7).
All of it is whole hundredths of a bit, so that every machine gets the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from math import exp2

from aquila.errors import InputError
from aquila.records.rules import CENTIBITS, MILLION, Counted, Part, Rule, RuleTable, mask_of

_CACHED = 1 << 14
_MOST_CENTIBITS = 50_000  # beyond it a double cannot tell the probability from one
_MOST_LIFT = 660  # centibits, a hundredfold, that a pair gains at most because most records of both lists are settled

Learned = tuple[tuple[str, int], ...]
"""What a round learned, in hundredths of a bit: how much more a part weighs than in the table, by its name, and how
much it weighs that no part of a family agrees, by `missing_evidence`."""


class Level(StrEnum):
    """A promise measured on held-back data: of the hits of a level at least this share is right."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def least(self) -> float:
        """The least probability of the level."""
        return _LEAST[self]

    @property
    def centibits(self) -> int:
        """The least odds of the level, as log2 in hundredths of a bit, rounded up."""
        return _LEAST_CENTIBITS[self]

    def __lt__(self, other: str) -> bool:
        return self.centibits < Level(other).centibits

    def __le__(self, other: str) -> bool:
        return self.centibits <= Level(other).centibits

    def __gt__(self, other: str) -> bool:
        return self.centibits > Level(other).centibits

    def __ge__(self, other: str) -> bool:
        return self.centibits >= Level(other).centibits


_LEAST = {Level.LOW: 0.50, Level.MEDIUM: 0.90, Level.HIGH: 0.99}
_LEAST_CENTIBITS = {Level.LOW: 0, Level.MEDIUM: 317, Level.HIGH: 663}


@dataclass(frozen=True, slots=True)
class Grade:
    """The grade that results from the rules that met."""

    level: Level | None
    """None where the odds are below every level: no hit."""
    centibits: int
    """The odds that the two records are one person, as log2 in hundredths of a bit."""
    families: tuple[str, ...]
    """The evidence families that agree, strongest first."""
    rules: tuple[str, ...]
    """The names of the rules that met, in the order of their numbers."""
    sentences: tuple[str, ...] = ()
    """The agreements in plain words, in the order of `families`."""

    @property
    def probability(self) -> float:
        """That the two records are one person, 0 to 1: for people to read, and never compared with a level."""
        return 1 / (1 + exp2(-max(-_MOST_CENTIBITS, min(_MOST_CENTIBITS, self.centibits)) / CENTIBITS))


@dataclass(frozen=True, slots=True)
class GradingBasis:
    """The basis on which the pairs of two lists are graded, besides the rules that met."""

    size_a: int
    """Records of the one list, padding included."""
    size_b: int
    """Records of the other."""
    common_per_million: int
    """Of the smaller list, the share of persons that the other holds too, 1 to a million."""
    duplicates_per_million: int
    """The share of persons that a list tells of twice."""
    settled: int = 0
    """How many records of each list have a certain partner in the other."""
    learned: Learned = ()
    """What the round learned of the table's weights."""


def grade(table: RuleTable, rule_mask: int, size_a: int, size_b: int, common_per_million: int | None = None) -> Grade:
    """Grade a pair of records by the rules that met, with the table's own weights.

    Args:
        table: The round's rule table.
        rule_mask: Bit `n - 1` is set where rule number n met; at least one.
        size_a: Records of the one list, padding included.
        size_b: Records of the other.
        common_per_million: Of the smaller list, the share of persons that the other holds too, 1 to a million; the
            table's where none is given.

    Raises:
        InputError: No rule, an unknown rule, an empty list, or no share.
    """
    common = table.common_per_million if common_per_million is None else common_per_million
    return grade_on(table, rule_mask, GradingBasis(size_a, size_b, common, table.duplicates_per_million))


@lru_cache(maxsize=_CACHED)
def grade_on(table: RuleTable, rule_mask: int, grading_basis: GradingBasis, *, second: bool = False) -> Grade:
    """Grade a pair of records by the rules that met, on what the round learned.

    Args:
        table: The round's rule table.
        rule_mask: Bit `n - 1` is set where rule number n met; at least one.
        grading_basis: What is known of the two lists.
        second: Whether one of the two records has a partner in the other list that is certain, and more so than this
            pair: then this pair is right only if the person stands in a list twice.

    Raises:
        InputError: As `grade`.
    """
    rules = rules_of(table, rule_mask)
    parts = strongest_parts(rules)
    odds = evidence_of(table, rules, grading_basis) + prior_of(grading_basis, second=second)
    if not second and odds < Level.HIGH.centibits:
        odds += lift_of(grading_basis)
    return Grade(
        level=level_of(odds),
        centibits=odds,
        families=tuple(part.family for part in parts),
        rules=tuple(rule.name for rule in rules),
        sentences=tuple(part.sentence for part in parts),
    )


def evidence_of(table: RuleTable, rules: tuple[Rule, ...], grading_basis: GradingBasis) -> int:
    """Return the weight of the rules that met, in centibits: strongest parts, and missing evidence elsewhere."""
    learned = dict(grading_basis.learned)
    silent = sum(learned.get(missing_evidence(family), 0) for family in missing_families(table, rules))
    moved = sum(learned.get(part.name, 0) for part in strongest_parts(rules))
    together = learned.get(agreement_of_names(table, rules), 0)
    return table_weight(table, rules) + silent + moved + together


def agreement_of_names(table: RuleTable, rules: tuple[Rule, ...]) -> str:
    """Return the kind of agreement of the names, by the parts that make it; empty where no name agrees.

    What the table counts as the context of names is part of it: whether a place agrees by chance depends on the names.
    """
    counted = table.counted
    names = () if counted is None else names_that_agree(counted, rules)
    if counted is None or not names:
        return ""
    silent = missing_evidence(counted.context) if counted.context in missing_families(table, rules) else ""
    context = {part.family: part.name for part in strongest_parts(rules)}.get(counted.context, silent)
    return label_of_names(counted, tuple(part.name for part in names), context)


def names_that_agree(counted: Counted, rules: tuple[Rule, ...]) -> tuple[Part, ...]:
    """Return the strongest part of each family of names that agrees, in the table's order; nothing without the first.

    Args:
        counted: What the table counts.
        rules: The rules that met.
    """
    agreed = {part.family: part for part in strongest_parts(rules)}
    if counted.names[0] not in agreed:
        return ()
    return tuple(agreed[family] for family in counted.names if family in agreed)


def label_of_names(counted: Counted, names: tuple[str, ...], context: str) -> str:
    """Return how a kind of agreement of names is called where its weight is stated; no part is called so.

    Args:
        counted: What the table counts.
        names: The parts of names that agree.
        context: The part of the context that agrees, its silence, or nothing.
    """
    return f"{counted.names[0]}: {' + '.join(filter(None, (*names, context)))}"


def missing_evidence(family: str) -> str:
    """Return the name for the case that no part of a family agrees; no part is called so."""
    return f"{family}: silent"


@lru_cache(maxsize=_CACHED)
def missing_families(table: RuleTable, rules: tuple[Rule, ...]) -> tuple[str, ...]:
    """Return the families of which no part agrees though a rule would have shown it.

    A rule tells of a family where all its other parts agree. Where none could, silence says nothing: a place that is
    compared only together with a date is not known to differ between records of two dates. Nor does it where one of the
    two records lacks what a rule asks both for.
    """
    shown = {part for rule in rules for part in rule.shown}
    told = {part.family for rule in table.rules for part in rule.parts if shown.issuperset(set(rule.parts) - {part})}
    told |= _told_by_stronger(table, rules)
    silent = told - {part.family for part in shown} - _lacking_families(table, rules)
    return tuple(family for family, _words in table.families if family in silent)


def _told_by_stronger(table: RuleTable, rules: tuple[Rule, ...]) -> set[str]:
    """The families that a rule shows because stronger names agree than those that it compares.

    Names that agree in spelling agree in their consonants too, so a rule on these would have shown a date.
    """
    counted = table.counted
    agreed = {part.family: part.centibits for part in strongest_parts(rules)}
    if counted is None or counted.names[0] not in agreed:
        return set()
    names = counted.names[0]
    return {
        part.family
        for rule in table.rules
        for part in rule.parts
        for other in rule.parts
        if len(rule.parts) == 2 and part.family != names == other.family and agreed[names] >= other.centibits  # noqa: PLR2004
    }


def _lacking_families(table: RuleTable, rules: tuple[Rule, ...]) -> set[str]:
    """The families whose attribute nothing shows both records to have, because a rule with a `known` part is not met.

    The rule's other parts agree, or stronger ones of their families. Whether names do is left out: a date and one name
    tell as little of the attribute as a date alone.
    """
    agreed = {part.family: part.centibits for part in strongest_parts(rules)}
    names = () if table.counted is None else table.counted.names
    return {
        known.family
        for rule in table.rules
        for known in rule.parts
        if known.known
        and rule not in rules
        and all(p.family in agreed and agreed[p.family] >= p.centibits for p in rule.shown if p.family not in names)
    }


def table_weight(table: RuleTable, rules: tuple[Rule, ...]) -> int:
    """As `evidence_of`, by the table alone."""
    weights = dict(table.silent)
    silent = sum(weights.get(family, 0) for family in missing_families(table, rules))
    return sum(part.centibits for part in strongest_parts(rules)) + silent


def prior_of(grading_basis: GradingBasis, *, second: bool) -> int:
    """The prior odds of a pair, in centibits: of a second partner, the share of duplicates counts instead.

    Raises:
        InputError: As `prior`.
    """
    common = grading_basis.common_per_million
    if second:
        common = min(common, grading_basis.duplicates_per_million)
    return prior(grading_basis.size_a, grading_basis.size_b, common)


def lift_of(grading_basis: GradingBasis) -> int:
    """Return the gain of an uncertain pair, in centibits, when settled records are out of chance's reach."""
    sizes = grading_basis.size_a, grading_basis.size_b
    left_a, left_b = (max(0, size - grading_basis.settled) for size in sizes)
    if not left_a * left_b:
        return _MOST_LIFT
    return min(_MOST_LIFT, log2_centibits(sizes[0] * sizes[1], left_a * left_b))


def level_of(centibits: int) -> Level | None:
    """The highest level whose odds are reached, or None."""
    return max((level for level in Level if centibits >= level.centibits), default=None)


def prior(size_a: int, size_b: int, common_per_million: int) -> int:
    """The prior odds that two records are one person, in centibits: common persons over all pairs.

    Raises:
        InputError: An empty list, or a share that is none.
    """
    if min(size_a, size_b) < 1 or not 0 < common_per_million <= MILLION:
        raise InputError("prior_operands_out_of_range")
    return log2_centibits(common_per_million, MILLION * max(size_a, size_b))


@lru_cache(maxsize=_CACHED)
def log2_centibits(over: int, under: int) -> int:
    """Return log2 of a fraction in hundredths, rounded down: the greatest k with 2^k under^100 <= over^100, exactly.

    Args:
        over: The numerator, positive.
        under: The denominator, positive.
    """
    above: int = over**CENTIBITS
    below: int = under**CENTIBITS
    found = above.bit_length() - below.bit_length()
    return found if above << max(0, -found) >= below << max(0, found) else found - 1


def expected_chance_hits(grades: Iterable[Grade]) -> dict[Level, float]:
    """Return the number of hits of each level that chance alone is expected to give.

    What the probabilities themselves admit: the sum of their complements. It is as honest as the weights are.
    """
    expected = dict.fromkeys(Level, 0.0)
    for result in grades:
        if result.level is not None:
            expected[result.level] += 1 - result.probability
    return expected


@lru_cache(maxsize=_CACHED)
def strongest_parts(rules: tuple[Rule, ...]) -> tuple[Part, ...]:
    """For each evidence family the strongest part that agrees; strongest family first, ties by name.

    Of two equally strong parts of a family, that of the rule with the lower number counts.
    """
    strongest: dict[str, Part] = {}
    for rule in rules:
        for part in rule.shown:
            if part.family not in strongest or part.centibits > strongest[part.family].centibits:
                strongest[part.family] = part
    return tuple(sorted(strongest.values(), key=lambda part: (-part.centibits, part.family)))


@lru_cache(maxsize=_CACHED)
def rules_of(table: RuleTable, rule_mask: int) -> tuple[Rule, ...]:
    """The rules of a mask; raises InputError if none, or one that the table does not have."""
    rules = tuple(rule for rule in table.rules if rule_mask >> (rule.number - 1) & 1)
    if not rules or mask_of(rule.number for rule in rules) != rule_mask:
        raise InputError("rule_mask_empty_or_unknown")
    return rules
