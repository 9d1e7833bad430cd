"""Small counts are held back, and what would give them away."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila.matching.suppression import LEAST, added, publish


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


def test_further_sums_add_up_what_is_published() -> None:
    """What is held back is counted and not added."""
    assert added([7, None, 12, None]) == (19, 2)
    assert added([]) == (0, 0)
