"""Rounding by a key: what is published of a count, of totals, and of counts that others bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila.matching.rounding import BASE, FEW, KEY_BYTES, SMALL, Cell, Rounding, total

KEYS = [Rounding(bytes([number]) * KEY_BYTES) for number in range(200)]


@given(st.integers(0, 10**6), st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES), st.text())
def test_a_cell(count: int, key: bytes, name: str) -> None:
    """Zero is zero, a small count is said to be one, and any other is a multiple of 5 less than 5 away."""
    cell = Rounding(key).cell(count, name)
    assert cell == Rounding(key).cell(count, name)
    assert cell.rounded % BASE == 0
    assert abs(cell.rounded - count) < BASE
    assert cell.figure == (SMALL if 0 < count < BASE else cell.rounded)
    assert (cell.rounded >= BASE) or count < BASE


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 11, 104])
def test_the_mean_is_right(count: int) -> None:
    """Over keys, rounding goes up as often as the count is near; and so it does with noise, which is seldom large."""
    assert abs(sum(key.cell(count, "a").rounded for key in KEYS) / len(KEYS) - count) < 0.6
    noisy = [key.perturbed(104, "a") for key in KEYS]
    numbers = [figure for figure in noisy if isinstance(figure, int)]
    assert len(numbers) == len(KEYS)
    assert abs(sum(numbers) / len(KEYS) - 104) < 0.8
    assert sum(abs(figure - 104) > BASE for figure in numbers) <= 6


def test_a_small_count_stands_for_0_or_5() -> None:
    """By a threshold of the key: a greater one never stands for less, and each can stand for both."""
    for key in KEYS:
        rounded = [key.cell(count, "a").rounded for count in range(BASE)]
        assert rounded == sorted(rounded)
    for count in range(1, BASE):
        assert {key.cell(count, "a").rounded for key in KEYS} == {0, BASE}


def test_draws_belong_to_name_and_block() -> None:
    """Another cell is rounded independently; counts of one block alike, so that a growing one moves in few steps."""
    assert len({tuple(key.cell(count, name).rounded for count in (6, 12, 18)) for key in KEYS for name in "ab"}) > 4
    for key in KEYS:
        assert len({key.perturbed(count, "a") for count in range(5, 10)}) <= 2


def test_noise() -> None:
    """A draw has no noise in half of all cases, and each next number a third as often."""
    drawn = [key.drawn(7, (str(number),))[1] for key in KEYS for number in range(40)]
    share = [sum(abs(noise) == size for noise in drawn) / len(drawn) for size in range(4)]
    assert share == pytest.approx([1 / 2, 1 / 3, 1 / 9, 1 / 27], abs=0.02)


def test_perturbed_counts() -> None:
    """A count that others bound is a multiple of 5, or below it, where a small count may be or nothing."""
    for count in (1, 4, 6):
        found = {key.perturbed(count, "a") for key in KEYS}
        assert {FEW, 5} <= found
        assert all(figure % BASE == 0 for figure in found if isinstance(figure, int))


def test_nothing_is_seldom_shown_as_something() -> None:
    """Of 8,000 numbers of nothing none reads as something, which is still possible."""
    shown = [key.perturbed(0, str(number)) for key in KEYS for number in range(40)]
    assert set(shown) == {FEW}
    assert _Loud(b"").perturbed(0, "a") == BASE


class _Loud(Rounding):
    def drawn(self, count: int, name: tuple[str, ...]) -> tuple[int, int]:
        return 0, 3 * BASE


@pytest.mark.parametrize(
    ("cells", "figure"),
    [
        pytest.param([], 0, id="no cell"),
        pytest.param([Cell(0, 0), Cell(0, 0)], 0, id="nothing in any"),
        pytest.param([Cell(0, 0), Cell(3, 5)], SMALL, id="a single small one is its own total"),
        pytest.param([Cell(7, 5), Cell(0, 0)], 5, id="a single large one too"),
        pytest.param([Cell(3, 0), Cell(2, 0)], FEW, id="small ones that stand for nothing"),
        pytest.param([Cell(3, 5), Cell(10_001, 10_000)], 10_005, id="a large one does not go with a small one"),
    ],
)
def test_totals(cells: list[Cell], figure: int | str) -> None:
    """A total adds up what stands for its cells, and is never more than they say."""
    assert total(cells) == figure
