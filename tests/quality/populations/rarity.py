"""How much of what two lists have in common names and dates of birth can make certain, at most.

Two records of one person agree, and so do those of strangers who bear one name and were born on one day. How many such
strangers there are depends on how common the name is, and on nothing that a matching does. So persons whose names are
rare enough are all that any matching can call certain. Three are compared here: one that knows how common each name is,
and one that knows in how many records of each list a pair of names stands, with day and month told apart or not. All
records are taken to be without an error: lists with errors find less.

`python -m tests.quality.populations.rarity` writes the table of `docs/MATCHING.md`, in some seconds.
"""

import sys
from collections import Counter
from collections.abc import Mapping
from functools import cache
from math import factorial
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aquila.records.normalize.names import fold
from clients.people import spelling
from tests.quality.measuring.report import markdown
from tests.quality.populations.inventories import Inventory, family_names, given_names
from tests.quality.populations.residents import CULTURES, FEMALE, birth, resident

SIZES, SHARES = (20_000, 50_000, 200_000), (0.1, 0.01, 0.001)
LEAST = 0.99
_CODES = ("BA", "RS")
_PERSONS, _DATES, _SEED = 10_000, 100_000, 71
_MOST_RECORDS = 8  # the frequency limit
_LAST_MONTH = 12


class Rarity(NamedTuple):
    """How common the names and dates of persons are, m of them, whom two lists have in common.

    Attributes:
        names: The share of either list that bears the person's given and family name, m x 2.
        whole: The share of pairs of two persons that were born on one day.
        any_order: The same, where day and month count in either order.
    """

    names: NDArray[np.float64]
    whole: float
    any_order: float

    def strangers(self, size: int, common: float, dates: float) -> NDArray[np.float64]:
        """Return for each person's names the pairs of strangers that agree in them and a date, per pair of one person.

        Args:
            common: The share of persons that the other list has too.
        """
        found: NDArray[np.float64] = self.names.prod(axis=1) / self.names.mean(axis=1) * dates * size / common
        return found


def rarity_of(count: int = _PERSONS, dates: int = _DATES, seed: int = _SEED) -> Rarity:
    """Invent persons whom two lists have in common, and look up how common their names and dates are."""
    random = Random(seed)
    people = [resident(CULTURES[_CODES[number % 2]], random) for number in range(count)]
    words = [(_word(one.given, one.culture), _word(one.family, one.culture)) for one in people]
    born = Counter(birth(random) for _ in range(dates))
    same = sum(times * (times - 1) for times in born.values())
    swapped = sum(
        times * born[day.replace(month=day.day, day=day.month)]
        for day, times in born.items()
        if day.day <= _LAST_MONTH and day.day != day.month
    )
    pairs = dates * (dates - 1)
    names = np.array([[_borne(code, *both) for code in _CODES] for both in words])
    return Rarity(names, same / pairs, (same + swapped) / pairs)


def found_if_known(of: Rarity, size: int, common: float) -> float:
    """Return the share of common persons that can be called high where the share of every name is known."""
    return _found(np.full(len(of.names), 1 / len(of.names)), of.strangers(size, common, of.whole))


def found_if_counted(of: Rarity, size: int, common: float, dates: float) -> float:
    """Return the same where it is known of a pair of names in how many records of each list it stands, from 1 to 8."""
    strangers = of.strangers(size, common, dates)
    first, second = (_others(size * of.names[:, place]) for place in range(2))
    weights = (first[:, np.newaxis] * second[np.newaxis]).reshape(-1, len(of.names)) / len(of.names)
    right = weights.sum(axis=1)
    return _found(right, weights @ strangers / right)


def most_found() -> str:
    """Return the table of what can be called high, by the length of lists and their share of common persons."""
    of, rows = rarity_of(), []
    for size in SIZES:
        for common in SHARES:
            found = (found_if_known(of, size, common), *(found_if_counted(of, size, common, by) for by in of[1:]))
            rows.append((f"2 x {size:,}", f"{1_000 * common:g} of 1,000", *(f"{share:.2f}" for share in found)))
    heads = "shares of all names known", "records of each pair of names known", "day and month in either order"
    return markdown(("lists", "common persons", *heads), rows)


def _found(right: NDArray[np.float64], strangers: NDArray[np.float64]) -> float:
    """Return the share of right pairs that can be reported if nearly all that are reported have to be right."""
    order = np.argsort(strangers)
    found, wrong = np.cumsum(right[order]), np.cumsum((right * strangers)[order])
    kept = found >= LEAST * (found + wrong)
    return float(found[kept].max(initial=0.0))


def _others(expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how probable it is that 0 to 7 other records bear a name, where so many are expected: 8 x m."""
    return np.array([np.exp(-expected) * expected**more / factorial(more) for more in range(_MOST_RECORDS)])


def _borne(code: str, given: str, family: str) -> float:
    """Return the share of a party's persons who bear a given and a family name."""
    found = 0.0
    for culture, share in CULTURES[code].items():
        male, female = (_shares(culture, sex).get(given, 0.0) for sex in ("M", "F"))
        found += share * _shares(culture, "").get(family, 0.0) * ((1 - FEMALE) * male + FEMALE * female)
    return found / sum(CULTURES[code].values())


@cache
def _shares(culture: str, sex: str) -> Mapping[str, float]:
    """Return the share of each given name of a sex, or where none is named of each family name, in a culture."""
    names: Inventory = given_names(culture, sex) if sex else family_names(culture)
    found: Counter[str] = Counter()
    for name, share in zip(names.names, np.diff(names.sums, prepend=0.0) / names.sums[-1], strict=True):
        found[_word(name, culture)] += share
    return found


@cache
def _word(name: str, culture: str) -> str:
    return fold(spelling.plain(spelling.latin(name, culture)))


if __name__ == "__main__":
    sys.stdout.write(most_found() + "\n")
