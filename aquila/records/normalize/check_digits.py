"""Check digits of the region's national numbers.

Each function takes a number of its scheme's form (`SCHEMES`) and says whether its check digits are right, and its date
of birth a day that exists. The algorithms are those of the issuing laws; several countries of former Yugoslavia share
one. Kosovo* gives numbers of ten digits whose check is not published: they are used and never checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import mul
from typing import NamedTuple

from aquila.records.normalize import birth_from_number as births
from aquila.records.normalize.birth_from_number import NumberBirth

NUMBERS_CACHED = 1 << 12
"""A batch of a list is read, and then its inputs are made; who does both reads each number once."""

_ZERO = ord("0")
EGN_WEIGHTS = (2, 4, 8, 5, 10, 9, 7, 3, 6)
LNCH_WEIGHTS = (21, 19, 17, 13, 11, 9, 7, 3, 1)
CNP_WEIGHTS = (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)
JMBG_WEIGHTS = (7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
IDNP_WEIGHTS = (7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1)
SVNR_WEIGHTS = (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)
TAJ_WEIGHTS = (3, 7, 3, 7, 3, 7, 3, 7)


class Scheme(NamedTuple):
    """A kind of national number.

    Attributes:
        countries: The codes of those who issue or issued it.
        length: How many characters its numbers have.
        form: What its canonical numbers look like.
        check: Whether a number of that form has right check digits.
        birth: What such a number tells of its bearer's birth and sex; None where it tells nothing.
    """

    countries: tuple[str, ...]
    length: int
    form: re.Pattern[str]
    check: Callable[[str], bool]
    birth: Callable[[str], NumberBirth | None] | None = None


def jmbg(number: str) -> bool:
    """Serbia, Bosnia and Herzegovina, Montenegro, North Macedonia, Slovenia (EMŠO), Kosovo*, formerly Croatia.

    A remainder of 10 gives 0.
    """
    return -_weighted(number, JMBG_WEIGHTS) % 11 % 10 == int(number[12]) and births.jmbg(number) is not None


def egn(number: str) -> bool:
    """Bulgaria; the month carries the century (+20 for the 19th, +40 for the 21st)."""
    return _weighted(number, EGN_WEIGHTS) % 11 % 10 == int(number[9]) and births.egn(number) is not None


def lnch(number: str) -> bool:
    """Bulgaria, persons without citizenship."""
    return _weighted(number, LNCH_WEIGHTS) % 10 == int(number[9])


def cnp(number: str) -> bool:
    """Romania; a remainder of 10 gives 1."""
    digit = {10: 1}.get(remainder := _weighted(number, CNP_WEIGHTS) % 11, remainder)
    return digit == int(number[12]) and births.cnp(number) is not None


def idnp(number: str) -> bool:
    """Moldova."""
    return _weighted(number, IDNP_WEIGHTS) % 10 == int(number[12])


def oib(number: str) -> bool:
    """Croatia: ISO 7064, MOD 11,10."""
    rest = 10
    for digit in number[:10]:
        rest = ((rest + int(digit)) % 10 or 10) * 2 % 11
    return (11 - rest) % 10 == int(number[10])


def davcna(number: str) -> bool:
    """Slovenia's tax number; a remainder that would give 10 gives 0, one that would give 11 is not issued."""
    digit = 11 - _weighted(number, range(8, 1, -1)) % 11
    return digit in range(1, 11) and digit % 10 == int(number[7])


def svnr(number: str) -> bool:
    """Austria's social insurance number; the fourth digit checks the others."""
    return _weighted(number, SVNR_WEIGHTS) % 11 == int(number[3])


def szemelyi(number: str) -> bool:
    """Hungary's personal number: weights rise for persons born before 1997 and fall for later ones."""
    birth = births.szemelyi(number)
    if birth is None:
        return False
    weights = range(10, 0, -1) if birth.year >= births.FALLING_SINCE else range(1, 11)
    return _weighted(number, weights) % 11 == int(number[10])


def adoazonosito(number: str) -> bool:
    """Hungary's tax number of persons (Act XX of 1996); a remainder of 10 is not issued."""
    return _weighted(number, range(1, 10)) % 11 == int(number[9])


def taj(number: str) -> bool:
    """Hungary's social insurance number."""
    return _weighted(number, TAJ_WEIGHTS) % 10 == int(number[8])


def nid(number: str) -> bool:
    """Albania: a letter for the decade, eight digits, a letter that checks them.

    The law does not publish the algorithm; this one explains the published specimens (J00101999W, J05115999K).
    """
    total = _NID_LETTERS.index(number[0]) + sum(place * int(number[place]) for place in range(1, 9))
    return _NID_LETTERS[total % len(_NID_LETTERS)] == number[9] and births.nid(number) is not None


def tckn(number: str) -> bool:
    """Turkey: the tenth digit checks the odd and even places, the eleventh the sum."""
    digits = [int(digit) for digit in number]
    tenth = (7 * sum(digits[0:9:2]) - sum(digits[1:8:2])) % 10
    return tenth == digits[9] and sum(digits[:10]) % 10 == digits[10]


_NID_LETTERS = "WABCDEFGHIJKLMNOPQRSTUV"
_YUGOSLAV = ("BA", "HR", "ME", "MK", "RS", "SI", "XK")

SCHEMES: dict[str, Scheme] = {
    "AL-NID": Scheme(("AL",), 10, re.compile(r"[A-T][0-9]{8}[A-W]"), nid, births.nid),
    "AT-SVNR": Scheme(("AT",), 10, re.compile(r"[1-9][0-9]{9}"), svnr, births.svnr),
    "BG-EGN": Scheme(("BG",), 10, re.compile(r"[0-9]{10}"), egn, births.egn),
    "BG-LNCh": Scheme(("BG",), 10, re.compile(r"[0-9]{10}"), lnch),
    "HR-OIB": Scheme(("HR",), 11, re.compile(r"[0-9]{11}"), oib),
    "HU-SzA": Scheme(("HU",), 11, re.compile(r"[1-8][0-9]{10}"), szemelyi, births.szemelyi),
    "HU-TAJ": Scheme(("HU",), 9, re.compile(r"[0-9]{9}"), taj),
    "HU-tax": Scheme(("HU",), 10, re.compile(r"8[0-9]{9}"), adoazonosito, births.adoazonosito),
    "JMBG": Scheme(_YUGOSLAV, 13, re.compile(r"[0-9]{13}"), jmbg, births.jmbg),
    "MD-IDNP": Scheme(("MD",), 13, re.compile(r"[0-2][0-9]{12}"), idnp),
    "RO-CNP": Scheme(("RO",), 13, re.compile(r"[1-9][0-9]{12}"), cnp, births.cnp),
    "SI-tax": Scheme(("SI",), 8, re.compile(r"[1-9][0-9]{7}"), davcna),
    "TR-TCKN": Scheme(("TR",), 11, re.compile(r"[1-9][0-9]{10}"), tckn),
}
"""Each scheme by its name."""

_BY_LENGTH = {
    scheme.length: [(name, other) for name, other in SCHEMES.items() if other.length == scheme.length]
    for scheme in SCHEMES.values()
}


@lru_cache(maxsize=NUMBERS_CACHED)
def schemes_of(number: str) -> tuple[str, ...]:
    """Name the schemes whose form and check digits a canonical number satisfies."""
    return tuple([name for name, scheme in _schemes_of_form(number) if scheme.check(number)])


def is_of_known_form(number: str) -> bool:
    """Return whether a canonical number has the form of a scheme, whatever its check digits are."""
    return bool(_schemes_of_form(number))


def _schemes_of_form(number: str) -> list[tuple[str, Scheme]]:
    """The schemes of whose form a number is, by name."""
    return [(name, scheme) for name, scheme in _BY_LENGTH.get(len(number), ()) if scheme.form.fullmatch(number)]


def _weighted(number: str, weights: Sequence[int]) -> int:
    """The sum of the first digits times their weights."""
    total: int = sum(map(mul, number.encode(), weights))
    return total - _ZERO * sum(weights)
