"""Birth and sex of its bearer in a national number.

Each function takes a number of its scheme's form (`check_digits.SCHEMES`) and returns None where the date that it
holds does not exist. A number whose year has two digits only is given the one century that its scheme says, or none.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from typing import NamedTuple

from aquila.records.dates import PartialDate

FALLING_SINCE = 1997  # the year from which Hungary's check digit has falling weights
_DAYS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # of each month, at most
_LEAP_DAY = (2, 29)
_WOMEN_FROM = 500  # the JMBG's serial numbers of women
_FOREIGNERS, _WOMEN = 30, 50  # what Albania adds to the month
_HUNGARIAN_DAYS_FROM = date(1867, 1, 1)
_THIS_CENTURY_FROM = 800  # the JMBG's year of three digits: 800 to 999 are 1800 to 1999
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


def jmbg(number: str) -> NumberBirth | None:
    """Day, month, three digits of the year; from serial number 500 on women."""
    years = int(number[4:7])
    year = years + (1000 if years >= _THIS_CENTURY_FROM else 2000)
    return _born(year, int(number[2:4]), int(number[:2]), "F" if int(number[9:12]) >= _WOMEN_FROM else "M")


def egn(number: str) -> NumberBirth | None:
    """Year, month with the century, day; the ninth digit is even for men."""
    century, month = {0: 1900, 1: 1800, 2: 2000}.get(int(number[2:4]) // 20, 0), int(number[2:4]) % 20
    if not century:
        return None
    return _born(century + int(number[:2]), month, int(number[4:6]), "F" if int(number[8]) % 2 else "M")


def cnp(number: str) -> NumberBirth | None:
    """Read sex and century from the first digit; 7 to 9 (foreigners) give no century, and 9 no sex either."""
    first, foreigner = int(number[0]), 9
    sex = "" if first == foreigner else "M" if first % 2 else "F"
    return _born(_CNP_CENTURIES[first] + int(number[1:3]), int(number[3:5]), int(number[5:7]), sex)


def szemelyi(number: str) -> NumberBirth | None:
    """Read sex and century from the first digit: 3 and 4 are the 21st since 1997, 7 and 8 are foreigners' 19th."""
    first = int(number[0])
    year = _HUNGARIAN_CENTURIES[first] + int(number[1:3])
    return _born(year, int(number[3:5]), int(number[5:7]), "M" if first % 2 else "F")


def adoazonosito(number: str) -> NumberBirth | None:
    """Digits two to six count the days from 1 January 1867."""
    day = _HUNGARIAN_DAYS_FROM + timedelta(days=int(number[1:6]))
    return NumberBirth(day.year, day.month, day.day)


def nid(number: str) -> NumberBirth | None:
    """A letter for the decade (A is 1900), a digit of the year; the month plus 50 for women, plus 30 for foreigners."""
    month = int(number[2:4])
    sex = "F" if month > _WOMEN else "M"
    month -= _WOMEN * (month > _WOMEN)
    month -= _FOREIGNERS * (month > _FOREIGNERS)
    year = 1900 + 10 * (ord(number[0]) - ord("A")) + int(number[1])
    return _born(year, month, int(number[4:6]), sex)


def svnr(number: str) -> NumberBirth | None:
    """Read day, month and two digits of the year from the last six; a month of 13 and more means an unknown day."""
    return _born(int(number[8:10]), int(number[6:8]), int(number[4:6]), "")


def _born(year: int, month: int, day: int, sex: str) -> NumberBirth | None:
    """A birth on a day that exists; in a year of two digits a leap day always does."""
    has_century = year >= 100  # noqa: PLR2004 - two digits are below
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS[month]:  # noqa: PLR2004 - months
        return None
    if (month, day) == _LEAP_DAY and has_century and not calendar.isleap(year):
        return None
    return NumberBirth(year, month, day, sex, has_century)
