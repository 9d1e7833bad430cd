"""The matcher's part: which tags of two columns met, and how many have to (PROTOCOL.md 3.7.13)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aquila.protocol.messages import TokenColumn
from aquila.protocol.rounds.round_state import ColumnKey, ReportKey, RoundState
from aquila.protocol.shadow.token_rows import Combinations, Sets, TokenRows, numbered, numbered_rows
from aquila.protocol.submissions.column_sizes import DUMMIES, QUERY_DUMMIES
from aquila.records.rules import RuleTable, mask_of


class EarlierRows(NamedTuple):
    """Rows of a submission whose tags went out, or met, before a query's."""

    rows: TokenRows
    """Its rows, or of its pairs those that met, under the numbers of the query's tokens."""
    left_out: frozenset[int]
    """The numbers of the sets that its column leaves out."""


class ColumnTerms(NamedTuple):
    """The terms of the shadow columns of two lists, or of a query and a list."""

    sets: Sets
    """The rule table's sets for lists of their length."""
    left_out: frozenset[int]
    """The numbers of those that one of the columns leaves out."""
    before: tuple[frozenset[int], ...] = ()
    """Of a query the numbers of those that the column of each earlier submission of its asker leaves out."""

    @property
    def masks(self) -> tuple[int, ...]:
        """The masks of the sets that both columns have."""
        return masks_of(self.sets, self.left_out)


def sets_between(round_: RoundState, table: RuleTable, left: str, right: str) -> Sets:
    """Return the sets of rules for the lists of two parties, which are signed."""
    lists = [round_.submissions[round_.list_of(party) or ""] for party in (left, right)]
    return table.shadow_sets(max(one.records for one in lists))


def column_terms(round_: RoundState, table: RuleTable, left: str, right: str, query: str | None = None) -> ColumnTerms:
    """Return the terms of the columns of two parties, whose statements of tokens are there.

    Args:
        round_: The record.
        table: The round's rule table.
        left: The one party.
        right: The other one.
        query: The query of one of them that is compared with the other's list; None where both lists are.
    """
    left_out = {number for column in _columns(round_, left, right, query) for number in column.left_out}
    before: tuple[frozenset[int], ...] = ()
    if query is not None:
        owner = right if round_.submissions[query].party == left else left
        before = left_out_before(round_, query, owner)
    return ColumnTerms(sets_between(round_, table, left, right), frozenset(left_out), before)


def left_out_before(round_: RoundState, query: str, owner: str) -> tuple[frozenset[int], ...]:
    """Return the sets that the column of each of `RoundState.sent_before` for a list's owner leaves out."""
    earlier = round_.sent_before(query, owner)
    return tuple(frozenset(round_.tokens[ColumnKey(one, owner)].column.left_out) for one in earlier)


def have_one_key(round_: RoundState, left: str, right: str, query: str | None = None) -> bool:
    """Return whether two parties name the same key for their columns; arguments as `column_terms`."""
    return len({column.key for column in _columns(round_, left, right, query)}) == 1


def _columns(round_: RoundState, left: str, right: str, query: str | None) -> list[TokenColumn]:
    """Return what two parties' statements of tokens say of their columns for each other."""
    return [round_.tokens[key].column for key in round_.columns_of(ReportKey(left, right, query)) or ()]


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


def due_tags(shared: TokenRows, terms: ColumnTerms, before: Sequence[EarlierRows] | None = None) -> int:
    """Return how many tags of two columns have to meet, from the rows that met.

    Args:
        shared: The tokens that each pair of records shares, under the pair's number.
        terms: The terms of the columns.
        before: Of a query what its asker sent before; None of two lists.
    """
    due = DUMMIES if before is None else QUERY_DUMMIES
    return due + sum(len(new) for _, new in new_combinations(shared, terms, before or ()))


def new_combinations(
    shared: TokenRows, terms: ColumnTerms, before: Iterable[EarlierRows]
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield of each set that counts its number, and the tokens of each combination once that is not one of before."""
    earlier = [one for one in before if len(one.rows.records)]
    for found in shared.combinations(terms.sets, terms.left_out):
        gone = [
            one.rows.combined(found.number, terms.sets[found.number]).tokens
            for one in earlier
            if found.number not in one.left_out
        ]
        yield found.number, _without(found, gone)


def _without(found: Combinations, gone: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    every = found.each_once()
    kinds = numbered_rows(np.concatenate([every, *gone]))[1]
    is_gone = np.zeros(len(kinds), dtype=bool)
    is_gone[kinds[len(every) :]] = True
    return every[~is_gone[kinds[: len(every)]]]
