"""Learning from a round about its own lists, from counts of agreement patterns alone and without a label.

Expectation-maximization (Dempster, Laird and Rubin 1977; Winkler 1988 for Fellegi-Sunter): for each pair of lists,
which share of the smaller one the other holds too; for the round, how often the two records of one person agree at
each level of a family of evidence. How often chance makes two persons agree stays the table's: it is known better
from large lists than from the few pairs of a round, and where both are learned, chance passes for persons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from aquila.matching.certainty import (
    CENTIBITS,
    MILLION,
    GradingBasis,
    prior_bits,
    rules_of,
    silence,
    silent_families,
    strongest_parts,
    table_bits,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from aquila.records.rules import RuleTable

MOST_STEPS = 200
_CLOSE_ENOUGH = 1e-6
LEAST_SHARE = 0.1  # of the expected share: lists with few common persons still show those they have
BELIEF = 100.0  # so many pairs of one person do the table's usual shares count for
_CAUTION = 2.0  # bits that a pair must have over even odds to count for a weight: chance must not teach itself
_UNTOLD = ""  # of a family that no rule told of
_MOST_MOVE = 6.0  # bits that a weight moves at most


class ListPair(NamedTuple):
    """Two lists: how many pairs of their records met under each mask of rules; and their sizes, padded.

    `canaries` is how many of the pairs are canaries, on average: these are no persons, and are taken off.
    """

    patterns: Mapping[int, int]
    size_a: int
    size_b: int
    canaries: int = 0


@dataclass(frozen=True, slots=True)
class _Levels:
    """The levels of all families, one after another: each part, then that none of them agrees; and one level of none.

    The last is for what a mask does not tell, because no rule compared it; it weighs nothing and is never learned.

    Attributes:
        names: The part's name, or the silence of the family where none agrees.
        families: The family's number.
        usual: Of the pairs of one person that agree in the family at all, the share, as the table has it; zero where
            the table says none.
        silent: Whether it is the silence of a family whose parts have no usual share, and so is learned in their stead.
        moves: Whether it is a part whose weight a round moves.
    """

    names: tuple[str, ...]
    families: NDArray[np.int64]
    usual: NDArray[np.float64]
    silent: NDArray[np.bool_]
    moves: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Counted:
    """A pair of lists, mask by mask.

    Attributes:
        counts: How many pairs of records.
        bits: What the table makes of the mask: the log2 odds without the share.
        levels: For each mask one level of each family.
        smaller: The size of the smaller list.
        canaries: How many of the pairs are no persons.
    """

    counts: NDArray[np.float64]
    bits: NDArray[np.float64]
    levels: NDArray[np.int64]
    smaller: int
    canaries: int

    def expected(self, share: float, moved: NDArray[np.float64], caution: float = 0.0) -> NDArray[np.float64]:
        """Return the pairs of each mask expected to be one person, if all odds were a number of bits lower."""
        odds = np.exp2(self.bits + np.log2(share) + moved[self.levels].sum(axis=1) - caution)
        pairs: NDArray[np.float64] = self.counts * odds / (1 + odds)
        return pairs


def learn(table: RuleTable, lists: Sequence[ListPair], *, steps: int = MOST_STEPS) -> tuple[GradingBasis, ...]:
    """Learn from all pairs of lists of a round together.

    Args:
        table: The round's rule table.
        lists: The pairs of lists.
        steps: After how many steps learning ends even if it still moves.

    Returns:
        For each pair of lists on what its pairs of records are graded: its share, at least a tenth of the expected
        one, and the weights that all share.

    Raises:
        InputError: A mask of unknown rules, or an empty list.
    """
    levels = _levels(table)
    counted = [_counted(table, levels, pair) for pair in lists]
    shares, moved = np.full(len(lists), table.expected_share), np.zeros(len(levels.names))
    for _step in range(steps):
        found = [one.expected(share, moved) for one, share in zip(counted, shares.tolist(), strict=True)]
        before = np.concatenate((shares, moved))
        shares = np.array([_share(table, one, pairs) for one, pairs in zip(counted, found, strict=True)])
        sure = [one.expected(share, moved, _CAUTION) for one, share in zip(counted, shares.tolist(), strict=True)]
        moved = _agreed(_moved(levels, counted, found), _moved(levels, counted, sure))
        if np.allclose(np.concatenate((shares, moved)), before, rtol=_CLOSE_ENOUGH, atol=_CLOSE_ENOUGH):
            break
    bits = np.rint(moved * CENTIBITS).astype(int).tolist()
    learned = tuple(sorted((name, weight) for name, weight in zip(levels.names, bits, strict=True) if weight))
    rounded = np.maximum(1, np.rint(shares * MILLION)).astype(int).tolist()
    twice = round(MILLION * table.expected_duplicates)
    return tuple(
        GradingBasis(pair.size_a, pair.size_b, share, twice, learned=learned)
        for pair, share in zip(lists, rounded, strict=True)
    )


def learn_share(
    table: RuleTable, patterns: Mapping[int, int], size_a: int, size_b: int, *, steps: int = MOST_STEPS
) -> float:
    """Learn the share of two lists alone, with the table's own weights, in at most `steps` steps.

    Raises:
        InputError: As `learn`.
    """
    pair = ListPair(patterns, size_a, size_b)
    counted, still = _counted(table, _levels(table), pair), np.zeros(len(_levels(table).names))
    share = table.expected_share
    for _step in range(steps):
        before, share = share, _share(table, counted, counted.expected(share, still))
        if abs(share - before) <= _CLOSE_ENOUGH * share:
            break
    return share


def _share(table: RuleTable, counted: _Counted, found: NDArray[np.float64]) -> float:
    """Return the share for a number of common persons, within its bounds."""
    return min(1.0, max(LEAST_SHARE * table.expected_share, (float(found.sum()) - counted.canaries) / counted.smaller))


def _levels(table: RuleTable) -> _Levels:
    """The levels of a table."""
    names: list[str] = []
    families: list[int] = []
    usual: list[float] = []
    for number, (family, _words) in enumerate(table.families):
        parts = [part for part in table.parts if part.family == family]
        whole = sum(part.usual or 0 for part in parts) or 1
        names.extend([*(part.name for part in parts), silence(family)])
        usual.extend([*((part.usual or 0) / whole for part in parts), 0.0])
        families.extend([number] * (len(parts) + 1))
    names.append(_UNTOLD)
    usual.append(0.0)
    families.append(len(table.families))
    learned = np.bincount(families, usual) > 0
    numbers = np.array(families, dtype=np.int64)
    silences = {silence(family) for family, _words in table.families}
    silent = np.array([name in silences for name in names]) & ~learned[numbers]
    fixed = {part.name for part in table.parts if part.fixed}
    moves = (np.array(usual) > 0) & ~np.array([name in fixed for name in names])
    return _Levels(tuple(names), numbers, np.array(usual), silent, moves)


def _counted(table: RuleTable, levels: _Levels, pair: ListPair) -> _Counted:
    """The masks of two lists as arrays."""
    place = {name: number for number, name in enumerate(levels.names)}
    prior = prior_bits(pair.size_a, pair.size_b, 1.0)
    bits, rows = [], []
    for mask in pair.patterns:
        rules = rules_of(table, mask)
        told = {family: silence(family) for family in silent_families(table, rules)}
        told |= {part.family: part.name for part in strongest_parts(rules)}
        bits.append(prior + table_bits(table, rules))
        rows.append([place[told.get(family, _UNTOLD)] for family, _words in table.families])
    return _Counted(
        np.array(list(pair.patterns.values()), dtype=np.float64),
        np.array(bits, dtype=np.float64),
        np.array(rows, dtype=np.int64).reshape(len(rows), len(table.families)),
        min(pair.size_a, pair.size_b),
        pair.canaries,
    )


def _agreed(plain: NDArray[np.float64], cautious: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far both estimates move a weight the same way; zero if they differ."""
    return np.maximum(0, np.minimum(plain, cautious)) + np.minimum(0, np.maximum(plain, cautious))


def _moved(levels: _Levels, counted: Sequence[_Counted], found: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the movement of the weights when the expected pairs are added to those that the table is based on."""
    totals = BELIEF * np.where(levels.silent, 1.0, levels.usual)
    for one, pairs in zip(counted, found, strict=True):
        for column in one.levels.T:
            totals = totals + np.bincount(column, pairs, len(totals))
    speaking = np.bincount(levels.families, np.where(levels.usual > 0, totals, 0.0))[levels.families]
    everything = np.bincount(levels.families, totals)[levels.families]
    moved = np.zeros(len(levels.names))
    moves, silent = levels.moves, levels.silent
    moved[moves] = np.log2(totals[moves] / speaking[moves] / levels.usual[moves])
    moved[silent] = np.log2(totals[silent] / everything[silent])
    return np.clip(moved, -_MOST_MOVE, _MOST_MOVE)
