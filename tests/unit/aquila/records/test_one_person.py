"""Rows of one person are known as such, and stand in for one another where too many bear a value."""

from collections.abc import Iterable

import numpy as np
import pytest

from aquila.records.entropy import TRAIT, named_traits
from aquila.records.one_person import chosen_bearers, persons_of
from aquila.records.person import PartialDate, Record
from aquila.records.rule_parts import record_names

Row = tuple[str, str | None]


def persons(rows: Iterable[Row]) -> list[list[int]]:
    """Return the positions of the records of each person that has several."""
    records = [
        Record("r", full_name=name, date_of_birth=None if born is None else PartialDate.parse(born))
        for name, born in rows
    ]
    traits = named_traits([record.date_of_birth for record in records], list(map(record_names, records)))
    numbers = persons_of(traits)
    assert numbers.max(initial=0) < 2 * len(records)
    found = [np.flatnonzero(numbers == number).tolist() for number in np.unique(numbers)]
    return [places for places in found if len(places) > 1]


def others(count: int, born: str | None = None) -> list[Row]:
    """Return persons of different names, born on one day or each on another."""
    return [
        (f"Goran {chr(97 + n // 26)}{chr(97 + n % 26)}ović", born or f"{1950 + n % 40}-0{1 + n % 9}-{10 + n % 17}")
        for n in range(count)
    ]


def test_the_same_names_and_date() -> None:
    """In either order, with more words between; another name, date or no date at all is another person's."""
    rows = [("Ana Novak", "1980-03-04"), *others(30), ("Novak Ana", "1980-03-04"), ("Ana Marija Novak", "1980-03-04")]
    assert persons(rows) == [[0, 31, 32]]
    assert persons([*rows, ("Ana Novak", "1981-03-04"), ("Ana Novak", None), ("Ana Kos", "1980-03-04")]) == [
        [0, 31, 32]
    ]


@pytest.mark.parametrize("born", ["1980-07-01", "1980", "1980-07"])
def test_a_date_that_a_source_writes_for_everybody(born: str) -> None:
    """It is no evidence for a usual name; if all who bear a rare name have it, and few others do, it is some."""
    usual = [("Mohammad Ali", born)] * 12
    assert persons([*usual, *others(100, born)]) == []
    assert persons([*usual, *others(40, born), *others(60), *[("Mohammad Ali", None)] * 90]) == []
    assert persons([*usual, *others(1, born), *others(200)]) == [list(range(12))]


@pytest.mark.parametrize("row", [("Ana Novak", None), ("?", "1980-03-04")], ids=["no date", "no name"])
def test_without_name_or_date_each_record_is_its_own(row: Row) -> None:
    assert persons([row] * 9) == []


def test_a_list_of_one_person_or_none() -> None:
    assert persons([("Ana Novak", "1980-03-04")] * 3) == [[0, 1, 2]]
    assert len(persons_of(np.empty(0, dtype=TRAIT))) == 0


def chosen(bearers: list[list[int]], persons: list[int], inputs: list[int], limit: int) -> list[list[int]]:
    """Return which records bear each value in what is sent, the value's number being its place."""
    values = np.repeat(np.arange(len(bearers), dtype=np.uint64), [len(records) for records in bearers])
    records = np.array([record for records in bearers for record in records], dtype=np.int64)
    sent = chosen_bearers(values, records, np.array(persons, dtype=np.int64), np.array(inputs, dtype=np.uint16), limit)
    return [records[sent & (values == number)].tolist() for number in range(len(bearers))]


def test_the_richest_records_of_one_person_bear_all_its_values() -> None:
    """Those with most inputs, then the first of the list; another value that fewer of them bear is on the same ones."""
    assert chosen([[0, 1, 2, 3, 4], [0, 2, 3, 4]], [0] * 5, [5, 5, 5, 9, 7], 3) == [[0, 3, 4], [0, 3, 4]]


def test_every_person_has_a_record_before_one_has_two() -> None:
    assert chosen([[0, 1, 2, 3, 4, 5]], [0, 0, 0, 0, 1, 2], [9, 9, 9, 9, 1, 1], 4) == [[0, 1, 4, 5]]


def test_a_value_of_many_persons_is_on_none() -> None:
    """As if nobody's records were counted once: also where one of the persons has several records."""
    assert chosen([[0, 1, 2, 3], [0, 1, 2]], [0, 1, 2, 2], [1] * 4, 2) == [[], []]
    assert chosen([[0, 1, 2, 3, 4]], [0, 0, 1, 1, 2], [1] * 5, 2) == [[]]


def test_nothing_is_over_the_limit() -> None:
    assert chosen([], [0, 0, 1], [1] * 3, 2) == []
