"""The two independent pieces of a join, each a task of its own on any executor (PROTOCOL.md 3.7.1).

`join_prefixes` finds the records that met in one range of token prefixes, `group_pairs` gathers what met between some
pairs of lists over all ranges. A task names files in a directory that every worker sees, uses a database of its own,
and writes one file; done again, it writes the same file anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aquila.matching.partitions import PREFIX_BITS, Limits, database

LAST_HANDLE = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class JoinTask:
    """Join the tokens of a range of prefixes.

    Attributes:
        limits: What DuckDB may use.
        files: Where tokens of the range are; what else they hold is passed over.
        first, last: The range of prefixes, both included.
        allowed: The pairs of list numbers that may be joined; the place of a pair is its number.
        frequency_limit: A token that more records of one list bear is left out.
        target: The file to write: pairs of handles by number of their pair of lists, in order, with the rules that met.
    """

    limits: Limits
    files: tuple[str, ...]
    first: int
    last: int
    allowed: tuple[tuple[int, int], ...]
    frequency_limit: int
    target: str


@dataclass(frozen=True, slots=True)
class GroupTask:
    """Gather all rules that met between two handles, for some pairs of lists.

    Attributes:
        limits: What DuckDB may use.
        files: What the join tasks wrote.
        first_pair, last_pair: The numbers of the pairs of lists, both included.
        first_handle, last_handle: The first 64 bits of the left handles, both included; all of them, or a part of one
            pair of lists that has very many.
        target: The file to write: every pair of handles once, in order.
    """

    limits: Limits
    files: tuple[str, ...]
    first_pair: int
    last_pair: int
    first_handle: int
    last_handle: int
    target: str


def join_prefixes(task: JoinTask) -> dict[int, int]:
    """Write the pairs of records that met, and return how many rows there are for each pair of lists by its number."""
    left, right = np.array(task.allowed, dtype=np.uint16).T
    allowed = {"pair": np.arange(len(left), dtype=np.uint32), "left_list": left, "right_list": right}
    bounds = task.first << PREFIX_BITS, ((task.last + 1) << PREFIX_BITS) - 1
    with database(task.limits, Path(task.target).stem) as connection:
        connection.register("allowed", allowed)
        connection.execute(_JOIN, [list(task.files), *bounds, task.frequency_limit, task.target]).fetchall()
        return dict(connection.execute(_COUNT_PAIRS, [task.target]).fetchall())


def group_pairs(task: GroupTask) -> dict[int, dict[int, int]]:
    """Write every pair of records once; return how many met under each mask of rules, by the pair of lists' number."""
    found: dict[int, dict[int, int]] = {}
    bounds = task.first_pair, task.last_pair, task.first_handle, task.last_handle
    with database(task.limits, Path(task.target).stem) as connection:
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
