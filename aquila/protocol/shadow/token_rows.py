"""Token rows by number, and how they combine: values of 16 bytes become their places among all, ascending.

Sorting by the first 8 of 16 random bytes is all that is needed, and NumPy does it with the processor's vectors; where
two values begin alike, whole ones are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aquila.protocol.submissions.submission import HANDLE_BYTES, TOKEN_ROW

Sets = Sequence[tuple[int, ...]]

VALUE_BYTES = 16
_WORDS = np.dtype([("high", ">u8"), ("low", ">u8")])
_HANDLE = f"S{HANDLE_BYTES}"  # of one length all of them, so that NumPy's zeros at an end change no comparison


class Combinations(NamedTuple):
    """The combinations of tokens from which the tags of one set of rules are made."""

    number: int
    """The set's place among those of the rule table."""
    tokens: NDArray[np.int64]
    """Of each of n combinations the numbers of its tokens, one for each of the set's k rules: n x k."""
    records: NDArray[np.int64]
    """The number of the record of each."""

    def each_once(self) -> NDArray[np.int64]:
        """Return the tokens of each combination once; two records may share one."""
        return self.tokens[numbered_rows(self.tokens)[0]]


class _TokensOfRule(NamedTuple):
    """The tokens of a rule, record by record: how many each record has, where they begin, and their numbers."""

    counts: NDArray[np.int64]
    starts: NDArray[np.int64]
    tokens: NDArray[np.int64]


class TokenRows:
    """Token rows: of each the number of its record, its rule, and the number of its token.

    Args:
        count: How many records there are.
        records: The number of each row's record.
        rules: Its rule.
        tokens: The number of its token.
    """

    def __init__(
        self, count: int, records: NDArray[np.int64], rules: NDArray[np.uint8], tokens: NDArray[np.int64]
    ) -> None:
        self.count, self.records, self.rules, self.tokens = count, records, rules, tokens
        self._by_rule: dict[int, _TokensOfRule] = {}

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> TokenRows:
        """Return some of the rows."""
        return TokenRows(self.count, self.records[rows], self.rules[rows], self.tokens[rows])

    def combinations(self, sets: Sets, left_out: Iterable[int] = ()) -> Iterator[Combinations]:
        """Yield the combinations of every set but those that are left out; of two records with one, both."""
        return (self.combined(number, rules) for number, rules in enumerate(sets) if number not in left_out)

    def combined_count(self, rules: tuple[int, ...]) -> int:
        """Return how many combinations a set gives."""
        product = np.ones(self.count)
        for rule in rules:
            product *= self._of_rule(rule).counts
        return int(product.sum())

    def _of_rule(self, rule: int) -> _TokensOfRule:
        if rule not in self._by_rule:
            rows = np.flatnonzero(self.rules == rule)
            records = self.records[rows]
            counts = np.bincount(records, minlength=self.count)
            tokens = self.tokens[rows[np.argsort(records)]]
            self._by_rule[rule] = _TokensOfRule(counts, np.cumsum(counts) - counts, tokens)
        return self._by_rule[rule]

    def combined(self, number: int, rules: tuple[int, ...]) -> Combinations:
        """Return the combinations of a set: of each record one token for each rule, in the order of the rules."""
        records = np.arange(self.count)
        columns: list[NDArray[np.int64]] = []
        for rule in rules:
            own = self._of_rule(rule)
            often = own.counts[records]
            left = np.repeat(np.arange(len(records)), often)
            within = np.arange(len(left)) - np.repeat(np.cumsum(often) - often, often)
            records = records[left]
            columns = [*(column[left] for column in columns), own.tokens[own.starts[records] + within]]
        return Combinations(number, np.stack(columns, axis=1), records)


class RecordRows:
    """Token rows of one submission.

    Args:
        chunks: The rows, chunk by chunk.

    Attributes:
        handles: The handles of the n records, ascending; a record's number is its place here.
        tokens: The tokens, ascending, each once, m x 16 bytes; a token's number is its place here.
        numbers: The rows by these numbers.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        octets = bytearray()
        for chunk in chunks:
            octets += chunk
        rows = np.frombuffer(octets, dtype=TOKEN_ROW)
        self.tokens, tokens = numbered(rows["token"])
        handles, records = numbered(rows["handle"])
        self.handles = handles.view(_HANDLE)[:, 0]
        self.numbers = TokenRows(len(handles), records, rows["rule"].copy(), tokens)  # a copy, so that the rows can go

    def records_of(self, handles: Sequence[bytes]) -> NDArray[np.int64]:
        """Return the number of each of some records, and of one that is not here -1."""
        wanted = np.frombuffer(b"".join(handles), dtype=_HANDLE)
        places = np.searchsorted(self.handles, wanted)
        here = places < len(self.handles)
        here[here] = self.handles[places[here]] == wanted[here]
        return np.where(here, places, -1)

    def between(self, first: int, end: int) -> TokenRows:
        """Return some of the rows by their places in the order in which they were given."""
        return self.numbers[np.arange(first, end)]

    def at(self, handles: Sequence[bytes], places: Sequence[bytes]) -> TokenRows:
        """Return the rows at places of records, under the number of each of these records in the order given.

        Args:
            handles: The handles of the records, of some perhaps more than once.
            places: Of each the places among its rows in ascending order of the tokens, a byte each; those beyond are
                left out, and so are all of a record that is not here.
        """
        records = self.records_of(handles)
        is_wanted = np.zeros(self.numbers.count + 1, dtype=bool)
        is_wanted[records] = True
        rows = np.flatnonzero(is_wanted[self.numbers.records])
        rows = rows[np.lexsort((self.numbers.tokens[rows], self.numbers.records[rows]))]
        counts = np.bincount(self.numbers.records[rows], minlength=self.numbers.count + 1)
        starts = np.cumsum(counts) - counts
        asked = np.repeat(np.arange(len(handles)), list(map(len, places)))
        place, record = np.frombuffer(b"".join(places), dtype=np.uint8).astype(np.int64), records[asked]
        here = place < counts[record]
        found = self.numbers[rows[starts[record[here]] + place[here]]]
        return TokenRows(len(handles), asked[here], found.rules, found.tokens)

    def bearing(self, tokens: NDArray[np.int64]) -> TokenRows:
        """Return the rows with some tokens, which are given by number."""
        is_sought = np.zeros(len(self.tokens), dtype=bool)
        is_sought[tokens] = True
        return self.numbers[is_sought[self.numbers.tokens]]


def numbered(values: NDArray[np.void] | NDArray[np.bytes_]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return n values of 16 bytes in ascending order, each once, m x 16 bytes, and the place there of each value."""
    words = values.view(_WORDS)
    high, low = words["high"].astype(np.uint64), words["low"].astype(np.uint64)
    order = np.argsort(high)
    first, second = high[order], low[order]
    if ((first[1:] == first[:-1]) & (second[1:] != second[:-1])).any():
        order = np.lexsort((low, high))
        first, second = high[order], low[order]
    del high, low  # of a long list all these columns are large
    is_new = np.ones(len(order), dtype=bool)
    is_new[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    places = _places(order, is_new)
    del order
    distinct = np.empty(np.count_nonzero(is_new), dtype=_WORDS)
    distinct["high"], distinct["low"] = first[is_new], second[is_new]
    return distinct.view(np.uint8).reshape(-1, VALUE_BYTES), places


def numbered_rows(rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return of n x k numbers, none below 0, the place of one row of each kind, and the number of each row's kind."""
    kinds = order = np.zeros(len(rows), dtype=np.int64)
    is_new = np.zeros(len(rows), dtype=bool)
    for column in rows.T:
        joined = kinds * (column.max(initial=0) + 1) + column
        order = np.argsort(joined)
        is_new = are_new(joined[order])
        kinds = _places(order, is_new)
    return order[is_new], kinds


def each_once(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return numbers in ascending order, each once; `np.unique` takes many times as long."""
    ordered = np.sort(numbers)
    return ordered[are_new(ordered)]


def are_new(ordered: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return for each of some ascending numbers whether it is the first of its kind."""
    is_new = np.ones(len(ordered), dtype=bool)
    is_new[1:] = ordered[1:] != ordered[:-1]
    return is_new


def _places(order: NDArray[np.int64], is_new: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the number of each value's kind, from the order of the values and where a new kind begins in it."""
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.cumsum(is_new) - 1
    return places
