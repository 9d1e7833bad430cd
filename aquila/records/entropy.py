"""Test whether a list looks like persons or like guesses: statistics of its names and dates, kept in the node.

Whoever goes through a population writes a grid: some names with many dates, many names with some dates, all days of a
year, every given name with every family name. Lists of persons have none of that: nearly every name has dates of its
own. A list that looks generated is refused by the node of the party that would send it (PROTOCOL.md 3.4.8). That
protects from its own officers; a party whose node is not what we ship sends what it likes, and the caps hold it.

What is seen: a list that is a grid in the main; among true records a name with too many dates of birth, in one year
or in all; and a grid hidden there whose names share exactly their dates, or whose dates follow each other. Guesses of
a few dates for each of many names are not seen.
"""

import hashlib
from collections.abc import Sequence
from math import log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aquila.errors import GridError
from aquila.records.person import PartialDate
from aquila.records.rule_parts import KnownValues, Name, NameWords

TRAIT = np.dtype([("first", "<u8"), ("last", "<u8"), ("born", "<i4")])
LEAST_RECORDS = 24
"""Shorter lists are judged by days in a row alone: a family or a cell says nothing about a distribution."""

_DAYS_IN_A_ROW = 8  # of one name: by chance in no list of a million persons
_DATES, _RECORDS_FOR_A_DATE = 20, 150  # under one name: so many, and one more for each 150 records of the list
_DATES_OF_YEAR, _RECORDS_FOR_A_DATE_OF_YEAR = 8, 10_000  # the same within one year of birth
_MOST_REPEATS = 4.0  # records for each name and date: a list has its duplicates, but not all of them many times
_MOST_BITS = 3.0  # that a name leaves open of the date, or a date of the name, in short lists
_NAMES_GROW = 50_000  # records at which a name may have twice as many dates as in short lists
_DAYS_GROW = 6_000  # the same for the names of a date: there are only so many days on which people were born
_MOST_FILLED = 0.2  # of all combinations of a list's names and dates
_MOST_NAMES_FILLED = 0.6  # of all combinations of given and family names, where no date is known
_LEAST_SIDE = 3  # names, or dates, that make a grid at least
_MOST_ALIKE = 0.01  # of the records, in names that share exactly their dates, or dates that share exactly their names
_CACHED = 1 << 16
_UNIX_DAY, _UNIX_YEAR = 719_163, 1970  # the day of 1 January 1970 in the count of `PartialDate.number`
_MIX = np.uint64(0x9E3779B97F4A7C15)


def named_traits(births: Sequence[PartialDate | None], names: Sequence[tuple[Name, ...]] | NameWords) -> np.ndarray:
    """Return the counted traits of n records with these dates of birth and names, 20 bytes each (`TRAIT`).

    Digests of the first and the last word of the name, zero for none; and the date of birth as a whole number that
    counts days, negative where the day is not known, zero for none. A digest can be compared with a guess, so traits
    are as secret as the records.
    """
    if isinstance(names, NameWords):
        first = [(given or family or _NONE)[0] for given, family in zip(*names, strict=True)]
        last = [(family or given or _NONE)[-1] for given, family in zip(*names, strict=True)]
    else:
        words = [of_record[0].words if of_record else _NONE for of_record in names]
        first, last = [of_name[0] for of_name in words], [of_name[-1] for of_name in words]
    traits = np.empty(len(births), dtype=TRAIT)
    for side, of_side in (("first", first), ("last", last)):
        traits[side] = np.frombuffer(b"".join(map(_DIGESTS.__getitem__, of_side)), dtype="<u8")
    traits["born"] = [0 if born is None else born.number for born in births]
    return traits


def _digest(word: str) -> bytes:
    """Return 8 bytes for a word, and zeros for none."""
    return hashlib.blake2b(word.encode(), digest_size=8).digest() if word else bytes(8)


_NONE = ("",)
_DIGESTS = KnownValues(_digest, _CACHED)


def check_entropy(traits: np.ndarray) -> None:
    """Refuse a list that looks like guesses (PROTOCOL.md 3.4.8).

    Args:
        traits: Of all its records, as `named_traits` gives them.

    Raises:
        GridError: It does; the message says in what, by counts alone.
    """
    names = named(traits)
    # 1. Days in a row for one name: whoever does not know a date goes through all.
    names, born = _distinct(names, traits["born"])
    known, whole = born != 0, born > 0
    longest = _longest_run(names[whole], born[whole])
    if longest >= _DAYS_IN_A_ROW:
        raise _refused(f"one name stands with {longest} days of birth in a row", longest, _DAYS_IN_A_ROW - 1)
    # 2. Too many dates for one name, however few they are on average.
    check_dates_of_names(names[names != 0], born[names != 0], len(traits))
    if len(traits) < LEAST_RECORDS:
        return
    # 3. The same name and date again and again, with something else that varies.
    repeats = len(traits) / len(born)
    if repeats > _MOST_REPEATS:
        raise _refused(f"each name and date stands in {repeats:.0f} records", round(repeats), round(_MOST_REPEATS))
    # 4. Given and family names in all combinations, where no date tells persons apart.
    _check_names(traits)
    # 5. Names and dates in combinations.
    _check_spread(names[known], "a name stands with {} dates of birth", _NAMES_GROW)
    _check_spread(np.sort(born[_has_day(born)]), "a day of birth stands with {} names", _DAYS_GROW)
    _check_grid(names[whole], born[whole])


def check_dates_of_names(names: NDArray[np.uint64], born: NDArray[np.int32], records: int) -> None:
    """Refuse a list in which one name has too many dates of birth, in one year or in all (PROTOCOL.md 3.4.8).

    Whoever knows a name, and perhaps the year, learns the day from the one row that hits. The bounds are for each
    name by itself, so no number of true records hides it.

    Args:
        names: For each of n names that records bear, a number that equal names share; a record may bear several.
        born: For each the date of birth of its record, as `named_traits` gives it.
        records: How many records the list has.

    Raises:
        GridError: It does; the message says how many, and names nobody.
    """
    in_year, in_all = most_dates_of_a_name(names, born)
    for dates, most, of_year in zip(
        (in_year, in_all), most_dates_of_persons(records), (" of one year", ""), strict=True
    ):
        if dates > most:
            raise _refused(f"one name stands with {dates} dates of birth{of_year}", dates, most)


def most_dates_of_a_name(names: NDArray[np.uint64], born: NDArray[np.int32]) -> tuple[int, int]:
    """Return the most dates of birth that one name has: within one year, and in all (arguments as above)."""
    names, born = _distinct(names[born != 0], born[born != 0])
    by_year, by_name = row_starts(names, _years(born)), row_starts(names)
    return _longest(by_year), _longest(by_name)


def most_dates_of_persons(records: int) -> tuple[int, int]:
    """Return the number of dates of birth that one name may have in a list: within one year, and in all."""
    return _DATES_OF_YEAR + records // _RECORDS_FOR_A_DATE_OF_YEAR, _DATES + records // _RECORDS_FOR_A_DATE


def _years(born: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the year of each date's number (`PartialDate.number`)."""
    days = (born.astype(np.int64) - _UNIX_DAY).astype("datetime64[D]")
    years = days.astype("datetime64[Y]").astype(np.int64) + _UNIX_YEAR
    return np.where(born > 0, years, -born // 100)


def _has_day(born: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return which dates tell a day: 1 January often stands for a year whose day nobody knows."""
    days = (born.astype(np.int64) - _UNIX_DAY).astype("datetime64[D]")
    of_day: NDArray[np.bool_] = (born > 0) & (days != days.astype("datetime64[Y]").astype("datetime64[D]"))
    return of_day


def row_starts(*columns: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return in which rows one of some columns has another value than in the row before; true for the first."""
    starts = np.zeros(len(columns[0]), dtype=bool)
    starts[:1] = True
    for column in columns:
        starts[1:] |= column[1:] != column[:-1]
    return starts


def _longest(starts: NDArray[np.bool_]) -> int:
    """Return the most rows from one start to the next, or to the end."""
    return int(np.diff(np.append(np.flatnonzero(starts), len(starts))).max(initial=0))


def named(traits: np.ndarray) -> NDArray[np.uint64]:
    """Return a number for each record's name, the same in either order of its words."""
    low, high = np.minimum(traits["first"], traits["last"]), np.maximum(traits["first"], traits["last"])
    named: NDArray[np.uint64] = low * _MIX + high
    return named


def _distinct(left: NDArray[np.generic], right: NDArray[np.generic]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return each combination of two columns once, in the order of left and right."""
    order = np.lexsort((right, left))
    left, right = left[order], right[order]
    new = row_starts(left, right)
    return left[new], right[new]


def _different(values: NDArray[np.generic]) -> int:
    """Return how many different values there are, by sorting: `np.unique` alone would take thirty times as long."""
    ordered = np.sort(values)
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + min(1, len(ordered))


def _longest_run(names: NDArray[np.uint64], days: NDArray[np.int32]) -> int:
    """Return the longest run of days on which a name occurs."""
    if not len(days):
        return 0
    follows = (names[1:] == names[:-1]) & (days[1:] == days[:-1] + 1)
    breaks = np.flatnonzero(np.concatenate(([True], ~follows, [True])))
    return int(np.diff(breaks).max())


def _check_names(traits: np.ndarray) -> None:
    dateless = traits[~_has_day(traits["born"])]
    given, family = _distinct(dateless["first"], dateless["last"])
    first, last = _different(given), _different(family)
    if len(given) < LEAST_RECORDS or min(first, last) < _LEAST_SIDE:
        return
    filled = len(given) / (first * last)
    if filled > _MOST_NAMES_FILLED:
        sentence = f"{first} first and {last} last names stand in {filled:.0%} of all their combinations"
        raise _refused(sentence, round(100 * filled), round(100 * _MOST_NAMES_FILLED))


def _check_spread(known: NDArray[np.generic], sentence: str, grow: int) -> None:
    """Refuse what leaves too much of the other column open: the conditional entropy of distinct rows, in bits."""
    if len(known) < LEAST_RECORDS:
        return
    _, rows = np.unique(known, return_counts=True)
    bits = float((rows * np.log2(rows)).sum()) / len(known)
    most = _MOST_BITS + log2(1 + len(known) / grow)
    if bits > most:
        raise _refused(sentence.format(round(2**bits)), round(2**bits), round(2**most))


def _check_grid(names: NDArray[np.uint64], days: NDArray[np.int32]) -> None:
    if len(days) < LEAST_RECORDS:
        return
    rows, columns = _different(names), _different(days)
    filled = len(days) / (rows * columns)
    if min(rows, columns) >= _LEAST_SIDE and filled > _MOST_FILLED:
        sentence = f"{rows} names and {columns} days of birth stand in {filled:.0%} of all their combinations"
        raise _refused(sentence, round(100 * filled), round(100 * _MOST_FILLED))
    alike = max(_alike(names, days.astype(np.uint64)), _alike(days, names))
    most = max(LEAST_RECORDS - 1, round(_MOST_ALIKE * len(days)))
    if alike > most:
        raise _refused(f"{alike} records are a grid of names and days of birth", alike, most)


def _alike(groups: NDArray[np.generic], members: NDArray[np.uint64]) -> int:
    """Return how many rows are in groups of three and more members that another group has exactly too."""
    _, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    marks = np.zeros(len(sizes), dtype=np.uint64)
    # A sum of mixed members is the same in any order, and of different sets all but surely different.
    mixed = members * _MIX
    mixed ^= mixed >> np.uint64(29)
    np.add.at(marks, place, mixed * _MIX)
    large = sizes >= _LEAST_SIDE
    _, again, shared = np.unique(marks[large], return_inverse=True, return_counts=True)
    return int(sizes[large][shared[again] > 1].sum())


def _refused(what: str, got: int, expected: int) -> GridError:
    return GridError("records_look_like_guesses", expected=expected, got=got, what=what)
