"""Invented nationals of three countries: numbers of the form of their country's law, telephone numbers, addresses.

The names are those of `invent`. A person whose name somebody of note bears is invented again.
"""

from dataclasses import dataclass
from datetime import date
from random import Random

from clients.people import spelling
from clients.people.invent import Person, invent

COUNTRIES = ("AL", "RS", "SI")
MAIN_CULTURE = {"AL": "ALB", "RS": "SRB", "SI": "SVN"}
"""The culture of most nationals of a country."""

FEWEST = 5
"""How often a name must have been counted in the word lists; rarer ones are mostly mistyped."""

_MAIN_SHARE = 90  # of 100 nationals; the others have Arabic names
_JMBG_WEIGHTS = (7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_MOST_CHECK = 9
_DIALS = {"AL": "+35569", "RS": "+38164", "SI": "+38641"}
_DOCUMENT_LETTERS = {"AL": "BD", "RS": "", "SI": "P"}
_ALBANIAN_DECADES = "0123456789ABCDEFGHIJKLMNOPQRST"
_ALBANIAN_EPOCH = 1800
_ALBANIAN_LETTERS = "WABCDEFGHIJKLMNOPQRSTUV"

NOTABLE = frozenset(
    {
        "ana ivanović",
        "arben xhaferi",
        "dragan nikolić",
        "fatmir sejdiu",
        "goran hadžić",
        "ibrahim rugova",
        "jan oblak",
        "jelena janković",
        "jure košir",
        "klemen lavrič",
        "luka jović",
        "mehmet shehu",
        "milan babić",
        "milan lukić",
        "nebojša stefanović",
        "radovan karadžić",
        "siniša mihajlović",
        "slobodan milošević",
        "vladimir lazarević",
        "vuk drašković",
        "zoran janković",
        "zoran živković",
    }
)
"""Names of persons of note that chance could put together; no invented person bears them."""


@dataclass(frozen=True, slots=True)
class National:
    """An invented national of a country."""

    person: Person
    country: str
    national_number: str
    document_number: str
    phone: str
    email: str


def invent_national(country: str, random: Random) -> National:
    """Invent a national of a country, one of `COUNTRIES`."""
    cultures = {MAIN_CULTURE[country]: _MAIN_SHARE, "ARA": 100 - _MAIN_SHARE}
    person = invent(cultures, random, FEWEST)
    while is_notable(person):
        person = invent(cultures, random, FEWEST)
    return National(
        person=person,
        country=country,
        national_number=_national_number(country, person.born, person.sex, random),
        document_number=_DOCUMENT_LETTERS[country] + _digits(random, 8 if country == "AL" else 9),
        phone=_DIALS[country] + _digits(random, 7 if country == "AL" else 6),
        email=f"{spelling.plain(person.given)}.{_digits(random, 4)}@example.org",
    )


def is_notable(person: Person) -> bool:
    return f"{person.given} {person.family}" in NOTABLE


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
