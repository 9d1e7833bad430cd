"""National numbers of the region: their check digits, and the birth and sex of the bearer in them.

A check takes a number of its scheme's form (`SCHEMES`) and says whether its check digits are right, and its date of
birth a day that exists. The algorithms are those of the issuing laws; several countries of former Yugoslavia share one.
Kosovo* gives numbers of ten digits whose check is not published: they are used and never checked.

A function `..._birth` returns None where the date that the number holds does not exist. A number whose year has two
digits only is given the one century that its scheme says, or none.
"""

import calendar
import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import lru_cache
from operator import mul
from typing import NamedTuple

from aquila.records.person import PartialDate

FALLING_SINCE = 1997  # the year from which Hungary's check digit has falling weights
DAYS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # of each month, at most
LEAP_DAY = (2, 29)
LEAST_WITH_CENTURY = 100  # years of two digits are below
MONTHS = 12
CNP_FOREIGNER = 9  # the first digit of a number that tells neither century nor sex
WOMEN_FROM = 500  # the JMBG's serial numbers of women
FOREIGNERS, WOMEN = 30, 50  # what Albania adds to the month
_HUNGARIAN_DAYS_FROM = date(1867, 1, 1)
THIS_CENTURY_FROM = 800  # the JMBG's year of three digits: 800 to 999 are 1800 to 1999
_CNP_CENTURIES = {1: 1900, 2: 1900, 3: 1800, 4: 1800, 5: 2000, 6: 2000, 7: 0, 8: 0, 9: 0}
_HUNGARIAN_CENTURIES = {1: 1900, 2: 1900, 3: 2000, 4: 2000, 5: 1900, 6: 1900, 7: 1800, 8: 1800}


class NumberBirth(NamedTuple):
    """The contents of a number: a year (of two digits if `has_century` is false), month, day, and F, M or nothing."""

    year: int
    month: int
    day: int
    sex: str = ""
    has_century: bool = True

    def contradicts(self, birth: PartialDate | None, sex: str | None) -> bool:
        """Return whether a record's date of birth or sex, as far as known, cannot be that of the number."""
        if self.sex and sex in {"F", "M"} and sex != self.sex:
            return True
        if birth is None:
            return False
        year = birth.year if self.has_century else birth.year % 100
        return (year, birth.month or self.month, birth.day or self.day) != (self.year, self.month, self.day)


def jmbg_birth(number: str) -> NumberBirth | None:
    """Day, month, three digits of the year; from serial number 500 on women."""
    years = int(number[4:7])
    year = years + (1000 if years >= THIS_CENTURY_FROM else 2000)
    return _born(year, int(number[2:4]), int(number[:2]), "F" if int(number[9:12]) >= WOMEN_FROM else "M")


def egn_birth(number: str) -> NumberBirth | None:
    """Year, month with the century, day; the ninth digit is even for men."""
    century, month = {0: 1900, 1: 1800, 2: 2000}.get(int(number[2:4]) // 20, 0), int(number[2:4]) % 20
    if not century:
        return None
    return _born(century + int(number[:2]), month, int(number[4:6]), "F" if int(number[8]) % 2 else "M")


def cnp_birth(number: str) -> NumberBirth | None:
    """Read sex and century from the first digit; 7 to 9 (foreigners) give no century, and 9 no sex either."""
    first = int(number[0])
    sex = "" if first == CNP_FOREIGNER else "M" if first % 2 else "F"
    return _born(_CNP_CENTURIES[first] + int(number[1:3]), int(number[3:5]), int(number[5:7]), sex)


def szemelyi_birth(number: str) -> NumberBirth | None:
    """Read sex and century from the first digit: 3 and 4 are the 21st since 1997, 7 and 8 are foreigners' 19th."""
    first = int(number[0])
    year = _HUNGARIAN_CENTURIES[first] + int(number[1:3])
    return _born(year, int(number[3:5]), int(number[5:7]), "M" if first % 2 else "F")


def adoazonosito_birth(number: str) -> NumberBirth | None:
    """Digits two to six count the days from 1 January 1867."""
    day = _HUNGARIAN_DAYS_FROM + timedelta(days=int(number[1:6]))
    return NumberBirth(day.year, day.month, day.day)


def nid_birth(number: str) -> NumberBirth | None:
    """A letter for the decade (A is 1900), a digit of the year; the month plus 50 for women, plus 30 for foreigners."""
    month = int(number[2:4])
    sex = "F" if month > WOMEN else "M"
    month -= WOMEN * (month > WOMEN)
    month -= FOREIGNERS * (month > FOREIGNERS)
    year = 1900 + 10 * (ord(number[0]) - ord("A")) + int(number[1])
    return _born(year, month, int(number[4:6]), sex)


def svnr_birth(number: str) -> NumberBirth | None:
    """Read day, month and two digits of the year from the last six; a month of 13 and more means an unknown day."""
    return _born(int(number[8:10]), int(number[6:8]), int(number[4:6]), "")


def _born(year: int, month: int, day: int, sex: str) -> NumberBirth | None:
    """A birth on a day that exists; in a year of two digits a leap day always does."""
    has_century = year >= LEAST_WITH_CENTURY
    if not 1 <= month <= MONTHS or not 1 <= day <= DAYS[month]:
        return None
    if (month, day) == LEAP_DAY and has_century and not calendar.isleap(year):
        return None
    return NumberBirth(year, month, day, sex, has_century)


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
    """A kind of national number."""

    countries: tuple[str, ...]
    """The codes of those who issue or issued it."""
    length: int
    """How many characters its numbers have."""
    form: re.Pattern[str]
    """What its canonical numbers look like."""
    check: Callable[[str], bool]
    """Whether a number of that form has right check digits."""
    birth: Callable[[str], NumberBirth | None] | None = None
    """What such a number tells of its bearer's birth and sex; None where it tells nothing."""


def jmbg(number: str) -> bool:
    """Serbia, Bosnia and Herzegovina, Montenegro, North Macedonia, Slovenia (EMŠO), Kosovo*, formerly Croatia.

    A remainder of 10 gives 0.
    """
    return -_weighted(number, JMBG_WEIGHTS) % 11 % 10 == int(number[12]) and jmbg_birth(number) is not None


def egn(number: str) -> bool:
    """Bulgaria; the month carries the century (+20 for the 19th, +40 for the 21st)."""
    return _weighted(number, EGN_WEIGHTS) % 11 % 10 == int(number[9]) and egn_birth(number) is not None


def lnch(number: str) -> bool:
    """Bulgaria, persons without citizenship."""
    return _weighted(number, LNCH_WEIGHTS) % 10 == int(number[9])


def cnp(number: str) -> bool:
    """Romania; a remainder of 10 gives 1."""
    digit = {10: 1}.get(remainder := _weighted(number, CNP_WEIGHTS) % 11, remainder)
    return digit == int(number[12]) and cnp_birth(number) is not None


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
    birth = szemelyi_birth(number)
    if birth is None:
        return False
    weights = range(10, 0, -1) if birth.year >= FALLING_SINCE else range(1, 11)
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
    return _NID_LETTERS[total % len(_NID_LETTERS)] == number[9] and nid_birth(number) is not None


def tckn(number: str) -> bool:
    """Turkey: the tenth digit checks the odd and even places, the eleventh the sum."""
    digits = [int(digit) for digit in number]
    tenth = (7 * sum(digits[0:9:2]) - sum(digits[1:8:2])) % 10
    return tenth == digits[9] and sum(digits[:10]) % 10 == digits[10]


_NID_LETTERS = "WABCDEFGHIJKLMNOPQRSTUV"
_YUGOSLAV = ("BA", "HR", "ME", "MK", "RS", "SI", "XK")

SCHEMES: dict[str, Scheme] = {
    "AL-NID": Scheme(("AL",), 10, re.compile(r"[A-T][0-9]{8}[A-W]"), nid, nid_birth),
    "AT-SVNR": Scheme(("AT",), 10, re.compile(r"[1-9][0-9]{9}"), svnr, svnr_birth),
    "BG-EGN": Scheme(("BG",), 10, re.compile(r"[0-9]{10}"), egn, egn_birth),
    "BG-LNCh": Scheme(("BG",), 10, re.compile(r"[0-9]{10}"), lnch),
    "HR-OIB": Scheme(("HR",), 11, re.compile(r"[0-9]{11}"), oib),
    "HU-SzA": Scheme(("HU",), 11, re.compile(r"[1-8][0-9]{10}"), szemelyi, szemelyi_birth),
    "HU-TAJ": Scheme(("HU",), 9, re.compile(r"[0-9]{9}"), taj),
    "HU-tax": Scheme(("HU",), 10, re.compile(r"8[0-9]{9}"), adoazonosito, adoazonosito_birth),
    "JMBG": Scheme(_YUGOSLAV, 13, re.compile(r"[0-9]{13}"), jmbg, jmbg_birth),
    "MD-IDNP": Scheme(("MD",), 13, re.compile(r"[0-2][0-9]{12}"), idnp),
    "RO-CNP": Scheme(("RO",), 13, re.compile(r"[1-9][0-9]{12}"), cnp, cnp_birth),
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
