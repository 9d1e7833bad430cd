"""Invented persons of three countries: names of the country, a date, numbers that follow its law's form."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from clients.demo import spelling

if TYPE_CHECKING:
    from random import Random

COUNTRIES = ("AL", "RS", "SI")

_FIRST_BIRTH = date(1950, 1, 1)
_DAYS = 20_000  # until 2004
_JMBG_WEIGHTS = (7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_MOST_CHECK = 9
_DIALS = {"AL": "+35569", "RS": "+38164", "SI": "+38641"}
_DOCUMENT_LETTERS = {"AL": "BD", "RS": "", "SI": "P"}
_ARABIC_SHARE = 0.12
_FEMALE_SHARE = 0.2
_ALBANIAN_DECADES = "0123456789ABCDEFGHIJKLMNOPQRST"
_ALBANIAN_EPOCH = 1800
_ALBANIAN_LETTERS = "WABCDEFGHIJKLMNOPQRSTUV"


@dataclass(frozen=True, slots=True)
class Person:
    """An invented person.

    Attributes:
        given, family: The spellings of each name; the first is the one of the person's own documents.
        country: Whose national the person is.
    """

    given: tuple[str, ...]
    family: tuple[str, ...]
    sex: str
    born: date
    place: str
    country: str
    national_number: str
    document_number: str
    phone: str
    email: str


def invent(country: str, random: Random) -> Person:
    """Invent a person of a country."""
    names, arabic = _names()[country], _names()["arabic"]
    sex = "F" if random.random() < _FEMALE_SHARE else "M"
    born = _FIRST_BIRTH + timedelta(days=random.randrange(_DAYS))
    given = (random.choice(names["female" if sex == "F" else "male"]),)
    family = (random.choice(names["family"]),)
    if sex == "M" and random.random() < _ARABIC_SHARE:
        given, family = tuple(random.choice(arabic["given"])), tuple(random.choice(arabic["family"]))
    return Person(
        given=given,
        family=family,
        sex=sex,
        born=born,
        place=random.choice(names["places"]),
        country=country,
        national_number=_national_number(country, born, sex, random),
        document_number=_DOCUMENT_LETTERS[country] + _digits(random, 8 if country == "AL" else 9),
        phone=_DIALS[country] + _digits(random, 7 if country == "AL" else 6),
        email=f"{spelling.plain(given[0]).lower()}.{_digits(random, 4)}@example.org",
    )


@cache
def _names() -> dict[str, Any]:
    return tomllib.loads(resources.files("clients.demo").joinpath("names.toml").read_text("utf-8"))


def _national_number(country: str, born: date, sex: str, random: Random) -> str:
    """Return a number of the form of the country's law, with its check digit where the law has one."""
    if country == "AL":
        return _albanian_number(born, sex, random)
    region = random.randrange(70, 75) if country == "RS" else 50
    while True:
        start = (
            f"{born:%d%m}{born.year % 1000:03d}{region}{random.randrange(1000) // 2 + (500 if sex == 'F' else 0):03d}"
        )
        check = -sum(weight * int(digit) for weight, digit in zip(_JMBG_WEIGHTS, start, strict=True)) % 11
        if check <= _MOST_CHECK:  # ten is never issued
            return f"{start}{check}"


def _albanian_number(born: date, sex: str, random: Random) -> str:
    """Return decade, year, month (women's plus 50), day, three digits and the letter that checks them."""
    decade, year = divmod(born.year - _ALBANIAN_EPOCH, 10)
    month = born.month + (50 if sex == "F" else 0)
    start = f"{_ALBANIAN_DECADES[decade]}{year}{month:02d}{born.day:02d}{_digits(random, 3)}"
    total = _ALBANIAN_LETTERS.index(start[0]) + sum(place * int(start[place]) for place in range(1, len(start)))
    return start + _ALBANIAN_LETTERS[total % len(_ALBANIAN_LETTERS)]


def _digits(random: Random, count: int) -> str:
    return "".join(random.choice("0123456789") for _ in range(count))
