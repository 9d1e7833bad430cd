"""Invented residents of a country, who live in families."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from random import Random

from tests.quality.populations.inventories import family_names, given_names

CULTURES: Mapping[str, Mapping[str, float]] = {
    "BA": {"BIH": 50, "SRB": 30, "HRV": 12, "ALB": 2, "TUR": 2, "ARA": 4},
    "BG": {"BGR": 78, "TUR": 10, "MKD": 3, "ROU": 3, "ARA": 6},
    "MK": {"MKD": 58, "ALB": 28, "TUR": 4, "SRB": 4, "BIH": 2, "ARA": 4},
    "RO": {"ROU": 80, "HUN": 8, "BGR": 3, "TUR": 3, "ARA": 6},
    "RS": {"SRB": 66, "BIH": 10, "HUN": 5, "ALB": 6, "MNE": 6, "BGR": 2, "ARA": 5},
}
"""The cultures of the persons of each party's list, by share."""

NATIONALITY = {"ARA": ("SYR", "IRQ", "LBY", "TUN", "EGY", "JOR", "LBN")}
FEMALE, _RELATED, _TWIN, _FIRST_OF_YEAR = 0.15, 0.10, 0.03, 0.08
_MEAN_BIRTH, _SPREAD_YEARS = date(1988, 7, 1), 10.0
_EARLIEST, _LATEST = date(1940, 1, 1), date(2008, 12, 31)
_YEAR = 365.25
_PLACES, _PLACE_SLOPE = 120, 1.1


@dataclass(frozen=True, slots=True)
class Resident:
    """An invented person as civil registers know them.

    Attributes:
        father: The father's given name, for patronymics and chains of names.
        family: The family name in its male form.
        maiden: The family name before marriage; that of birth where nobody married.
        place: The number of the place of birth within the culture.
    """

    culture: str
    sex: str
    given: str
    second: str
    father: str
    family: str
    maiden: str
    born: date
    place: int
    nationality: str
    document: str


def resident(cultures: Mapping[str, float], random: Random) -> Resident:
    culture = random.choices(list(cultures), list(cultures.values()))[0]
    sex = "F" if random.random() < FEMALE else "M"
    family = _usual(culture, random)
    married = sex == "F" and random.random() < 0.6
    born = birth(random)
    if culture == "ARA" and random.random() < _FIRST_OF_YEAR:
        born = born.replace(month=1, day=1)
    return Resident(
        culture=culture,
        sex=sex,
        given=given_names(culture, sex).draw(random),
        second=given_names(culture, sex).draw(random),
        father=given_names(culture, "M").draw(random),
        family=_usual(culture, random) if married else family,
        maiden=family,
        born=born,
        place=random.choices(range(_PLACES), cum_weights=_place_sums())[0],
        nationality=random.choice(NATIONALITY.get(culture, (culture,))),
        document=_document(random),
    )


def relative(of: Resident, random: Random) -> Resident:
    """Invent a brother or sister: the same family, place and father, another given name, a near date; or a twin."""
    born = of.born
    if random.random() >= _TWIN:
        born += timedelta(days=random.choice((-1, 1)) * random.randrange(300, 2_500))
    sex = "F" if random.random() < FEMALE else "M"
    given = given_names(of.culture, sex).draw(random)
    while given == of.given:
        given = given_names(of.culture, sex).draw(random)
    return replace(
        of,
        sex=sex,
        given=given,
        second=given_names(of.culture, sex).draw(random),
        family=of.maiden,
        born=min(max(born, _EARLIEST), _LATEST),
        document=_document(random),
    )


def household(cultures: Mapping[str, float], random: Random, related: float = _RELATED) -> list[Resident]:
    """Invent a resident, and with a share of `related` a relative who stands in the same list."""
    first = resident(cultures, random)
    return [first, relative(first, random)] if random.random() < related else [first]


def _usual(culture: str, random: Random) -> str:
    return family_names(culture).draw(random)


def birth(random: Random) -> date:
    """A date of birth: most persons of such lists are young men."""
    while True:
        born = _MEAN_BIRTH + timedelta(days=round(random.gauss(0, _SPREAD_YEARS) * _YEAR))
        if _EARLIEST <= born <= _LATEST:
            return born


def _document(random: Random) -> str:
    return f"{random.choice('ABCDEFGHKLMNPRSTUVXZ')}{random.randrange(10_000_000):07d}"


@cache
def _place_sums() -> tuple[float, ...]:
    sums, total = [], 0.0
    for rank in range(1, _PLACES + 1):
        total += rank**-_PLACE_SLOPE
        sums.append(total)
    return tuple(sums)
