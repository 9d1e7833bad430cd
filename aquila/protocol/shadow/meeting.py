"""The matcher's part: which tags of two columns met, and how many have to (PROTOCOL.md 3.7.13)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from aquila.protocol.shadow.columns import RecordRows
from aquila.protocol.submissions.column_sizes import DUMMIES
from aquila.protocol.submissions.submission import HANDLE_BYTES, TOKEN_ROW
from aquila.records.rules import mask_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from aquila.protocol.rounds.round_state import RoundState
    from aquila.protocol.shadow.columns import Combinations, Sets
    from aquila.records.rules import RuleTable


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
    left_out: set[int] = set()
    for party, other in ((left, right), (right, left)):
        column = round_.tokens[round_.list_of(party) or ""].column_for(other)
        left_out |= {*column.left_out} if column else set()
    return ColumnTerms(sets_between(round_, table, left, right), frozenset(left_out))


def have_one_key(round_: RoundState, left: str, right: str) -> bool:
    """Return whether two parties name the same key for their columns."""
    sides = ((left, right), (right, left))
    columns = [round_.tokens[round_.list_of(party) or ""].column_for(other) for party, other in sides]
    return len({column and column.key for column in columns}) == 1


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
    """Return the tags that two columns share, ascending."""
    return np.intersect1d(left, right, assume_unique=True)


def due_tags(shared: NDArray[np.void], sets: Sets, left_out: Iterable[int]) -> int:
    """Return how many tags of two columns have to meet, from the rows that met.

    Args:
        shared: The tokens that each pair of records shares, as rows under the pair's number (`shared_rows`).
        sets: The rule table's sets for these lists.
        left_out: Those that one of the columns leaves out.
    """
    return DUMMIES + sum(len(found.tokens) for found in shared_combinations(shared, sets, left_out)[1])


def shared_combinations(
    shared: NDArray[np.void], sets: Sets, left_out: Iterable[int]
) -> tuple[list[Combinations], list[Combinations]]:
    """Return the combinations that pairs of records share under each set: of each pair, and each once."""
    every = RecordRows([shared.tobytes()]).combinations(sets, left_out)
    return every, [found.each_once() for found in every]


def shared_rows(numbers: Sequence[int] | NDArray[np.int64], rules: bytes, tokens: bytes) -> NDArray[np.void]:
    """Return the tokens that pairs of records share, as token rows under the number of the pair.

    Args:
        numbers: Of each token that of its pair, from 0.
        rules: The rule of each, a byte.
        tokens: The tokens, 16 bytes each.
    """
    rows = np.zeros(len(rules), dtype=TOKEN_ROW)
    handles = np.zeros((len(rules), HANDLE_BYTES), dtype=np.uint8)
    # Behind a one, so that no handle ends where NumPy would see the end of a text.
    handles[:, -9:-1] = np.asarray(numbers, dtype=">u8").reshape(-1, 1).view(np.uint8).reshape(-1, 8)
    handles[:, -1] = 1
    rows["handle"] = np.frombuffer(handles.tobytes(), dtype=f"V{HANDLE_BYTES}")
    rows["rule"] = np.frombuffer(rules, dtype=np.uint8)
    rows["token"] = np.frombuffer(tokens, dtype=TOKEN_ROW["token"])
    return rows


def number_of(handle: bytes) -> int:
    """Return the number of a pair from the handle that `shared_rows` gave it."""
    return int.from_bytes(handle.ljust(HANDLE_BYTES, b"\0")[-9:-1], "big")
