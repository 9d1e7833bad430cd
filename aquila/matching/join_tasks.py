"""Token rows on disk, and the two independent pieces of their join, each a task for any executor (PROTOCOL.md 3.7.1).

Rows lie in Parquet files that each hold one range of token prefixes. The rows of a token chunk are in the order of
their tokens (3.6.2), so the rows of a prefix are a slice of it and nothing is shuffled. Rows are gathered until they
fill files worth reading, and every file says which prefixes it holds.

`join_prefixes` finds the records that met in one range of prefixes, `group_pairs` gathers what met between some pairs
of lists over all ranges. A task names files in a directory that every worker sees, uses a database of its own, and
writes one file; done again, it writes the same file.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np

from aquila.errors import PolicyError

PREFIXES = 64  # the finest ranges; 64 of a few million rows are more tokens than a round has
PREFIX_BITS = 58  # what of a token's first 64 bits stands behind its prefix
_LEAST_FILE_ROWS = 4_096
_BORDERS = np.arange(PREFIXES, dtype=np.uint64) << np.uint64(PREFIX_BITS)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one DuckDB database."""

    directory: str
    """Where files are read and written, and nowhere else."""
    memory_mib: int
    """Memory before it spills into the directory, in MiB."""
    threads: int
    """Its threads."""


class TokenFile(NamedTuple):
    """A file of token rows, and the first and last prefix of the tokens in it."""

    path: str
    first: int
    last: int


class PartitionWriter:
    """Lays token rows down by prefix.

    Args:
        directory: Where the files go.
        limits: What DuckDB may use meanwhile.
        gathered_rows: How many rows are held in memory at most before they are written, 33 bytes each.
    """

    def __init__(self, directory: Path, limits: Limits, gathered_rows: int) -> None:
        self.files: list[TokenFile] = []
        self.rows = 0
        self._directory = directory
        self._gathered_rows = gathered_rows
        self._waiting: list[tuple[int, np.ndarray, np.ndarray]] = []
        self._waiting_rows = 0
        self.connection = open_database(limits, "lay-down")
        """The database, which serves others between two files."""

    def close(self) -> None:
        """Close the database, and discard rows that were not written."""
        self._waiting.clear()
        self.connection.close()

    def add(self, number: int, rows: np.ndarray) -> None:
        """Take rows of the list with this number; they stay in memory until `write` or until enough are there.

        Args:
            number: The list.
            rows: Structured, with the columns of a token row; they may be in any order.
        """
        high = rows["high"].astype(np.uint64)
        if (high[1:] < high[:-1]).any():
            order = np.argsort(high, kind="stable")
            rows, high = rows[order], high[order]
        self._waiting.append((number, rows, np.append(np.searchsorted(high, _BORDERS), len(rows))))
        self._waiting_rows += len(rows)
        self.rows += len(rows)
        if self._waiting_rows >= self._gathered_rows:
            self.write()

    def write(self) -> None:
        """Write what was gathered: a file for each range of prefixes, fewer and wider ones where there is little."""
        files = PREFIXES
        while files > 1 and self._waiting_rows < files * _LEAST_FILE_ROWS:
            files //= 2
        for first, end in pairwise(range(0, PREFIXES + 1, PREFIXES // files)):
            self._write(first, end)
        self._waiting.clear()
        self._waiting_rows = 0

    def _write(self, first: int, end: int) -> None:
        slices = [(number, rows[borders[first] : borders[end]]) for number, rows, borders in self._waiting]
        slices = [(number, rows) for number, rows in slices if len(rows)]
        if not slices:
            return
        # Opaque, because NumPy would copy the columns of rows one by one.
        opaque = np.dtype(f"V{slices[0][1].itemsize}")
        rows = np.concatenate([rows.view(opaque) for _, rows in slices]).view(slices[0][1].dtype)
        columns = {name: rows[name].astype(rows.dtype[name].newbyteorder("=")) for name in rows.dtype.names or ()}
        columns["list"] = np.repeat(
            np.array([number for number, _ in slices], dtype=np.uint16), [len(rows) for _, rows in slices]
        )
        path = str(self._directory / f"tokens-{len(self.files):06d}.parquet")
        self.connection.register("columns", columns)
        self.connection.execute(_WRITE, [path]).fetchall()
        self.connection.unregister("columns")
        self.files.append(TokenFile(path, first, end - 1))


def open_database(limits: Limits, name: str) -> duckdb.DuckDBPyConnection:
    """Open a database in memory that reaches no file outside its directory, no extension and no Python variable.

    Args:
        limits: What it may use.
        name: Of the place where it spills; no other database that is open has it.
    """
    connection = duckdb.connect(
        config={
            "memory_limit": f"{limits.memory_mib}MiB",
            "threads": limits.threads,
            "temp_directory": f"{limits.directory}/spill-{name}",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
        }
    )
    directory = limits.directory.replace("'", "''")
    connection.execute(f"SET allowed_directories = ['{directory}']")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET lock_configuration = true")
    return connection


@contextmanager
def database(
    limits: Limits, name: str, opened: duckdb.DuckDBPyConnection | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Lend a database as `open_database` makes it, and close it; or lend one that is open already, and leave it so.

    Raises:
        PolicyError: What is asked of it needs more memory than the limits allow, and cannot be put on disk.
    """
    with closing(open_database(limits, name)) if opened is None else nullcontext(opened) as connection:
        try:
            yield connection
        except duckdb.OutOfMemoryException:
            raise PolicyError("join_memory_too_small", memory=limits.memory_mib) from None


# Tokens and handles are random: compressing them and filtering by them costs time and saves nothing.
_WRITE = "COPY columns TO $1 (FORMAT parquet, COMPRESSION uncompressed, WRITE_BLOOM_FILTER false)"


LAST_HANDLE = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class JoinTask:
    """Join the tokens of a range of prefixes.

    Attributes:
        first, last: The range of prefixes, both included.
    """

    limits: Limits
    """What DuckDB may use."""
    files: tuple[str, ...]
    """Where tokens of the range are; what else they hold is passed over."""
    first: int
    last: int
    allowed: tuple[tuple[int, int], ...]
    """The pairs of list numbers that may be joined; the place of a pair is its number."""
    frequency_limit: int
    """A token that more records of one list bear is left out."""
    target: str
    """The file to write: pairs of handles by number of their pair of lists, in order, with the rules that met."""


@dataclass(frozen=True, slots=True)
class GroupTask:
    """Gather all rules that met between two handles, for some pairs of lists.

    Attributes:
        first_pair, last_pair: The numbers of the pairs of lists, both included.
        first_handle, last_handle: The first 64 bits of the left handles, both included; all of them, or a part of one
            pair of lists that has very many.
    """

    limits: Limits
    """What DuckDB may use."""
    files: tuple[str, ...]
    """What the join tasks wrote."""
    first_pair: int
    last_pair: int
    first_handle: int
    last_handle: int
    target: str
    """The file to write: every pair of handles once, in order."""


def join_prefixes(task: JoinTask, opened: duckdb.DuckDBPyConnection | None = None) -> dict[int, int]:
    """Write the pairs of records that met, and return how many rows there are for each pair of lists by its number.

    In the process of whoever asks, a database that is `opened` serves: to open one takes longer than to join a query.
    """
    left, right = np.array(task.allowed, dtype=np.uint16).T
    allowed = {"pair": np.arange(len(left), dtype=np.uint32), "left_list": left, "right_list": right}
    bounds = task.first << PREFIX_BITS, ((task.last + 1) << PREFIX_BITS) - 1
    with database(task.limits, Path(task.target).stem, opened) as connection:
        connection.register("allowed", allowed)
        connection.execute(_JOIN, [list(task.files), *bounds, task.frequency_limit, task.target]).fetchall()
        return dict(connection.execute(_COUNT_PAIRS, [task.target]).fetchall())


def group_pairs(task: GroupTask, opened: duckdb.DuckDBPyConnection | None = None) -> dict[int, dict[int, int]]:
    """Write every pair of records once; return how many met under each mask of rules, by the pair of lists' number.

    `opened` is as for `join_prefixes`.
    """
    found: dict[int, dict[int, int]] = {}
    bounds = task.first_pair, task.last_pair, task.first_handle, task.last_handle
    with database(task.limits, Path(task.target).stem, opened) as connection:
        connection.execute(_GROUP, [list(task.files), *bounds, task.target]).fetchall()
        for pair, rules, count in connection.execute(_COUNT_RULES, [task.target]).fetchall():
            found.setdefault(pair, {})[rules] = count
    return found


# Few tokens stand in two lists: the first 64 bits, which are cheap to count, sift out the others. Everything behind
# compares whole tokens, so a chance agreement of 64 bits costs nothing but a little work. The files are read twice,
# which costs less than keeping a range.
_JOIN = """
COPY (
WITH ranged AS NOT MATERIALIZED (
  SELECT list, handle_high, handle_low, rule, high, low FROM read_parquet($1)
  WHERE high BETWEEN $2::UBIGINT AND $3::UBIGINT),
common AS (SELECT high FROM ranged GROUP BY high HAVING min(list) <> max(list)),
tokens AS MATERIALIZED (SELECT DISTINCT * FROM ranged SEMI JOIN common USING (high)),
bearers AS (SELECT DISTINCT list, high, low, handle_high, handle_low FROM tokens),
frequent AS (SELECT list, high, low FROM bearers GROUP BY list, high, low HAVING count(*) > $4),
rare AS MATERIALIZED (SELECT * FROM tokens ANTI JOIN frequent USING (list, high, low))
SELECT allowed.pair, a.handle_high AS left_high, a.handle_low AS left_low,
       b.handle_high AS right_high, b.handle_low AS right_low,
       bit_or(1::UBIGINT << (a.rule - 1)::UBIGINT) AS rules
FROM allowed
JOIN rare a ON a.list = allowed.left_list
JOIN rare b ON b.list = allowed.right_list AND a.high = b.high AND a.low = b.low AND a.rule = b.rule
GROUP BY ALL ORDER BY ALL
) TO $5 (FORMAT parquet, COMPRESSION uncompressed, WRITE_BLOOM_FILTER false)
"""

_COUNT_PAIRS = "SELECT pair, count(*) FROM read_parquet($1) GROUP BY pair"

# The files are in order, so row groups outside the bounds are not even read.
_GROUP = """
COPY (
SELECT pair, left_high, left_low, right_high, right_low, bit_or(rules) AS rules FROM read_parquet($1)
WHERE pair BETWEEN $2::UINTEGER AND $3::UINTEGER AND left_high BETWEEN $4::UBIGINT AND $5::UBIGINT
GROUP BY ALL ORDER BY ALL
) TO $6 (FORMAT parquet, COMPRESSION uncompressed, WRITE_BLOOM_FILTER false)
"""

_COUNT_RULES = "SELECT pair, rules, count(*) FROM read_parquet($1) GROUP BY pair, rules"
