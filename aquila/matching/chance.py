"""The share of strangers whose records agree by chance, counted for each two lists.

Long lists show it by themselves: nearly all pairs whose names agree and whose dates do not are strangers. How often
strangers agree in the date as well follows from there, because whether two strangers are born on one day does not
depend on their names. Too few agree in a whole date to be counted; they follow from those who agree in day, month and
decade. What rules show only together with a date, such as a single name, is scaled from the table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import log2, prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aquila.matching.certainty import missing_evidence, missing_families, names_that_agree, strongest_parts
from aquila.records.rules import Counted, Part, Rule, RuleTable

_BELIEF = 1.0  # so many strangers does the table's chance count for, of each way in which names agree
_BELIEF_IN_DATES = 2.0
_BELIEF_IN_CONTEXT = 3.0
_BELIEF_IN_NAMES = 3.0
_SPREAD = 0.5  # how the chance of the beginning of a name grows with that of a pair of names, as a power
_MOST_SINGLES = 2.0  # for each that the table expects, so many of one person's pairs agree in a single name alone
_MARGIN = 1.15  # a single name with an initial agrees by chance up to this much more often than beginnings show
_MOST_CHANCE = 0.3
_SAME_YEAR = 1 / 8  # for each stranger with the same day, month and decade and another year, so many with the same year
_DECADE = "birth:decade"


class NamesAgreement(NamedTuple):
    """A way in which names agree."""

    parts: tuple[str, ...]
    """The strongest part of each family of names that agrees."""
    usual: float
    """The share of one person's pairs of records that the table expects to agree so."""
    chance: float
    """The share of strangers' pairs that it expects to."""
    alone: bool
    """Whether rules on names alone show it, so that strangers are counted without a date."""
    dates: tuple[int, ...]
    """The numbers of the dates by which strangers are counted, where rules on names alone do not show it."""
    weak: bool
    """Whether it is no pair of names."""
    fixed: bool
    """Whether a round leaves its usual share alone."""
    rare: bool | None = None
    """Whether it is told by a rule for rare values; None where it is no pair of names."""

    @property
    def implies_context(self) -> bool:
        """True if rules without a whole date compare it together with the context."""
        return self.alone or bool(self.dates)


class SinglesByDate(NamedTuple):
    """A date that rules compare together with a single name, and the ways of these names, both by number."""

    date: int
    ways: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ChanceModel:
    """The names, dates and contexts of a table that has `counted`: B ways, D dates and C contexts.

    Attributes:
        usual_dates, chance_dates: The shares that the table expects of one person's pairs and of strangers', D + 1.
        usual_contexts, chance_contexts: The same for contexts, C + 1.
    """

    names: tuple[NamesAgreement, ...]
    """The ways in which names agree, B."""
    dates: tuple[str, ...]
    """The parts of the date, and last that none agrees, D + 1."""
    usual_dates: NDArray[np.float64]
    chance_dates: NDArray[np.float64]
    contexts: tuple[str, ...]
    """The parts of the context, and last that none agrees, C + 1."""
    usual_contexts: NDArray[np.float64]
    chance_contexts: NDArray[np.float64]
    singles: tuple[SinglesByDate, ...]
    """The dates by which strangers of a single name are counted."""
    decade: int | None = None
    """The number of the date that is day, month and decade; None where the table has none."""


class Chance(NamedTuple):
    """The shares of strangers of two lists that agree."""

    names: NDArray[np.float64]
    """The share of all pairs that agrees in each way, B."""
    dates: NDArray[np.float64]
    """The share that agrees in each date, D + 1."""
    contexts: NDArray[np.float64]
    """Of those that agree in a way of names, the share of each context, B x (C + 1)."""


@cache
def chance_model(table: RuleTable, counted: Counted) -> ChanceModel:
    """Return the names, dates and contexts that a round counts.

    Args:
        table: The rule table.
        counted: What it says of counting.
    """
    dates = parts_of(table, counted.date)
    # The whole date first, in whatever order a table is written.
    most = max((part.usual or 0.0 for part in dates), default=0.0)
    dates.sort(key=lambda part: (part.usual or 0.0) < most)
    contexts = parts_of(table, counted.context)
    of_dates = np.array([part.usual or 0.0 for part in dates])
    usual_contexts = [part.usual or 0.0 for part in contexts]
    chance_contexts = [part.chance_share for part in contexts]
    ways = tuple(_ways(table, counted, [part.name for part in dates]))
    return ChanceModel(
        ways,
        (*(part.name for part in dates), missing_evidence(counted.date)),
        np.append((1 - counted.unagreed) * of_dates / of_dates.sum(), counted.unagreed),
        np.array([*(part.chance_share for part in dates), 1.0]),
        (*(part.name for part in contexts), missing_evidence(counted.context)),
        np.array([*usual_contexts, 1 - sum(usual_contexts)]),
        np.array([*chance_contexts, 1 - sum(chance_contexts)]),
        tuple(_singles(table, ways, [part.name for part in dates])),
        next((number for number, part in enumerate(dates) if part.reads == _DECADE), None),
    )


def count_chance(of: ChanceModel, strangers: NDArray[np.float64], met: NDArray[np.float64], pairs: float) -> Chance:
    """Count how often strangers of two lists agree.

    Contexts are counted among all pairs without a common date: if those that seem to be one person were left out, a
    context in which a few strangers agree would be rare, and make persons of them.

    Args:
        of: What is counted.
        strangers: How many pairs of two persons agree so, B x (D + 1) x (C + 2); the last context is untold.
        met: How many pairs do at all, of the same shape.
        pairs: All pairs of records of the two lists.
    """
    by_date = strangers.sum(axis=2)
    alone = np.array([way.alone for way in of.names])
    known = by_date[alone].sum(axis=0)
    dates = (known + _BELIEF_IN_DATES) / (known[-1] + _BELIEF_IN_DATES / of.chance_dates)
    dates[0], dates[-1] = of.chance_dates[0], 1.0
    expected = sum(way.chance for way in of.names if way.alone) or 1.0
    scale = _scale(of, by_date, dates, pairs * expected)
    single = {way for one in of.singles for way in one.ways}
    seldom, often = _by_singles(of, met.sum(axis=2), dates, pairs, scale)
    names = np.zeros(len(of.names))
    contexts = np.zeros((len(of.names), len(of.contexts)))
    for number, way in enumerate(of.names):
        if way.alone:
            seen = met[number, -1]
            names[number] = (by_date[number, -1] + _BELIEF) / (pairs + _BELIEF / way.chance)
        elif way.dates:
            seen = met[number][list(way.dates)].sum(axis=0)
            counted, among = by_date[number, list(way.dates)].sum() + _BELIEF, pairs * dates[list(way.dates)].sum()
            if way.rare is None:  # a word of records that have no other
                names[number] = counted / (among + _BELIEF / way.chance)
            else:
                names[number] = min(counted / among, expected * scale)
        else:
            seen = met[alone, -1].sum(axis=0)
            names[number] = way.chance * _grown(way, scale) * (seldom if number in single else 1.0)
        belief = _BELIEF_IN_CONTEXT * of.chance_contexts
        contexts[number] = (seen[:-1] + belief) / (seen[:-1].sum() + _BELIEF_IN_CONTEXT)
    dates *= often
    dates[0] = _whole_date(of, dates)
    only_dated = [number for number, way in enumerate(of.names) if not way.implies_context]
    names[only_dated] *= of.chance_dates[0] / dates[0]  # what is shown with a whole date stays as scaled
    return Chance(np.minimum(names, _MOST_CHANCE), dates, contexts)


def usual_bits(table: RuleTable, rules: tuple[Rule, ...]) -> float:
    """Return the share of one person's pairs of records that the table expects to agree in just this way, as log2.

    What it does not know is taken for certain.

    Args:
        table: The rule table.
        rules: The rules that met.
    """
    agreed = {part.family: part for part in strongest_parts(rules)}
    if table.counted is None:
        return sum(log2(part.usual) for part in agreed.values() if part.usual is not None)
    of = chance_model(table, table.counted)
    names = tuple(part.name for part in names_that_agree(table.counted, rules))
    shares = [way.usual for way in of.names if way.parts == names]
    date, context = table.counted.date, table.counted.context
    if date in agreed or date in missing_families(table, rules):
        name = agreed[date].name if date in agreed else missing_evidence(date)
        shares.append(float(of.usual_dates[of.dates.index(name)]))
    if context in agreed:  # that none agrees is usual where a list has no such column
        shares.append(float(of.usual_contexts[of.contexts.index(agreed[context].name)]))
    return sum(map(log2, shares))


def _whole_date(of: ChanceModel, dates: NDArray[np.float64]) -> float:
    """Return the share of strangers that agrees in a whole date: the table's, or more where decades show more.

    Args:
        of: What is counted.
        dates: The share of strangers that agrees in each date, D + 1; that of the whole date is not read.
    """
    by_decade = 0.0 if of.decade is None else float(dates[of.decade]) * _SAME_YEAR
    return max(float(of.chance_dates[0]), by_decade)


def _scale(of: ChanceModel, by_date: NDArray[np.float64], dates: NDArray[np.float64], expected: float) -> float:
    """The factor by which pairs of names agree by chance more often than the table expects.

    Usual names are withheld where many records of a list bear them, but not together with a month: the larger of both
    counts is taken.
    """
    alone = np.array([way.alone for way in of.names])
    counted_by = sorted({date for way in of.names for date in way.dates})
    paired = np.array([way.rare is not None for way in of.names])
    without = (by_date[alone, -1].sum() + _BELIEF_IN_NAMES) / (expected + _BELIEF_IN_NAMES)
    share = dates[counted_by].sum()
    dated = by_date[paired][:, counted_by].sum() + _BELIEF_IN_NAMES
    return float(max(without, dated / (expected * share + _BELIEF_IN_NAMES)))


def _by_singles(
    of: ChanceModel, met: NDArray[np.float64], dates: NDArray[np.float64], pairs: float, scale: float
) -> tuple[float, NDArray[np.float64]]:
    """Return what pairs that agree in a single name and a date show of both: nearly all of them are strangers.

    Args:
        of: What is counted.
        met: How many pairs agree in each way and date, B x (D + 1).
        dates: The share of strangers that agrees in each date, D + 1.
        pairs: All pairs of records of the two lists.
        scale: The factor by which pairs of names agree by chance more often than the table expects.

    Returns:
        The factor, at most 1, by which single names agree by chance less often than the table expects. Persons are
        counted with the strangers, so that they never make chance rare; and of all dates the one counts that shows
        most, because lists with few whole dates show little by these.

        The factor of each date but the whole one, at least 1, by which strangers agree in it more often than is known,
        D + 1. Persons are left out by what pairs of names show of them. What all dates show alike is of the names.
    """
    usual, paired = np.array([way.usual for way in of.names]), np.array([way.rare is not None for way in of.names])
    fewer, more = dict[int, float](), dict[int, float]()
    for date, ways in of.singles:
        names = sum(of.names[way].chance * _grown(of.names[way], scale) for way in ways)
        expected = pairs * float(dates[date]) * names + _BELIEF_IN_NAMES
        seen = float(met[list(ways), date].sum())
        persons = (
            float(met[paired, date].sum()) * _MOST_SINGLES * usual[list(ways)].sum() / (usual[paired].sum() or 1.0)
        )
        fewer[date] = (seen + _BELIEF_IN_NAMES) / expected
        more[date] = (max(0.0, seen - persons) + _BELIEF_IN_NAMES) / expected
    often = np.ones(len(dates))
    of_names = max(1.0, min(more.values(), default=1.0))
    for date, factor in more.items():
        often[date] = max(1.0, factor / of_names) if date else 1.0
    return min(1.0, _MARGIN * max(fewer.values(), default=1.0)), often


def _grown(way: NamesAgreement, scale: float) -> float:
    """The factor by which a way of names that shows only with a date agrees by chance more often than expected."""
    return max(1.0, scale) ** _SPREAD if way.weak else scale


def _ways(table: RuleTable, counted: Counted, dates: Sequence[str]) -> Iterator[NamesAgreement]:
    """Yield the ways in which names can agree: those that rules on names alone show, and each part by itself."""
    families = counted.names
    rules = [rule for rule in table.rules if {part.family for part in rule.shown} <= set(families)]
    shown: dict[tuple[str, ...], tuple[Part, ...]] = {}
    for count in range(1, len(rules) + 1):
        for some in combinations(rules, count):
            parts = names_that_agree(counted, some)
            if parts:
                shown[tuple(part.name for part in parts)] = parts
    pairs = {parts[0].name for parts in shown.values()}
    singles = {(part.name,): (part,) for part in parts_of(table, families[0])}
    whole = sum(part.usual or 0.0 for part in parts_of(table, families[0]))
    others = [parts_of(table, family) for family in families[1:]]
    rare = {part for rule in table.rules if rule.most_records is not None for part in rule.parts}
    for names, parts in (shown | singles).items():
        first = parts[0]
        usual, chance = (first.usual or 0.0) / whole, first.chance_share
        if first.name in pairs:
            usual *= prod(_of_family(parts, [(part, part.usual or 0.0) for part in family]) for family in others)
        if names in shown:
            chance *= prod(_of_family(parts, [(part, part.chance_share) for part in family]) for family in others)
        by_dates = () if names in shown else tuple(_dated(table, first, dates))
        yield NamesAgreement(
            names,
            usual,
            chance,
            names in shown,
            by_dates,
            _is_weak(first),
            first.fixed,
            not rare.isdisjoint(parts) if first.name in pairs else None,
        )


def _dated(table: RuleTable, names: Part, dates: Sequence[str]) -> Iterator[int]:
    """Yield the dates that a rule compares together with a part of names, and nothing else; none if one is whole.

    What is compared with a whole date is counted by that (`_singles`).
    """
    others = [{*rule.parts} - {names} for rule in table.rules if names in rule.parts]
    compared = {part.name for other in others if len(other) == 1 for part in other}
    if dates[0] not in compared:
        yield from (number for number, date in enumerate(dates) if date in compared)


def _singles(table: RuleTable, ways: Sequence[NamesAgreement], dates: Sequence[str]) -> Iterator[SinglesByDate]:
    """Yield by which single names and which dates strangers can be counted: those of rules on just these two.

    A single name is one that a rule compares with a whole date and none without a date.
    """
    compared = {frozenset(part.name for part in rule.parts) for rule in table.rules}
    singles = [
        number
        for number, way in enumerate(ways)
        if not way.implies_context and frozenset({*way.parts, dates[0]}) in compared
    ]
    for number, date in enumerate(dates):
        shown = tuple(place for place in singles if frozenset({*ways[place].parts, date}) in compared)
        if shown:
            yield SinglesByDate(number, shown)


def parts_of(table: RuleTable, family: str) -> list[Part]:
    """Return the parts of an evidence family, in the table's order."""
    return [part for part in table.parts if part.family == family]


def _of_family(agreed: Sequence[Part], shares: Sequence[tuple[Part, float]]) -> float:
    """Return the share of the part of a family that is among those that agree; where none is, what the others leave."""
    return next((share for part, share in shares if part in agreed), 1 - sum(share for _part, share in shares))


def _is_weak(part: Part) -> bool:
    """Return whether a part compares a single word of a name."""
    return part.reads.startswith("word:")
