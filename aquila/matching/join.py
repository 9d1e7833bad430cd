"""The join of equal tokens of the pairs that may be matched, out of core (PROTOCOL.md 3.7.1).

Token rows of 33 bytes (record handle 16, rule number 1, token 16) are laid down as Parquet files and joined by DuckDB,
one range of token prefixes after another, so that memory is bounded by the range however many tokens there are. A
token is two 64-bit integers here, because DuckDB joins those three times as fast as bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import duckdb
import numpy as np

from aquila.errors import MalformedError
from aquila.records.rules import MOST_RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

TOKEN_ROW_BYTES = 33
_WIRE = np.dtype([("handle_high", ">u8"), ("handle_low", ">u8"), ("rule", "u1"), ("high", ">u8"), ("low", ">u8")])
_FETCH = 10_000
_PREFIXES = 1 << 16


@dataclass(frozen=True, slots=True)
class MatchedPair:
    """Two records whose tokens met: the numbers of their lists, their handles, and which rules met.

    Bit n-1 of `rules` stands for rule number n.
    """

    left: int
    right: int
    left_handle: bytes
    right_handle: bytes
    rules: int


def parse_rows(rows: bytes) -> np.ndarray:
    """Return token rows as a structured array, without copying.

    Raises:
        MalformedError: The bytes are not whole rows.
    """
    if len(rows) % TOKEN_ROW_BYTES:
        raise MalformedError("these are no whole token rows", expected=TOKEN_ROW_BYTES, got=len(rows))
    return np.frombuffer(rows, dtype=_WIRE)


class TokenTable:
    """The tokens of one match, as Parquet files in a directory that the caller makes and deletes.

    Args:
        directory: An empty directory of this match alone.
        memory_mib: What DuckDB may use before it spills into the directory.
        threads: How many threads DuckDB may use.
        rows_per_range: How many token rows, about, are joined at once.
    """

    def __init__(
        self, directory: Path, *, memory_mib: int = 512, threads: int = 2, rows_per_range: int = 5_000_000
    ) -> None:
        self._directory = directory
        self._rows_per_range = rows_per_range
        self._rows = 0
        self._files: list[str] = []
        self._connection = duckdb.connect(
            config={
                "memory_limit": f"{memory_mib}MiB",
                "threads": threads,
                "temp_directory": str(directory / "spill"),
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def add(self, number: int, rows: bytes) -> None:
        """Lay down one chunk of token rows of the list with this number.

        Raises:
            MalformedError: The bytes are not whole rows, or name a rule that no table can have.
        """
        wire = parse_rows(rows)
        if len(wire) and not 1 <= wire["rule"].min() <= wire["rule"].max() <= MOST_RULES:
            raise MalformedError("a token row names a rule that no table can have", expected=MOST_RULES)
        columns = {name: wire[name].astype(wire[name].dtype.newbyteorder("=")) for name in _WIRE.names or ()}
        path = str(self._directory / f"{len(self._files):08d}.parquet")
        table = self._connection.from_query(
            f"SELECT {number}::USMALLINT AS list, * FROM columns",  # noqa: S608  # an integer of our own
        )
        table.write_parquet(path)
        del columns
        self._files.append(path)
        self._rows += len(wire)

    def join(self, pairs: Sequence[tuple[int, int]], frequency_limit: int) -> None:
        """Find every pair of records that share a token; `patterns` and `pairs` then tell of them.

        Args:
            pairs: The list numbers that may be joined, as (left, right).
            frequency_limit: A token that more records of one list bear is left out.
        """
        run = self._connection.execute
        run("CREATE OR REPLACE TEMP TABLE allowed (left_list USMALLINT, right_list USMALLINT)")
        run(_CREATE_MET)
        if self._files and pairs:
            self._connection.executemany("INSERT INTO allowed VALUES (?, ?)", [list(pair) for pair in pairs])
            ranges = min(_PREFIXES, self._rows // self._rows_per_range + 1)
            step = -(-_PREFIXES // ranges)
            for first in range(0, _PREFIXES, step):
                run(_JOIN_RANGE, [self._files, first, first + step, frequency_limit])
        run(_GROUP)

    def patterns(self) -> dict[tuple[int, int], dict[int, int]]:
        """Return, for each joined pair of lists, how many pairs of records met under each mask of rules."""
        found: dict[tuple[int, int], dict[int, int]] = {}
        counts = "SELECT left_list, right_list, rules, count(*) FROM grouped GROUP BY ALL"
        for left, right, rules, count in self._connection.execute(counts).fetchall():
            found.setdefault((left, right), {})[rules] = count
        return found

    def pairs(self) -> Iterator[MatchedPair]:
        """Yield every pair of records that met, once, with all rules that met, in the order of lists and handles."""
        result = self._connection.execute("SELECT * FROM grouped ORDER BY ALL")
        while batch := result.fetchmany(_FETCH):
            for left, right, left_high, left_low, right_high, right_low, rules in batch:
                yield MatchedPair(left, right, _handle(left_high, left_low), _handle(right_high, right_low), rules)


def _handle(high: int, low: int) -> bytes:
    return high.to_bytes(8, "big") + low.to_bytes(8, "big")


_CREATE_MET = """
CREATE OR REPLACE TEMP TABLE met (
  left_list USMALLINT, right_list USMALLINT,
  left_high UBIGINT, left_low UBIGINT, right_high UBIGINT, right_low UBIGINT, rules UBIGINT)
"""

_JOIN_RANGE = """
INSERT INTO met
WITH tokens AS (
  SELECT DISTINCT list, handle_high, handle_low, rule, high, low
  FROM read_parquet($1) WHERE high >> 48 >= $2 AND high >> 48 < $3),
frequent AS (
  SELECT list, high, low FROM tokens GROUP BY list, high, low HAVING count(DISTINCT (handle_high, handle_low)) > $4),
rare AS (SELECT * FROM tokens ANTI JOIN frequent USING (list, high, low))
SELECT a.list, b.list, a.handle_high, a.handle_low, b.handle_high, b.handle_low,
       bit_or(1::UBIGINT << (a.rule - 1)::UBIGINT)
FROM allowed
JOIN rare a ON a.list = allowed.left_list
JOIN rare b ON b.list = allowed.right_list AND a.high = b.high AND a.low = b.low AND a.rule = b.rule
GROUP BY ALL
"""

_GROUP = """
CREATE OR REPLACE TEMP TABLE grouped AS
SELECT left_list, right_list, left_high, left_low, right_high, right_low, bit_or(rules) AS rules FROM met GROUP BY ALL
"""
