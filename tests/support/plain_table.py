"""A token table in memory, for lists of a few records: DuckDB takes a tenth of a second for each join."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor

import numpy as np

from aquila.matching.join import MatchedPair, MetTokens, TokenTable
from aquila.protocol.submissions.submission import TOKEN_ROW

_PLACES = 256


class PlainTable(TokenTable):
    """What `TokenTable` does, word by word as PROTOCOL.md 3.7.1 has it."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[bytes, list[tuple[bytes, int]]]] = defaultdict(lambda: defaultdict(list))
        self._found: list[MatchedPair] = []

    def add(self, number: int, rows: bytes) -> None:
        """Keep one chunk of token rows of the list with this number."""
        for handle, rule, token in np.frombuffer(rows, dtype=TOKEN_ROW).tolist():
            self._rows[number][handle].append((token, rule))

    def join(self, pairs: Iterable[tuple[int, int]], frequency_limit: int, executor: Executor | None = None) -> None:
        """Find every pair of records that share a token."""
        del executor
        found: list[MatchedPair] = []
        for lists in sorted(set(pairs)):
            left, right = (self._bearers(number, frequency_limit) for number in lists)
            pairs_of: dict[tuple[bytes, bytes], int] = defaultdict(int)
            for token, rule in left.keys() & right.keys():
                for one in left[token, rule]:
                    for other in right[token, rule]:
                        pairs_of[one, other] |= 1 << (rule - 1)
            found += [MatchedPair(*lists, *handles, rules) for handles, rules in pairs_of.items()]
        self._found = sorted(found)

    def _bearers(self, number: int, limit: int) -> dict[tuple[bytes, int], set[bytes]]:
        bearers: dict[tuple[bytes, int], set[bytes]] = defaultdict(set)
        of_token: dict[bytes, set[bytes]] = defaultdict(set)
        for handle, rows in self._rows[number].items():
            for token, rule in rows:
                bearers[token, rule].add(handle)
                of_token[token].add(handle)
        return {key: handles for key, handles in bearers.items() if len(of_token[key[0]]) <= limit}

    def patterns(self) -> dict[tuple[int, int], dict[int, int]]:
        """Return, for each joined pair of lists, how many pairs of records met under each mask of rules."""
        found: dict[tuple[int, int], dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for pair in self._found:
            found[pair.left, pair.right][pair.rules] += 1
        return {lists: dict(counts) for lists, counts in found.items()}

    def pairs(self) -> Iterator[MatchedPair]:
        """Yield every pair of records that met, once, in the order of lists and handles."""
        yield from self._found

    def met(self, pairs: Sequence[MatchedPair]) -> MetTokens:
        """Find which tokens met in some of the pairs."""
        found = [
            (number, left, right, rule, token)
            for number, pair in enumerate(pairs)
            for left, (token, rule) in self._placed(pair.left, pair.left_handle)
            for right, other in self._placed(pair.right, pair.right_handle)
            if other == (token, rule) and pair.rules >> (rule - 1) & 1
        ]
        columns = [[row[place] for row in found] for place in range(4)]
        lefts, rights, rules = (np.array(column, dtype=np.uint8) for column in columns[1:])
        tokens = np.frombuffer(b"".join(row[4] for row in found), dtype="V16")
        return MetTokens(len(pairs), np.array(columns[0], dtype=np.int64), lefts, rights, rules, tokens)

    def _placed(self, number: int, handle: bytes) -> list[tuple[int, tuple[bytes, int]]]:
        """Return the tokens of a record, each with its place among them."""
        return list(enumerate(sorted(self._rows[number][handle])))[:_PLACES]
