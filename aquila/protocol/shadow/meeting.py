"""The matcher's part: which tags of two columns met, and how many have to (PROTOCOL.md 3.7.13)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aquila.protocol.messages import ShadowColumn
from aquila.protocol.rounds.round_state import RoundState
from aquila.protocol.shadow.token_rows import Sets, TokenRows, numbered
from aquila.protocol.submissions.column_sizes import DUMMIES
from aquila.records.rules import RuleTable, mask_of


class ColumnTerms(NamedTuple):
    """The terms of the shadow columns of two lists.

    Attributes:
        sets: The rule table's sets for lists of their length.
        left_out: The numbers of those that one of the columns leaves out.
    """

    sets: Sets
    left_out: frozenset[int]

    @property
    def masks(self) -> tuple[int, ...]:
        """The masks of the sets that both columns have."""
        return masks_of(self.sets, self.left_out)


def sets_between(round_: RoundState, table: RuleTable, left: str, right: str) -> Sets:
    """Return the sets of rules for the lists of two parties, which are signed."""
    lists = [round_.submissions[round_.list_of(party) or ""] for party in (left, right)]
    return table.shadow_sets(max(one.records for one in lists))


def column_terms(round_: RoundState, table: RuleTable, left: str, right: str) -> ColumnTerms:
    """Return the terms of the columns of two parties, whose statements of tokens are there."""
    left_out = {number for column in _columns(round_, left, right) if column for number in column.left_out}
    return ColumnTerms(sets_between(round_, table, left, right), frozenset(left_out))


def have_one_key(round_: RoundState, left: str, right: str) -> bool:
    """Return whether two parties name the same key for their columns."""
    return len({column and column.key for column in _columns(round_, left, right)}) == 1


def _columns(round_: RoundState, left: str, right: str) -> list[ShadowColumn | None]:
    """Return what two parties' statements of tokens say of their columns for each other."""
    sides = ((left, right), (right, left))
    return [round_.tokens[round_.list_of(party) or ""].column_for(other) for party, other in sides]


def meets_a_set(rules: int, masks: Iterable[int]) -> bool:
    """Return whether a pair that met under some rules meets a set.

    Args:
        rules: The mask of the rules.
        masks: Those of the sets (`masks_of`).
    """
    return any(rules & mask == mask for mask in masks)


def masks_of(sets: Sets, left_out: Iterable[int] = ()) -> tuple[int, ...]:
    """Return the mask of each set but of those that are left out."""
    return tuple(mask_of(rules) for number, rules in enumerate(sets) if number not in left_out)


def met_tags(left: NDArray[np.bytes_], right: NDArray[np.bytes_]) -> NDArray[np.bytes_]:
    """Return the tags that two columns share, ascending, whatever order a party sent them in and how often."""
    distinct, numbers = numbered(np.concatenate([left, right]))
    sides = np.zeros((2, len(distinct)), dtype=bool)
    sides[0, numbers[: len(left)]] = True
    sides[1, numbers[len(left) :]] = True
    return distinct[sides.all(axis=0)].view(left.dtype)[:, 0]


def due_tags(shared: TokenRows, sets: Sets, left_out: Iterable[int]) -> int:
    """Return how many tags of two columns have to meet, from the rows that met.

    Args:
        shared: The tokens that each pair of records shares, under the pair's number.
        sets: The rule table's sets for these lists.
        left_out: Those that one of the columns leaves out.
    """
    return DUMMIES + sum(len(found.each_once()) for found in shared.combinations(sets, left_out))
