"""Publishing counts without showing small ones (docs/STATISTICS.md).

The rule, for cells that add up to a published total:

1. A count below `LEAST`, zero included, is not published.
2. The total is published if it is `LEAST` at least. What it says of the cells that are held back is their sum; where
   that is neither zero nor `LEAST` at least, or where it is the count of a single cell, the smallest published cell is
   held back too, and so on.
3. Every other sum (a party's, one over several rounds) adds up what is published and nothing else, so it tells nothing
   more; how many counts it lacks is said beside it.

So no small count follows from what is published, of one round or of all of them: each hidden cell that may be more
than zero shares its sum with another one, and 3 adds no equation.

Two tables hang together with what was published already, and obey further rules:

4. *Rows split by columns* (`split`), where totals of rows and of columns are published. A row is split as a whole, if
   its total is published and each of its cells is zero or `LEAST` at least; any other is not split at all. What the
   rows that are not split leave of each published column, and of the hidden ones together, is zero or `LEAST` at least,
   and never the content of one row alone; else the smallest split row is held back too. Of two such rows a hit can
   change its column if one of the other changes back, so that no total tells where a small cell lies.
5. *Counts at several thresholds* (`nested`), where one is not a part of another. Two that are published of the same key
   are equal or differ by `LEAST` at least, and so do their sums: a difference is never a small count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

KeyT = TypeVar("KeyT")
ColumnT = TypeVar("ColumnT")

LEAST = 5
"""The smallest count that is published."""


@dataclass(frozen=True, slots=True)
class Published(Generic[KeyT]):
    """A table as it is published: None stands for what is held back."""

    cells: Mapping[KeyT, int | None]
    total: int | None


def publish(counts: Mapping[KeyT, int], least: int = LEAST) -> Published[KeyT]:
    """Hold back what must not be published of cells and their total.

    Args:
        counts: The cells, none of them negative.
        least: The smallest count that is published.
    """
    total = sum(counts.values())
    shown = {key: count for key, count in counts.items() if count >= least}
    while shown and _tells(counts, shown, least):
        del shown[min(shown, key=lambda key: shown[key])]
    return Published({key: shown.get(key) for key in counts}, total if total >= least else None)


def _tells(counts: Mapping[KeyT, int], shown: Mapping[KeyT, int], least: int) -> bool:
    """Say whether the total gives away what is held back."""
    left = sum(counts.values()) - sum(shown.values())
    return 0 < left < least or (left > 0 and len(counts) - len(shown) == 1)


def split(
    counts: Mapping[KeyT, Mapping[ColumnT, int]], rows: Published[KeyT], columns: Published[ColumnT], least: int = LEAST
) -> frozenset[KeyT]:
    """Return the rows whose cells may be published beside the totals of rows and columns.

    Args:
        counts: The cells of each row; a column that a row lacks is zero.
        rows: What is published of the rows' totals.
        columns: What is published of the columns' totals.
        least: The smallest count that is published.
    """
    hidden = frozenset(column for column, total in columns.cells.items() if total is None)
    known = [frozenset({column}) for column in columns.cells if column not in hidden] + [hidden]
    totals = {row: sum(cells.values()) for row, cells in counts.items()}
    shown = [
        row
        for row, cells in counts.items()
        if rows.cells[row] is not None and all(count == 0 or count >= least for count in cells.values())
    ]
    while shown:
        left = [row for row in counts if row not in shown and totals[row]]
        # Columns are known one by one, the hidden ones together: what is left of a total must not be small.
        told = [group for group in known if 0 < sum(_of(counts[row], group) for row in left) < least]
        if not told and len(left) != 1:
            break
        helps = [row for row in shown if not told or _of(counts[row], told[0])]
        shown.remove(min(helps, key=lambda row: totals[row]))
    return frozenset(shown)


def _of(cells: Mapping[ColumnT, int], group: frozenset[ColumnT]) -> int:
    return sum(cells.get(column, 0) for column in group)


def nested(tables: Sequence[Mapping[KeyT, int]], least: int = LEAST) -> list[dict[KeyT, int | None]]:
    """Hold back what must not be published of the same counts at several thresholds.

    Args:
        tables: The counts at each threshold, the one that matters most first: it loses nothing to the others.
        least: The smallest count that is published.
    """
    found: list[dict[KeyT, int | None]] = []
    for counts in tables:
        cells = dict(publish(counts, least).cells)
        for key, count in cells.items():
            if count is not None and any(_close(count, other.get(key), least) for other in found):
                cells[key] = None
        while both := next(filter(None, (_near(cells, other, least) for other in found)), []):
            cells[min(both, key=lambda key: counts[key])] = None
        found.append(cells)
    return found


def _near(one: Mapping[KeyT, int | None], other: Mapping[KeyT, int | None], least: int) -> list[KeyT]:
    """Return what both publish, where their sums over it differ by a small number; else nothing."""
    both = [key for key, count in one.items() if count is not None and other.get(key) is not None]
    return both if _close(sum(one[key] or 0 for key in both), sum(other[key] or 0 for key in both), least) else []


def _close(one: int, other: int | None, least: int) -> bool:
    return other is not None and 0 < abs(one - other) < least


def added(counts: Iterable[int | None]) -> tuple[int, int]:
    """Return the sum of what is published, and how many counts it lacks."""
    values = list(counts)
    return sum(count for count in values if count is not None), sum(count is None for count in values)
