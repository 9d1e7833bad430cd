"""The join of equal tokens of the pairs that may be matched, out of core (PROTOCOL.md 3.7.1).

Token rows of 33 bytes (record handle 16, rule number 1, token 16) are laid down as Parquet by token prefix and joined
by DuckDB, a range of prefixes a task; what met is grouped by pair of handles, some pairs of lists a task. Memory is
bounded by the tasks at work, however many tokens there are. A token is two 64-bit integers here, because DuckDB joins
those three times as fast as bytes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from aquila.errors import MalformedError
from aquila.executors import InProcess, in_order
from aquila.matching.join_tasks import (
    LAST_HANDLE,
    PREFIXES,
    GroupTask,
    JoinTask,
    Limits,
    PartitionWriter,
    database,
    group_pairs,
    join_prefixes,
)
from aquila.octets import parted, parted_by
from aquila.records.rules import MOST_RULES

TOKEN_ROW_BYTES = 33
_WIRE = np.dtype([("handle_high", ">u8"), ("handle_low", ">u8"), ("rule", "u1"), ("high", ">u8"), ("low", ">u8")])
_HANDLE_BYTES = 16
_WHOLE = "V16"
_PLACES = 256
_FETCH = 10_000
_LEAST_ROW_BYTES = 64  # of memory for each row of a range: what a join of lists that share everything needs
_AHEAD = PREFIXES  # a task that waits is a few names


class MatchedPair(NamedTuple):
    """Two records whose tokens met: the numbers of their lists, their handles, and which rules met.

    Bit n-1 of `rules` stands for rule number n.
    """

    left: int
    right: int
    left_handle: bytes
    right_handle: bytes
    rules: int


class MatchedTokenPositions(NamedTuple):
    """Tokens of two records that met: their positions among all tokens of each record, a byte each, ascending."""

    left: bytes
    right: bytes


class MetTokens(NamedTuple):
    """Columns of the m tokens that met in n pairs of records; a token that a record has twice comes twice.

    Attributes:
        lefts, rights: Its places among all tokens of the two records, a byte each.
    """

    pairs: int
    """How many pairs of records there are, n."""
    numbers: NDArray[np.int64]
    """Of each token that of its pair, ascending."""
    lefts: NDArray[np.uint8]
    rights: NDArray[np.uint8]
    rules: NDArray[np.uint8]
    """Its rule."""
    tokens: NDArray[np.void]
    """The tokens, 16 bytes each."""

    def positions(self) -> list[MatchedTokenPositions]:
        """Return for each pair the places of the tokens that met (PROTOCOL.md 3.7.3)."""
        columns = []
        for places in (self.lefts, self.rights):
            ordered = np.sort(self.numbers * _PLACES + places)
            ordered = ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]
            counts = np.bincount(ordered // _PLACES, minlength=self.pairs)
            columns.append(parted_by((ordered % _PLACES).astype(np.uint8).tobytes(), counts.tolist()))
        known: dict[MatchedTokenPositions, MatchedTokenPositions] = {}  # few of all positions occur: each is kept once
        found = map(MatchedTokenPositions, *columns)
        return [known.setdefault(one, one) for one in found]


class _Share(NamedTuple):
    """A part of what met that is grouped at once: pairs of lists by number, or a range of left handles of one pair."""

    first_pair: int
    last_pair: int
    first_handle: int = 0
    last_handle: int = LAST_HANDLE


def parse_rows(rows: bytes) -> np.ndarray:
    """Return token rows as a structured array, without copying.

    Raises:
        MalformedError: The bytes are not whole rows.
    """
    if len(rows) % TOKEN_ROW_BYTES:
        raise MalformedError("token_rows_not_whole", expected=TOKEN_ROW_BYTES, got=len(rows))
    return np.frombuffer(rows, dtype=_WIRE)


def are_ordered(rows: np.ndarray) -> bool:
    """Return whether token rows ascend by token, and those with the same token by handle (PROTOCOL.md 3.6.2)."""
    ordered = np.ones(max(len(rows) - 1, 0), dtype=bool)
    for name in ("handle_low", "handle_high", "low", "high"):
        values = rows[name].astype(np.uint64)
        ordered = (values[1:] > values[:-1]) | ((values[1:] == values[:-1]) & ordered)
    return bool(ordered.all())


class TokenTable:
    """The tokens of one match, as Parquet files in a directory that the caller makes and deletes.

    Args:
        directory: An empty directory of this match alone; every worker of the executor sees it under this name.
        memory_mib: What DuckDB may use for a task before it spills into the directory, at least 64 for each million
            rows that are joined at once.
        threads: How many threads DuckDB may use where the tasks run one after another in this process.
        rows_per_range: How many token rows, about, are joined at once.
        gathered_rows: How many token rows are held in memory before they are laid down, 33 bytes each.
    """

    def __init__(
        self,
        directory: Path,
        *,
        memory_mib: int = 512,
        threads: int = 2,
        rows_per_range: int = 1_000_000,
        gathered_rows: int = 4_000_000,
    ) -> None:
        self._directory = directory.resolve()
        self._rows_per_range = rows_per_range
        self._limits = Limits(str(self._directory), memory_mib, threads)
        self._writer = PartitionWriter(self._directory, self._limits, gathered_rows)
        self._allowed: tuple[tuple[int, int], ...] = ()
        self._grouped: list[str] = []
        self._patterns: dict[tuple[int, int], dict[int, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    @property
    def rows(self) -> int:
        """The number of token rows that were added."""
        return self._writer.rows

    def add(self, number: int, rows: bytes) -> None:
        """Lay down one chunk of token rows of the list with this number.

        Raises:
            MalformedError: The bytes are not whole rows, or name a rule that no table can have.
        """
        wire = parse_rows(rows)
        if len(wire) and not 1 <= wire["rule"].min() <= wire["rule"].max() <= MOST_RULES:
            raise MalformedError("token_row_rule_impossible", expected=MOST_RULES)
        self._writer.add(number, wire)

    def join(self, pairs: Iterable[tuple[int, int]], frequency_limit: int, executor: Executor | None = None) -> None:
        """Find every pair of records that share a token; `patterns` and `pairs` then return them.

        Args:
            pairs: The list numbers that may be joined, as (left, right).
            frequency_limit: A token that more records of one list bear is left out.
            executor: Where the tasks run, each with one thread; by default in this process, one after another.

        Raises:
            PolicyError: A task needs more memory than it may use.
        """
        self._writer.write()
        self._allowed = tuple(sorted(set(pairs)))
        self._grouped, self._patterns = [], {}
        if not self._allowed or not self._writer.files:
            return
        ranges = list(self._ranges())
        memory = max(self._limits.memory_mib, self._writer.rows // len(ranges) * _LEAST_ROW_BYTES >> 20)
        limits = replace(self._limits, memory_mib=memory, threads=self._limits.threads if executor is None else 1)
        opened = self._writer.connection if executor is None and limits == self._limits else None
        executor = executor or InProcess()
        # 1. Join every range of prefixes.
        joins = [self._join_task(limits, *bounds, frequency_limit) for bounds in ranges]
        met: Counter[int] = Counter()
        for counts in in_order(executor, partial(join_prefixes, opened=opened), joins, _AHEAD):
            met.update(counts)
        # 2. Group what met by pair of handles.
        files = tuple(task.target for task in joins)
        groups = [
            GroupTask(limits, files, *share, self._path("pairs", number))
            for number, share in enumerate(_shares(met, self._rows_per_range))
        ]
        for patterns in in_order(executor, partial(group_pairs, opened=opened), groups, _AHEAD):
            self._note(patterns)
        self._grouped = [task.target for task in groups]

    def patterns(self) -> dict[tuple[int, int], dict[int, int]]:
        """Return, for each joined pair of lists, how many pairs of records met under each mask of rules."""
        return self._patterns

    def pairs(self) -> Iterator[MatchedPair]:
        """Yield every pair of records that met, once, with all rules that met, in the order of lists and handles."""
        masks = {mask: mask for counts in self._patterns.values() for mask in counts}  # one object of each
        for path in self._grouped:
            with database(self._limits, "pairs", self._writer.connection) as connection:
                columns = connection.execute("SELECT * FROM read_parquet($1)", [path]).fetchnumpy()
            numbers, rules = columns["pair"], columns["rules"]
            for first in range(0, len(numbers), _FETCH):
                some = slice(first, first + _FETCH)
                lefts, rights = (_handles(columns, side, some) for side in ("left", "right"))
                rows = zip(numbers[some].tolist(), lefts, rights, rules[some].tolist(), strict=True)
                for number, left, right, met in rows:
                    of, to = self._allowed[number]
                    yield MatchedPair(of, to, left, right, masks[met])

    def met(self, pairs: Sequence[MatchedPair]) -> MetTokens:
        """Find again which tokens met, for a few of all pairs; they stay here until the table is closed.

        Of a record the first 256 tokens count; none has more that were made as the protocol says.

        Args:
            pairs: Pairs of records that `pairs` gave.
        """
        if not pairs:
            nothing = np.zeros(0, dtype=np.uint8)
            return MetTokens(0, nothing.astype(np.int64), nothing, nothing, nothing, nothing.view(_WHOLE))
        with database(self._limits, "met", self._writer.connection) as connection:
            connection.register("hits", _columns_of(pairs))
            result = connection.execute(_MET, [[file.path for file in self._writer.files]]).fetchnumpy()
            connection.unregister("hits")
        found = {name: np.ma.getdata(column) for name, column in result.items()}
        numbers = found["number"].astype(np.int64)
        order = np.argsort(numbers)
        lefts, rights, rules = (found[name][order].astype(np.uint8) for name in ("left_place", "right_place", "rule"))
        tokens = np.stack([found["high"][order], found["low"][order]], axis=1).astype(">u8").view(_WHOLE)[:, 0]
        return MetTokens(len(pairs), numbers[order], lefts, rights, rules, tokens)

    def _ranges(self) -> Iterator[tuple[int, int]]:
        """Yield the first and last prefix of each range that is joined at once."""
        ranges = min(PREFIXES, self._writer.rows // self._rows_per_range + 1)
        for first, end in pairwise([PREFIXES * place // ranges for place in range(ranges + 1)]):
            yield first, end - 1

    def _join_task(self, limits: Limits, first: int, last: int, frequency_limit: int) -> JoinTask:
        files = tuple(file.path for file in self._writer.files if file.first <= last and file.last >= first)
        return JoinTask(limits, files, first, last, self._allowed, frequency_limit, self._path("met", first))

    def _path(self, kind: str, number: int) -> str:
        return str(self._directory / f"{kind}-{number:06d}.parquet")

    def _note(self, patterns: Mapping[int, Mapping[int, int]]) -> None:
        for number, counts in patterns.items():
            known = self._patterns.setdefault(self._allowed[number], {})
            for rules, count in counts.items():
                known[rules] = known.get(rules, 0) + count


def _shares(met: Mapping[int, int], rows: int) -> Iterator[_Share]:
    """Cut the matches into parts of about equal size, in the order of pairs of lists and handles.

    Args:
        met: How many rows each pair of lists has, by its number.
        rows: Where a single pair has more, it is cut by its left handles, which are random.
    """
    together: list[int] = []
    for pair in sorted(met):
        if together and sum(met[one] for one in together) + met[pair] > rows:
            yield _Share(together[0], together[-1])
            together = []
        parts = -(-met[pair] // rows)
        if parts > 1:
            borders = [(LAST_HANDLE + 1) * part // parts for part in range(parts + 1)]
            yield from (_Share(pair, pair, first, end - 1) for first, end in pairwise(borders))
        else:
            together.append(pair)
    if together:
        yield _Share(together[0], together[-1])


def _columns_of(pairs: Sequence[MatchedPair]) -> dict[str, np.ndarray]:
    """Return pairs of records as columns, numbered in their order."""
    columns: dict[str, np.ndarray] = {"number": np.arange(len(pairs), dtype=np.uint32)}
    for side in ("left", "right"):
        handles = b"".join(getattr(pair, f"{side}_handle") for pair in pairs)
        high, low = np.frombuffer(handles, dtype=">u8").astype(np.uint64).reshape(-1, 2).T
        lists = np.array([getattr(pair, side) for pair in pairs], dtype=np.uint16)
        columns |= {f"{side}_list": lists, f"{side}_high": high, f"{side}_low": low}
    columns["rules"] = np.array([pair.rules for pair in pairs], dtype=np.uint64)
    return columns


def _handles(columns: Mapping[str, np.ndarray], side: str, some: slice) -> list[bytes]:
    """Return the handles of one side of some rows."""
    words = [columns[f"{side}_{half}"][some] for half in ("high", "low")]
    return parted(np.stack(words, axis=1).astype(">u8").tobytes(), _HANDLE_BYTES)


# Rules outside the mask are those that were too frequent (3.7.1). A place is a byte: what a party sends beyond 256
# tokens of a record met nothing that can be sealed.
_MET = """
WITH wanted AS (
  SELECT left_list AS list, left_high AS handle_high, left_low AS handle_low FROM hits
  UNION SELECT right_list, right_high, right_low FROM hits),
placed AS MATERIALIZED (
  SELECT list, handle_high, handle_low, rule, high, low,
         row_number() OVER (PARTITION BY list, handle_high, handle_low ORDER BY high, low) - 1 AS place
  FROM read_parquet($1) SEMI JOIN wanted USING (list, handle_high, handle_low)
  QUALIFY place < 256)
SELECT number, a.place AS left_place, b.place AS right_place, a.rule AS rule, a.high AS high, a.low AS low
FROM hits
JOIN placed a ON a.list = left_list AND a.handle_high = left_high AND a.handle_low = left_low
JOIN placed b ON b.list = right_list AND b.handle_high = right_high AND b.handle_low = right_low
             AND a.high = b.high AND a.low = b.low AND a.rule = b.rule
WHERE (rules >> (a.rule - 1)::UBIGINT) & 1 = 1
"""
