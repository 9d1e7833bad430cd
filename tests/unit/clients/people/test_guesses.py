"""Guesses that find half of a population's inputs, counted by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aquila.records.person import PartialDate, Record
from aquila.records.rules import parse_rules
from clients.people.guesses import guesses_by_rule

if TYPE_CHECKING:
    from collections.abc import Sequence

TABLE = parse_rules("""
name = "five rules"
version = 1
expected_share = 0.03
families = { names = "names", date = "date of birth", place = "place of birth", document = "document number" }
[parts.pair]
reads = "pair:folded"
family = "names"
bits = 8
sentence = "a pair"
[parts.year]
reads = "birth:year"
family = "date"
bits = 5
sentence = "a year"
[parts.document]
reads = "document"
family = "document"
bits = 24
sentence = "a number"
[parts.place]
reads = "place"
family = "place"
bits = 4
sentence = "a place"
[[rules]]
number = 1
name = "pair and year"
input_class = "partial"
parts = ["pair", "year"]
sentence = "Both."
[[rules]]
number = 2
name = "pair"
input_class = "partial"
parts = ["pair"]
sentence = "A pair."
[[rules]]
number = 3
name = "pair and place"
input_class = "partial"
parts = ["pair", "place"]
sentence = "A pair and a place."
[[rules]]
number = 4
name = "year and place"
input_class = "partial"
parts = ["year", "place"]
sentence = "A year and a place."
[[rules]]
number = 7
name = "document"
input_class = "full"
parts = ["document"]
sentence = "A number."
""")
RECORDS = [
    Record("1", ("Ana",), ("Kos",), date_of_birth=PartialDate(1980)),
    Record("2", ("Ana",), ("Kos",), date_of_birth=PartialDate(1981)),
    Record("3", ("Kos",), ("Ana",)),
    Record("4", ("Eva",), ("Novak",), date_of_birth=PartialDate(1980), document_numbers=("P1234567",)),
]


def by_name(population: Sequence[Record]) -> dict[str, int | None]:
    """Return the guesses by the name of the rule."""
    return {TABLE.by_number[number].name: count for number, count in guesses_by_rule(TABLE, population).items()}


def test_guesses_go_through_names_and_dates() -> None:
    """One pair of names covers half of these persons, with sixty years of birth; of numbers nothing is known."""
    guesses = by_name(RECORDS)
    assert (guesses["pair and year"], guesses["pair"], guesses["document"]) == (60, 1, None)


def test_guesses_go_through_places() -> None:
    """Places are counted with the names beside them: a pair and a place have fewer holders than either."""
    places = ("Niš", "Ниш", "Bar", "Bar")
    population = [replace(record, place_of_birth=place) for record, place in zip(RECORDS, places, strict=True)]
    guesses = by_name(population)
    assert (guesses["pair and place"], guesses["year and place"]) == (1, 60)
    population = [replace(record, place_of_birth=f"Niš{'abcd'[number]}") for number, record in enumerate(RECORDS)]
    assert guesses_by_rule(TABLE, population)[3] == 2


def test_what_nobody_has_takes_no_guess() -> None:
    """A population of which no place is known."""
    assert guesses_by_rule(TABLE, RECORDS)[4] == 0
