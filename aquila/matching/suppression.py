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
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KeyT = TypeVar("KeyT")

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


def added(counts: Iterable[int | None]) -> tuple[int, int]:
    """Return the sum of what is published, and how many counts it lacks."""
    values = list(counts)
    return sum(count for count in values if count is not None), sum(count is None for count in values)
