"""Guesses that find half of a population's inputs, counted by hand."""

from collections.abc import Sequence
from dataclasses import replace

from aquila.records.person import Record
from tests.quality.measuring.guesses import guesses_by_rule
from tests.support.counted import FIVE_RULES, RECORDS


def by_name(population: Sequence[Record]) -> dict[str, int | None]:
    return {
        FIVE_RULES.by_number[number].name: count for number, count in guesses_by_rule(FIVE_RULES, population).items()
    }


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
    assert guesses_by_rule(FIVE_RULES, population)[3] == 2


def test_what_nobody_has_takes_no_guess() -> None:
    assert guesses_by_rule(FIVE_RULES, RECORDS)[4] == 0
