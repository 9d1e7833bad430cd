"""Learning from two lists about themselves, from counts of agreement patterns alone and without a label.

Expectation-maximization (Dempster, Laird and Rubin 1977; Winkler 1988 for Fellegi-Sunter) over two classes of pairs.
Of one person's pairs of records it learns which share of the smaller list the other holds too, and how often they agree
at each level. Of strangers' pairs it counts how often chance makes names agree (`chance.py`): a name is rare or usual
in these lists. How often chance makes a whole date agree follows from parts of dates: where whole dates are counted
too, and all is learned at once, chance passes for persons. Each two lists of a round are learned from by themselves.

It computes in floating point, and another machine may learn something else in the last digit. What it returns is
integers, which reports state: grades come from these alone, at the matcher too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aquila.matching.certainty import (
    GradingBasis,
    Learned,
    label_of_names,
    missing_evidence,
    missing_families,
    names_that_agree,
    prior,
    rules_of,
    strongest_parts,
    table_weight,
)
from aquila.matching.chance import ChanceModel, chance_model, count_chance
from aquila.records.rules import CENTIBITS, MILLION, Counted, RuleTable

MOST_STEPS = 200
_CLOSE_ENOUGH = 1e-6
_LEAST_SHARE = 50  # a fiftieth of the expected share: lists with few common persons still show those they have
BELIEF = 100.0  # so many pairs of one person do the table's usual shares count for
_BELIEF_IN_CONTEXT = 50.0
_BELIEF_IN_RARITY = 10.0
_MOST_UNAGREED = 0.25  # of one person's pairs: more without a common date would let names alone pass for persons
_MOST_BITS = 200.0


class ListPair(NamedTuple):
    """Two lists: how many pairs of their records met under each mask of rules; and their sizes, padded."""

    patterns: Mapping[int, int]
    size_a: int
    size_b: int


class _Place(NamedTuple):
    """The numbers of a mask's names, date and context; -1 for each that is not counted."""

    names: int
    date: int
    context: int


@dataclass(frozen=True, slots=True)
class _Cells:
    """A pair of lists, mask by mask, m.

    Attributes:
        names, dates, contexts: What agrees, by number; -1 where it is not counted or not told.
        told, silent: For each family whose missing evidence is learned, whether the mask tells of it, and whether it is
            missing, m x F.
    """

    pair: ListPair
    counts: NDArray[np.float64]
    """How many pairs of records."""
    names: NDArray[np.int64]
    dates: NDArray[np.int64]
    contexts: NDArray[np.int64]
    rest: NDArray[np.float64]
    """The table's bits of everything else."""
    told: NDArray[np.float64]
    silent: NDArray[np.float64]

    @property
    def smaller(self) -> int:
        """The size of the smaller list."""
        return min(self.pair.size_a, self.pair.size_b)


@dataclass(frozen=True, slots=True)
class _Usual:
    """The shares of one person's pairs that agree in each way, and the weights of missing evidence in bits."""

    names: NDArray[np.float64]
    dates: NDArray[np.float64]
    contexts: NDArray[np.float64]
    missing: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Weights:
    """The weights of two lists, in bits; the last of each is that of what is not counted."""

    names: NDArray[np.float64]
    dates: NDArray[np.float64]
    contexts: NDArray[np.float64]

    def of(self, cells: _Cells) -> NDArray[np.float64]:
        """Return the weight of names, context and date for each mask."""
        bits: NDArray[np.float64] = (
            self.names[cells.names] + self.contexts[cells.names, cells.contexts] + self.dates[cells.dates]
        )
        return bits


def learn(table: RuleTable, lists: ListPair, *, steps: int = MOST_STEPS) -> GradingBasis:
    """Learn from two lists.

    Args:
        table: The round's rule table.
        lists: The two lists.
        steps: After how many steps learning ends even if it still moves.

    Returns:
        On what their pairs of records are graded: the share, at least a fiftieth of the expected one, and the weights
        that differ from the table's.

    Raises:
        InputError: A mask of unknown rules, or an empty list.
    """
    learner = _Learner(table, lists)
    for _step in range(steps):
        if learner.step():
            break
    share = _per_million(table, learner.share)
    return GradingBasis(lists.size_a, lists.size_b, share, table.duplicates_per_million, learned=learner.learned())


def learn_share(
    table: RuleTable, patterns: Mapping[int, int], size_a: int, size_b: int, *, steps: int = MOST_STEPS
) -> int:
    """Learn the share of two lists alone, in millionths, with the table's own weights, in at most `steps` steps.

    Raises:
        InputError: As `learn`.
    """
    counts = np.array(list(patterns.values()), dtype=np.float64)
    weights = [table_weight(table, rules_of(table, mask)) for mask in patterns]
    bits = (prior(size_a, size_b, MILLION) + np.array(weights, dtype=np.float64)) / CENTIBITS
    share = table.common_per_million / MILLION
    for _step in range(steps):
        before = share
        found = float(counts @ _probability(bits + np.log2(share)))
        share = _bounded(table, found / min(size_a, size_b))
        if abs(share - before) <= _CLOSE_ENOUGH * share:
            break
    return _per_million(table, share)


class _Learner:
    """Expectation-maximization over the pairs of records of two lists."""

    def __init__(self, table: RuleTable, lists: ListPair) -> None:
        self._table = table
        self._of = chance_model(table, table.counted) if table.counted else _NOTHING
        shared = {part.family for part in table.parts if part.usual}
        self._missing = tuple(family for family, _words in table.families if family not in shared)
        self._cells = self._read(lists)
        last = len(self._of.contexts) - 1
        self._in_context = bool(((self._cells.contexts >= 0) & (self._cells.contexts < last)).any())
        self._usual = _Usual(
            np.array([way.usual for way in self._of.names]),
            self._of.usual_dates,
            self._of.usual_contexts,
            np.zeros(len(self._missing)),
        )
        self.share = table.common_per_million / MILLION
        self._weights = self._weigh(np.zeros(len(self._cells.counts)))

    def step(self) -> bool:
        """Learn one step; return whether it changed nothing worth another."""
        before = np.append(self._weights.names, self.share)
        persons = self._expected()
        self._usual = self._learn_usual(persons)
        self.share = self._learn_share(persons)
        self._weights = self._weigh(persons)
        after = np.append(self._weights.names, self.share)
        return bool(np.allclose(before, after, rtol=_CLOSE_ENOUGH, atol=_CLOSE_ENOUGH))

    def learned(self) -> Learned:
        """Return the weights that differ from the table's."""
        weights, silent = self._weights, dict(self._table.silent)
        part_bits = {part.name: part.centibits / CENTIBITS for part in self._table.parts}
        found = dict(zip(map(missing_evidence, self._missing), self._usual.missing.tolist(), strict=True))
        if self._table.counted:
            date = self._table.counted.date
            *dates, unagreed = weights.dates[:-1].tolist()
            found |= {name: bits - part_bits[name] for name, bits in zip(self._of.dates, dates, strict=False)}
            found[missing_evidence(date)] = unagreed - silent.get(date, 0) / CENTIBITS
            found |= self._of_names(self._table.counted, weights)
        rounded = ((name, round(bits * CENTIBITS)) for name, bits in sorted(found.items()))
        return tuple((name, centibits) for name, centibits in rounded if centibits)

    def _of_names(self, counted: Counted, weights: _Weights) -> dict[str, float]:
        """Return how much more each kind of agreement of names weighs than its parts do in the table, by its label."""
        bits = {part.name: part.centibits / CENTIBITS for part in self._table.parts}
        bits[missing_evidence(counted.context)] = dict(self._table.silent).get(counted.context, 0) / CENTIBITS
        found = {}
        for number, way in enumerate(self._of.names):
            for place, context in ((-1, ""), *enumerate(self._of.contexts)):
                plain = sum(bits[part] for part in way.parts) + bits.get(context, 0.0)
                weight = float(weights.names[number] + weights.contexts[number, place])
                found[label_of_names(counted, way.parts, context)] = weight - plain
        return found

    def _expected(self) -> NDArray[np.float64]:
        """Return the pairs of each mask expected to be one person."""
        cells = self._cells
        odds = np.log2(self.share) - np.log2(max(cells.pair.size_a, cells.pair.size_b))
        bits = odds + cells.rest + self._weights.of(cells) + cells.silent @ self._usual.missing
        pairs: NDArray[np.float64] = cells.counts * _probability(bits)
        return pairs

    def _learn_share(self, persons: NDArray[np.float64]) -> float:
        """Return the share of common persons, estimated from the pairs with a common date."""
        cells, last = self._cells, len(self._of.dates) - 1
        dated = (cells.names >= 0) & (cells.dates >= 0) & (cells.dates < last)
        other = cells.names < 0
        unagreed = float(self._usual.dates[-1]) if last > 0 else 0.0
        found = float(persons[dated].sum()) / (1 - unagreed) + float(persons[other].sum())
        return _bounded(self._table, found / cells.smaller)

    def _learn_usual(self, persons: NDArray[np.float64]) -> _Usual:
        """Return how often one person's pairs agree in each way, from the expected pairs and the table's belief."""
        of, cells = self._of, self._cells
        names = np.zeros(len(of.names) + 1)
        dates, contexts = np.zeros(len(of.dates) + 1), np.zeros(len(of.contexts) + 1)
        alone = np.array([*(way.alone for way in of.names), False])
        agreed = (cells.names >= 0) & (cells.dates >= 0) & (cells.dates < len(of.dates) - 1)
        np.add.at(names, cells.names[agreed], persons[agreed])
        np.add.at(contexts, cells.contexts[agreed], persons[agreed])
        counted = alone[cells.names]
        np.add.at(dates, cells.dates[counted], persons[counted])
        told, silent = persons @ cells.told, persons @ cells.silent
        usual = _as_rare_as_found(of, names[:-1])
        shares = np.where([way.fixed for way in of.names], usual, _blended(names[:-1], usual, BELIEF))
        of_dates = _blended(dates[:-1], of.usual_dates, BELIEF)
        if len(of_dates) > 1:
            of_dates[-1] = min(_MOST_UNAGREED, float(of_dates[-1]))
        of_contexts = _blended(contexts[:-1], of.usual_contexts, _BELIEF_IN_CONTEXT)
        return _Usual(shares, of_dates, of_contexts, np.log2((silent + BELIEF) / (told + BELIEF)))

    def _weigh(self, persons: NDArray[np.float64]) -> _Weights:
        """Return the weights, from what strangers agree in."""
        of, usual, cells = self._of, self._usual, self._cells
        if not of.names:
            return _Weights(np.zeros(1), np.zeros(1), np.zeros((1, 1)))
        place = (cells.names, cells.dates, cells.contexts)
        strangers, met = np.zeros((2, len(of.names) + 1, len(of.dates) + 1, len(of.contexts) + 1))
        np.add.at(strangers, place, cells.counts - persons)
        np.add.at(met, place, cells.counts)
        pairs = float(cells.pair.size_a) * cells.pair.size_b
        chance = count_chance(of, strangers[:-1, :-1], met[:-1, :-1], pairs)
        names = np.append(np.log2(usual.names) - np.log2(chance.names), 0.0)
        dates = np.append(np.log2(usual.dates) - np.log2(chance.dates), 0.0)
        contexts = np.zeros((len(of.names) + 1, len(of.contexts) + 1))
        if self._in_context:
            told = np.array([way.implies_context for way in of.names])[:, np.newaxis]
            contexts[:-1, :-1] = np.log2(np.where(told, usual.contexts, _at_all(usual.contexts)))
            contexts[:-1, :-1] -= np.log2(np.where(told, chance.contexts, _at_all(chance.contexts)))
        return _Weights(names, dates, contexts)

    def _read(self, pair: ListPair) -> _Cells:
        """Place the masks of two lists among what is counted."""
        table, of, counted = self._table, self._of, self._table.counted
        prior(pair.size_a, pair.size_b, MILLION)
        ways = {way.parts: number for number, way in enumerate(of.names)}
        places, rest, told, silent = [], [], [], []
        weight = dict(table.silent)
        for mask in pair.patterns:
            rules = rules_of(table, mask)
            agreed, missing = {part.family: part for part in strongest_parts(rules)}, missing_families(table, rules)
            levels = {family: missing_evidence(family) for family in missing} | {
                f: part.name for f, part in agreed.items()
            }
            parts = names_that_agree(counted, rules) if counted else ()
            names = ways.get(tuple(part.name for part in parts), -1)
            context = -1
            if counted and names >= 0 and counted.context in levels:
                context = of.contexts.index(levels[counted.context])
            date = of.dates.index(levels[counted.date]) if counted and counted.date in levels else -1
            places.append(_Place(names, date, context))
            taken = {counted.date} if counted else set()
            taken |= set(counted.names) if counted and names >= 0 else set()
            taken |= {counted.context} if counted and context >= 0 else set()
            each = {family: part.centibits for family, part in agreed.items()} | {f: weight.get(f, 0) for f in missing}
            rest.append(sum(weighs for family, weighs in each.items() if family not in taken) / CENTIBITS)
            told.append([family in levels and family not in taken for family in self._missing])
            silent.append([family in missing and family not in taken for family in self._missing])
        shape = (len(places), len(self._missing))
        columns = np.array(places, dtype=np.int64).reshape(-1, 3)
        return _Cells(
            pair,
            np.array(list(pair.patterns.values()), dtype=np.float64),
            columns[:, 0],
            columns[:, 1],
            columns[:, 2],
            np.array(rest, dtype=np.float64),
            np.array(told, dtype=np.float64).reshape(shape),
            np.array(silent, dtype=np.float64).reshape(shape),
        )


_EMPTY = np.zeros(0)
_NOTHING = ChanceModel((), (), _EMPTY, _EMPTY, (), _EMPTY, _EMPTY, ())


def least_common_per_million(table: RuleTable) -> int:
    """Return the least share of common persons that is learned of two lists, in millionths, at least one."""
    return max(1, table.common_per_million // _LEAST_SHARE)


def _bounded(table: RuleTable, share: float) -> float:
    """Return a share within its bounds."""
    return min(1.0, max(least_common_per_million(table) / MILLION, share))


def _per_million(table: RuleTable, share: float) -> int:
    """Return a share within its bounds in millionths."""
    return max(least_common_per_million(table), round(MILLION * share))


def _blended(found: NDArray[np.float64], table: NDArray[np.float64], belief: float) -> NDArray[np.float64]:
    """Return the shares found, blended with those of the table, which count as a number of further pairs."""
    shares: NDArray[np.float64] = (found + belief * table) / (found.sum() + belief * table.sum() or 1.0)
    return shares * (table.sum() or 1.0)


def _as_rare_as_found(of: ChanceModel, found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the table's usual shares, with as many rare pairs of names among the pairs of names as are found.

    Errors of records are much alike in all lists, but a name that is rare in short lists is not in long ones.

    Args:
        of: What is counted.
        found: How many pairs of one person's records agree in each way, B.
    """
    usual = np.array([way.usual for way in of.names])
    pairs, rare = (np.array([way.rare in kinds for way in of.names]) for kinds in ((True, False), (True,)))
    if not rare.any():
        return usual
    expected = usual[rare].sum() / usual[pairs].sum()
    share = (found[rare].sum() + _BELIEF_IN_RARITY * expected) / (found[pairs].sum() + _BELIEF_IN_RARITY)
    usual[rare] *= share / expected
    usual[pairs & ~rare] *= (1 - share) / (1 - expected)
    return usual


def _at_all(contexts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each context the share that agrees in any, and last the share that agrees in none."""
    shares = contexts.copy()
    shares[..., :-1] = contexts[..., :-1].sum(axis=-1, keepdims=True)
    return shares


def _probability(bits: NDArray[np.float64]) -> NDArray[np.float64]:
    """From log2 odds to probabilities."""
    odds: NDArray[np.float64] = np.exp2(np.clip(bits, -_MOST_BITS, _MOST_BITS))
    return odds / (1 + odds)
