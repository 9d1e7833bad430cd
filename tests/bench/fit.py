"""Growth of costs: a power of the size, a line over the number of parties."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log


@dataclass(frozen=True, slots=True)
class Line:
    """y = start + slope * x, and which share of the variance of y it explains (1 where the points lie on it)."""

    start: float
    slope: float
    explained: float


def fit_line(points: Sequence[tuple[float, float]]) -> Line:
    """Return the line of least squares through at least two points with different x."""
    count = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    start = mean_y - slope * mean_x
    missed = sum((y - start - slope * x) ** 2 for x, y in points)
    variance = sum((y - mean_y) ** 2 for _, y in points)
    return Line(round(start, 4), round(slope, 4), round(1 - missed / variance, 4) if variance else 1.0)


def exponent(points: Sequence[tuple[float, float]]) -> float:
    """Return the power with which y grows: 1 is linear, 2 quadratic; by least squares over the logarithms."""
    return round(fit_line([(log(x), log(y)) for x, y in points]).slope, 3)
