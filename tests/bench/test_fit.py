"""How cost grows, from a few points."""

from __future__ import annotations

import pytest

from tests.bench.fit import Line, exponent, fit_line


def test_a_line() -> None:
    """Points on a line give it back, and leave nothing unexplained."""
    assert fit_line([(2, 7), (3, 9), (5, 13), (12, 27)]) == Line(3.0, 2.0, 1.0)


def test_points_beside_a_line() -> None:
    line = fit_line([(0, 0), (1, 2), (2, 0)])
    assert (line.slope, line.explained) == (0.0, 0.0)
    assert fit_line([(1, 4), (2, 4)]) == Line(4.0, 0.0, 1.0)


@pytest.mark.parametrize("power", [1, 2, 0.5])
def test_a_power(power: float) -> None:
    """The power of a law is found, whatever its unit."""
    assert exponent([(size, 3 * size**power) for size in (1_000, 10_000, 100_000)]) == power
