"""Publishing counts so that no small one follows from all that is published (docs/STATISTICS.md, ADR 35).

Random rounding to base 5 (I. P. Fellegi, "Controlled random rounding", Survey Methodology 1, 1975; used by Statistics
Canada and Stats NZ), drawn by a secret key from the cell's name and not from chance, as in the cell-key method of the
Australian Bureau of Statistics (G. Thompson, S. Broadfoot, D. Elazar, 2013, after B. Fraser and J. Wooton, 2005):
the same cell with the same count is published alike wherever and whenever it is published.

1. *Cells* (`Rounding.cell`), which no other cell's count bounds. 0 is published as 0, 1 to 4 as `1-4`, a larger count
   as a multiple of 5 next to it, above or below with the probabilities that make the mean right.
2. *Totals* (`total`) add up rounded cells and nothing else, so they tell nothing that the cells' rounding does not. A
   small cell stands in them as 0 or 5, by a threshold that only the key knows; each of 1 to 4 can be either.
3. *Counts that others bound* (`Rounding.perturbed`), such as persons known, which hits bound. Rounding alone has a
   bound that the other table could touch, so two-sided geometric noise comes first (A. Ghosh, T. Roughgarden,
   M. Sundararajan, "Universally utility-maximizing privacy mechanisms", SIAM J. Comput. 41, 2012): every count can be
   published as every multiple of 5, and none bounds another. Each next number is a third as likely, so whatever is
   published is at most three times as likely by one count above 0 as by the next. That is each number by itself:
   persons at three levels can be three draws.

Draws belong to a cell and a block of counts (0, 1 to 4, 5 to 9, ...), so that a count which grows from one publication
to the next is published in few steps, and none of them is known to be a step by one.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

BASE = 5
"""What published numbers are multiples of; smaller counts are small."""

SMALL: Final = "1-4"
FEW: Final = "<5"
Figure: TypeAlias = int | Literal["1-4", "<5"]
"""A published number: a multiple of 5, a count from 1 to 4, or one that is below 5 once it is perturbed or added up."""

KEY_BYTES = 32
_DRAW = 8  # bytes of one draw
_BELOW = 10  # where a count of nothing stands below zero, before noise is added


@dataclass(frozen=True, slots=True)
class Cell:
    """A count that is published by itself."""

    count: int
    """The exact number, which is not published."""
    rounded: int
    """The multiple of 5 that stands for it in totals."""

    @property
    def figure(self) -> Figure:
        """The number as it is published."""
        return SMALL if 0 < self.count < BASE else self.rounded


class Rounding:
    """Rounds counts by a secret key.

    Security: who has the key can tell on which side of a threshold a small count lies. It is worth no more than the
    exact counts, and is stored beside them.
    """

    def __init__(self, key: bytes) -> None:
        """Take the key, of `KEY_BYTES` random bytes."""
        self._key = key

    def cell(self, count: int, *name: str) -> Cell:
        """Return a count that no other published count bounds.

        Args:
            count: The exact number, not negative.
            name: What the cell is; the same name and count are rounded alike.
        """
        up, _ = self.drawn(count, name)
        return Cell(count, _down(count + up))

    def perturbed(self, count: int, *name: str) -> Figure:
        """Return a count that others bound, with noise; arguments are those of `cell`.

        Where there is nothing, noise shows something less than once in 700,000 times: it would mislead. That it can
        is enough to leave open whether there is something.
        """
        up, noise = self.drawn(count, name)
        return max(0, _down((count or -_BELOW) + noise + up)) or FEW

    def drawn(self, count: int, name: tuple[str, ...]) -> tuple[int, int]:
        """Return the number added before a count is rounded down (0 to 4), and noise, for a cell and block."""
        block = 0 if count == 0 else 1 + count // BASE
        text = "\0".join(("aquila/2 published number", *name, str(block)))
        drawn = hmac.digest(self._key, text.encode(), "sha256")
        up, above, below = (int.from_bytes(drawn[at : at + _DRAW]) for at in range(0, 3 * _DRAW, _DRAW))
        return up % BASE, _thirds(above) - _thirds(below)


def total(cells: Iterable[Cell]) -> Figure:
    """Return the published total of cells, from the value of each; a single cell's is the cell's own."""
    counted = [cell for cell in cells if cell.count]
    if len(counted) <= 1:
        return counted[0].figure if counted else 0
    return sum(cell.rounded for cell in counted) or FEW


def _down(value: int) -> int:
    return value // BASE * BASE


def _thirds(draw: int) -> int:
    """Return how often 3 divides a draw: at least n times with a probability of 3**-n."""
    times = 0
    while draw and draw % 3 == 0:
        draw, times = draw // 3, times + 1
    return times
