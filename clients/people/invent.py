# ruff: noqa: RUF001 - the dotless i of Turkish is meant
"""Invented persons: a culture's names, a date, a place, a number."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from itertools import accumulate
from random import Random

CULTURES = {
    "BA": {"BIH": 36, "SRB": 28, "MNE": 12, "HRV": 7, "ARA": 7, "ALB": 4, "MKD": 3, "BGR": 2, "TUR": 2},
    "BG": {"BGR": 60, "TUR": 9, "MKD": 7, "ARA": 11, "ROU": 5, "SRB": 4, "MNE": 2, "BIH": 2},
    "MK": {"MKD": 50, "ALB": 22, "TUR": 5, "SRB": 5, "ARA": 6, "BGR": 5, "BIH": 3, "MNE": 3},
    "RO": {"ROU": 68, "ARA": 12, "HUN": 5, "BGR": 5, "TUR": 4, "SRB": 4, "MKD": 2},
    "RS": {"SRB": 40, "MNE": 16, "BIH": 14, "ARA": 9, "ALB": 6, "HUN": 4, "HRV": 3, "MKD": 3, "BGR": 3, "TUR": 2},
}
"""Of 100 persons of each list, how many are of which culture, about as in the development lists."""

MOSTLY_ARABIC = {party: {"ARA": 70, "TUR": 15, "BIH": 15} for party in CULTURES}
"""The same for lists of one culture with few, common names, which are hard to match."""

PLACES = {
    "SRB": ("beograd", "novi sad", "niš", "kragujevac"),
    "BIH": ("sarajevo", "tuzla", "zenica", "travnik"),
    "MNE": ("podgorica", "nikšić", "bar"),
    "HRV": ("zagreb", "split", "osijek"),
    "MKD": ("skopje", "kumanovo"),
    "BGR": ("sofia", "plovdiv", "varna", "burgas"),
    "SVN": ("ljubljana", "maribor", "celje", "koper"),
    "ALB": ("tiranë", "prishtinë", "durrës", "tetovë"),
    "ROU": ("bucurești", "iași", "timișoara", "cluj napoca"),
    "HUN": ("budapest", "szeged", "szabadka"),
    "TUR": ("istanbul", "ankara", "diyarbakır"),
    "ARA": ("baghdad", "aleppo", "cairo", "tripoli", "tunis"),
}
_NATIONALITY = {"ARA": ("SYR", "IRQ", "MAR", "LBY", "TUN", "EGY")}
_FIRST_BIRTH = date(1955, 1, 1)
_DAYS = 18_000
_FEMALE_SHARE = 0.18
_FIRST_OF_YEAR_SHARE = 0.12  # of those whose registers note the year only
_LETTERS = "ABCEKLNPRT"


@dataclass(frozen=True, slots=True)
class Person:
    """An invented person."""

    culture: str
    sex: str
    given: str
    patronymic: str
    """Of Bulgarians; else a second given name, or empty."""
    family: str
    born: date
    place: str
    nationality: str
    document: str


def invent(cultures: Mapping[str, int], random: Random, fewest: int = 1) -> Person:
    """Invent a person as one finds them in a list of such cultures.

    Args:
        fewest: How often a name must have been counted; a rare one is often another that was mistyped.
    """
    culture = random.choices(list(cultures), list(cultures.values()))[0]
    sex = "F" if random.random() < _FEMALE_SHARE else "M"
    born = _FIRST_BIRTH + timedelta(days=random.randrange(_DAYS))
    if culture == "ARA" and random.random() < _FIRST_OF_YEAR_SHARE:
        born = born.replace(month=1, day=1)
    return Person(
        culture=culture,
        sex=sex,
        given=_drawn(culture, "given", sex, random, fewest),
        patronymic=_drawn(culture, "patronymic" if culture == "BGR" else "given", sex, random, fewest),
        family=_drawn(culture, "family", sex, random, fewest),
        born=born,
        place=random.choice(PLACES[culture]),
        nationality=random.choice(_NATIONALITY.get(culture, (culture,))),
        document=document_number(random),
    )


def document_number(random: Random) -> str:
    return f"{random.choice(_LETTERS)}{random.randrange(10_000_000):07d}"


def _drawn(culture: str, kind: str, sex: str, random: Random, fewest: int) -> str:
    names = _names(fewest)
    words, bounds = names.get((culture, kind, sex)) or names[culture, kind, ""]
    return random.choices(words, cum_weights=bounds)[0]


@cache
def _names(fewest: int) -> dict[tuple[str, str, str], tuple[list[str], list[int]]]:
    """Read the word lists: words that were counted often enough, and the sums of their weights."""
    text = resources.files("clients.people").joinpath("names.csv").read_text("utf-8")
    names = {}
    for row in csv.DictReader(text.splitlines()):
        counted = [(word, int(count)) for word, _, count in (one.rpartition(":") for one in row["names"].split(" "))]
        kept = [(word, count) for word, count in counted if count >= fewest]
        words, counts = [word for word, _ in kept], [count for _, count in kept]
        names[row["culture"], row["kind"], row["sex"]] = words, list(accumulate(counts))
    return names
