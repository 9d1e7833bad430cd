"""Small counts are held back, and what would give them away."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila.matching.suppression import LEAST, added, nested, publish, split

if TYPE_CHECKING:
    from aquila.matching.suppression import Published


@pytest.mark.parametrize(
    ("counts", "cells", "total"),
    [
        pytest.param([5, 12], [5, 12], 17, id="nothing is small"),
        pytest.param([0, 12], [None, 12], 12, id="a zero alone says that it is one"),
        pytest.param([3, 9, 20], [None, None, 20], 32, id="one small count takes the next with it"),
        pytest.param([1, 1, 7, 30], [None, None, None, 30], 39, id="too few together"),
        pytest.param([3, 4, 30], [None, None, 30], 37, id="enough together"),
        pytest.param([1, 2], [None, None], None, id="a small total"),
        pytest.param([1, 1, 1, 1, 1], [None] * 5, 5, id="only the total"),
        pytest.param([4], [None], None, id="a single small count"),
        pytest.param([], [], None, id="nothing"),
    ],
)
def test_what_is_published(counts: list[int], cells: list[int | None], total: int | None) -> None:
    """Each table with what is held back of it."""
    found = publish(dict(enumerate(counts)))
    assert (list(found.cells.values()), found.total) == (cells, total)


@given(st.lists(st.integers(0, 12), max_size=5))
def test_nobody_can_tell_a_small_count(counts: list[int]) -> None:
    """Every hidden count that is not zero could be another one, by all that is published and how it was decided."""
    found = publish(dict(enumerate(counts)))
    assert all(count is None or count >= LEAST for count in [*found.cells.values(), found.total])
    hidden = [key for key, count in found.cells.items() if count is None]
    if found.total is None or not hidden:
        return
    left = found.total - sum(count for count in found.cells.values() if count is not None)
    possible = [values for values in product(range(left + 1), repeat=len(hidden)) if sum(values) == left]
    for place, key in enumerate(hidden):
        assert counts[key] == 0 or len({values[place] for values in possible}) > 1


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        pytest.param([[40, 12], [20, 7]], {0, 1}, id="nothing is small"),
        pytest.param([[40, 0], [0, 7]], {0, 1}, id="zeros alone"),
        pytest.param([[40, 12], [20, 3]], set(), id="one row is small in a column, and takes the other with it"),
        pytest.param([[40, 12], [20, 3], [9, 8]], {0}, id="and takes the smallest with it"),
        pytest.param([[40, 12], [20, 3], [30, 2]], {0}, id="two rows that hide each other"),
        pytest.param([[40, 12], [20, 1], [30, 2]], set(), id="too few in a column"),
        pytest.param([[40, 12], [20, 1], [30, 2], [0, 50]], {0}, id="until what is left is not small"),
        pytest.param([[40, 12], [0, 3], [0, 4]], {0}, id="rows whose totals are held back"),
        pytest.param([[40, 0], [20, 3], [30, 0]], {0}, id="a column that is held back with another"),
        pytest.param([], set(), id="nothing"),
    ],
)
def test_which_rows_are_split(rows: list[list[int]], shown: set[int]) -> None:
    """Each table, and the rows whose cells are published beside all totals."""
    assert _split(rows)[0] == shown


@given(
    st.lists(st.lists(st.integers(0, 7), min_size=2, max_size=2), min_size=2, max_size=3)
    | st.lists(st.lists(st.integers(0, 7), min_size=3, max_size=3), min_size=2, max_size=2)
)
def test_nobody_can_tell_a_small_cell(rows: list[list[int]]) -> None:
    """Every small cell that is not zero could be another one, by the totals and the split rows.

    A cell that is not small may follow from a column's total, where all other rows are zero.
    """
    shown, by_row, by_column = _split(rows)
    total = sum(map(sum, rows))
    if by_row.total is None:
        assert not shown
        return
    assert all(count == 0 or count >= LEAST for row in shown for count in rows[row])
    left = [row for row in range(len(rows)) if row not in shown]
    known = {column: count - sum(rows[row][column] for row in shown)
             for column, count in by_column.cells.items() if count is not None}  # fmt: skip
    rest = total - sum(sum(rows[row]) for row in shown)
    values: dict[tuple[int, int], set[int]] = {}
    for table in product(*(_rows(by_row.cells[row], len(rows[0]), rest) for row in left)):
        if sum(map(sum, table)) == rest and all(sum(row[column] for row in table) == count
                                                for column, count in known.items()):  # fmt: skip
            for row, cells in zip(left, table, strict=True):
                for column, count in enumerate(cells):
                    values.setdefault((row, column), set()).add(count)
    for (row, column), possible in values.items():
        assert rows[row][column] in possible
        assert rows[row][column] in {0, by_row.cells[row]} or rows[row][column] >= LEAST or len(possible) > 1


def _rows(total: int | None, width: int, most: int) -> list[tuple[int, ...]]:
    """Return the rows that have a total, or any up to what is left where it is held back."""
    if width == 1:
        return [(total,)] if total is not None else [(count,) for count in range(most + 1)]
    return [
        (first, *others)
        for first in range((most if total is None else total) + 1)
        for others in _rows(None if total is None else total - first, width - 1, most - first)
    ]


def _split(rows: list[list[int]]) -> tuple[frozenset[int], Published[int], Published[int]]:
    by_row = publish({row: sum(cells) for row, cells in enumerate(rows)})
    by_column = publish({column: sum(cells) for column, cells in enumerate(zip(*rows, strict=True))})
    return split({row: dict(enumerate(cells)) for row, cells in enumerate(rows)}, by_row, by_column), by_row, by_column


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param([40, 20], [30, 10], [30, 10], id="far apart"),
        pytest.param([40, 20], [40, 15], [40, 15], id="equal, and far apart"),
        pytest.param([40, 20], [38, 10], [None, 10], id="three persons apart"),
        pytest.param([40, 20], [30, 27], [30, None], id="sums three persons apart"),
        pytest.param([40, 3], [30, 27], [30, 27], id="nothing to compare with"),
        pytest.param([4, 3], [30, 2], [None, None], id="small by itself"),
    ],
)
def test_counts_at_two_thresholds(first: list[int], second: list[int], expected: list[int | None]) -> None:
    """The first loses nothing to the second, which shows nothing that differs by a small number."""
    found = nested([dict(enumerate(first)), dict(enumerate(second))])
    assert found[0] == publish(dict(enumerate(first))).cells
    assert list(found[1].values()) == expected


@given(st.lists(st.dictionaries(st.integers(2, 5), st.integers(0, 30)), max_size=3))
def test_no_difference_is_small(tables: list[dict[int, int]]) -> None:
    """Between any two thresholds, of one key or of the sums over what both show."""
    found = nested(tables)
    for one, other in product(found, found):
        pairs = [(count, other[key]) for key, count in one.items() if count is not None and other.get(key) is not None]
        sums = (sum(count for count, _ in pairs), sum(count or 0 for _, count in pairs))
        assert all(first == second or abs(first - (second or 0)) >= LEAST for first, second in [*pairs, sums])


def test_further_sums_add_up_what_is_published() -> None:
    """What is held back is counted and not added."""
    assert added([7, None, 12, None]) == (19, 2)
    assert added([]) == (0, 0)
