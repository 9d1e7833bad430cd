"""Invented nationals: numbers of their law's form, no name of a person of note, no word that was mistyped."""

from random import Random

import pytest

from aquila.records.normalize.identifiers import fails_check, national_schemes, number_doubt
from aquila.records.person import PartialDate
from clients.people import nationals
from clients.people.invent import invent
from clients.people.nationals import COUNTRIES, MAIN_CULTURE, NOTABLE, invent_national, is_notable


@pytest.mark.parametrize("country", COUNTRIES)
def test_numbers_follow_their_law(country: str) -> None:
    """Check digits are right, and the number says the date of birth and the sex that the person has."""
    random = Random(1)
    for _ in range(200):
        found = invent_national(country, random)
        born = found.person.born
        assert national_schemes(found.national_number)
        assert not fails_check(found.national_number)
        assert not number_doubt(found.national_number, PartialDate(born.year, born.month, born.day), found.person.sex)


def test_nobody_of_note() -> None:
    """Names of note that chance does put together are drawn again."""
    random = Random(2)
    drawn = [invent({"SRB": 1}, random, nationals.FEWEST) for _ in range(5_000)]
    assert any(map(is_notable, drawn))
    assert not any(is_notable(invent_national(country, random).person) for country in COUNTRIES for _ in range(5_000))


def test_every_name_of_note_could_be_drawn() -> None:
    random, possible = Random(3), set[tuple[str, str]]()
    for culture in (*MAIN_CULTURE.values(), "ARA"):
        drawn = [invent({culture: 1}, random, nationals.FEWEST) for _ in range(10_000)]
        given, family = {person.given for person in drawn}, {person.family for person in drawn}
        possible |= {name for name in map(_words, NOTABLE) if name[0] in given and name[1] in family}
    assert possible == set(map(_words, NOTABLE))


def test_rare_words_are_left_out() -> None:
    random = Random(4)
    every = {invent({"ALB": 1}, random).family for _ in range(5_000)}
    often = {invent({"ALB": 1}, random, nationals.FEWEST).family for _ in range(5_000)}
    assert often < every
    assert "qerirni" in every - often


def _words(name: str) -> tuple[str, str]:
    given, _, family = name.partition(" ")
    return given, family
