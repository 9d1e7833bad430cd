"""Identifiers of a whole column that raise no finding, recognized at a tenth of the cost of reading each.

Nearly all numbers of a list are sound and plainly written: ASCII digits and capital letters, without a label. Each
function here returns for each text whether that is certain. False says nothing: such a text is read by `identifiers`,
`national_numbers`, which alone say what a number is worth. So a scheme that is missing here costs
time and changes no answer.

Numbers of one length are a matrix of their characters, and each step of a check is done for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aquila.records.normalize import national_numbers
from aquila.records.person import PartialDate

Whole = NDArray[np.int64]
Truth = NDArray[np.bool_]
Check = Callable[[Whole], Truth]

# Letters but O and I, which are read as digits, before digits; or digits without a zero in front, not one repeated.
_DOCUMENT = re.compile(r"[A-HJ-NP-Z]{1,9}[0-9]{4,20}|(?!([0-9])\1*\Z)[1-9][0-9]{4,29}")
# With a country's code of up to three digits, or with a trunk prefix. At least five digits that do not begin with a
# zero are left behind it whatever its length is, and at most 15 digits are there.
_NEXT = "[ /.-]?"
_PHONE = re.compile(
    rf"(?!\+([0-9])(?:{_NEXT}\1)*\Z)(?:\+[1-9]{_NEXT}[0-9]{_NEXT}[0-9]|0{_NEXT}[1-9])"
    rf"(?:{_NEXT}0){{0,3}}{_NEXT}[1-9](?:{_NEXT}[0-9]){{4,8}}"
)


is_plain_document = _DOCUMENT.fullmatch
"""Returns something for a text that is certain to be a document's number."""

is_plain_phone = _PHONE.fullmatch
"""Returns something for a text that is certain to be a telephone number."""


def plain_nationals(
    texts: Sequence[str], births: Sequence[PartialDate | None], sexes: Sequence[str | None]
) -> NDArray[np.bool_]:
    """Return of each text whether it is certain to be a national number that contradicts nothing.

    Args:
        texts: The numbers as written.
        births: The date of birth of each one's record.
        sexes: The sex of each one's record.
    """
    certain = np.zeros(len(texts), dtype=bool)
    by_length: dict[int, list[int]] = {}
    for place, text in enumerate(texts):
        if text.isascii():
            by_length.setdefault(len(text), []).append(place)
    for length, schemes in _BY_LENGTH.items():
        if places := by_length.get(length):
            joined = "".join([texts[place] for place in places]).encode()
            characters = np.frombuffer(joined, dtype=np.uint8).reshape(-1, length).astype(np.int64)
            known = _Known.of([births[place] for place in places], [sexes[place] for place in places])
            # One character that is repeated identifies nobody.
            certain[places] = (characters != characters[:, :1]).any(axis=1) & _fits_one(schemes, characters, known)
    return certain


class _Births(NamedTuple):
    """The births in n numbers, as columns; which of them exist, and which have a year of more than two digits."""

    year: Whole
    month: Whole
    day: Whole
    sex: Whole
    exists: Truth
    has_century: Truth


class _Known(NamedTuple):
    """The births of n records, as columns; zeros for what is not known."""

    year: Whole
    month: Whole
    day: Whole
    sex: Whole

    @classmethod
    def of(cls, births: Sequence[PartialDate | None], sexes: Sequence[str | None]) -> _Known:
        """Take dates apart."""
        parts = [(0, 0, 0) if born is None else (born.year, born.month or 0, born.day or 0) for born in births]
        year, month, day = np.array(parts, dtype=np.int64).T
        return cls(year, month, day, np.array([_SEXES.get(sex, 0) for sex in sexes]))

    def fits(self, told: _Births) -> Truth:
        """Return for which records the birth and the sex in a number may be theirs."""
        year = np.where(told.has_century, self.year, self.year % 100)
        fits: Truth = (year == told.year) & ((self.month == 0) | (self.month == told.month))
        fits &= (self.day == 0) | (self.day == told.day)
        fits |= self.year == 0
        fits &= (self.sex == 0) | (told.sex == 0) | (self.sex == told.sex)
        return fits


class _Scheme(NamedTuple):
    """A scheme of `national_numbers.SCHEMES`."""

    check: Check
    """Returns which numbers have right check digits; a letter is its place in the alphabet."""
    birth: Callable[[Whole], _Births] | None = None
    """Reads the births in numbers, where there are any."""
    first: range = range(10)
    """The digits, or letters, with which a number may begin."""
    letters: tuple[int, ...] = ()
    """Where it has letters."""

    def fits(self, characters: Whole, known: _Known) -> Truth:
        """Return which numbers are of this scheme and contradict nothing that is known."""
        values = characters - ord("0")
        values[:, self.letters] = characters[:, self.letters] - _BEFORE_A
        most = np.full(values.shape[1], 9)
        most[list(self.letters)] = _LETTERS
        fits = ((values >= 0) & (values <= most)).all(axis=1)
        fits &= (values[:, 0] >= self.first.start) & (values[:, 0] < self.first.stop) & self.check(values)
        if self.birth is None:
            return fits
        births = self.birth(values)
        return fits & births.exists & known.fits(births)


def _fits_one(schemes: Sequence[_Scheme], characters: Whole, known: _Known) -> Truth:
    """Return which numbers fit a scheme; the next scheme is asked only where one has not been found for all."""
    certain = np.zeros(len(characters), dtype=bool)
    for scheme in schemes:
        certain |= scheme.fits(characters, known)
        if certain.all():
            break
    return certain


def _weighted(weights: Sequence[int], digits: Sequence[int], place: int) -> Check:
    """Return the check by a weighted sum of the first characters.

    Args:
        weights: Of each of them.
        digits: By the remainder of the sum, the digit that checks it; -1 where no number is issued.
        place: Where that digit is.
    """
    factors, right = np.array(weights), np.array(digits)
    return lambda values: right[values[:, : len(factors)] @ factors % len(right)] == values[:, place]


def _oib(values: Whole) -> Truth:
    """ISO 7064, MOD 11,10."""
    rest = np.full(len(values), 10)
    for place in range(10):
        rest = (rest + values[:, place]) % 10
        rest = np.where(rest == 0, 10, rest) * 2 % 11
    right: Truth = (11 - rest) % 10 == values[:, 10]
    return right


def _jmbg(values: Whole) -> _Births:
    years = _number(values, 4, 7)
    year = years + np.where(years >= national_numbers.THIS_CENTURY_FROM, 1000, 2000)
    sex = np.where(_number(values, 9, 12) >= national_numbers.WOMEN_FROM, _FEMALE, _MALE)
    return _born(year, _number(values, 2, 4), _number(values, 0, 2), sex)


def _egn(values: Whole) -> _Births:
    month = _number(values, 2, 4)
    century = np.array([1900, 1800, 2000, 0, 0])[np.clip(month // 20, 0, 4)]
    born = _born(
        century + _number(values, 0, 2), month % 20, _number(values, 4, 6), np.where(values[:, 8] % 2, _FEMALE, _MALE)
    )
    return born._replace(exists=born.exists & (century > 0))


def _cnp(values: Whole) -> _Births:
    first = values[:, 0]
    sex = np.where(first == national_numbers.CNP_FOREIGNER, 0, np.where(first % 2, _MALE, _FEMALE))
    century = np.array([0, 1900, 1900, 1800, 1800, 2000, 2000, 0, 0, 0])[np.clip(first, 0, 9)]
    return _born(century + _number(values, 1, 3), _number(values, 3, 5), _number(values, 5, 7), sex)


def _nid(values: Whole) -> _Births:
    month = _number(values, 2, 4)
    sex = np.where(month > national_numbers.WOMEN, _FEMALE, _MALE)
    for added in (national_numbers.WOMEN, national_numbers.FOREIGNERS):
        month -= added * (month > added)
    return _born(1890 + 10 * values[:, 0] + values[:, 1], month, _number(values, 4, 6), sex)


def _svnr(values: Whole) -> _Births:
    return _born(_number(values, 8, 10), _number(values, 6, 8), _number(values, 4, 6), np.zeros(len(values), dtype=int))


def _number(values: Whole, start: int, end: int) -> Whole:
    """Return the number that some digits are."""
    number: Whole = values[:, start:end] @ 10 ** np.arange(end - start)[::-1]
    return number


def _born(year: Whole, month: Whole, day: Whole, sex: Whole) -> _Births:
    """Make births, with which of their days exist; in a year of two digits a leap day always does."""
    has_century = year >= national_numbers.LEAST_WITH_CENTURY
    exists = (month >= 1) & (month <= national_numbers.MONTHS) & (day >= 1)
    exists &= day <= _DAYS[np.where(exists, month, 0)]
    leaps = ~has_century | (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    leap_month, leap_day = national_numbers.LEAP_DAY
    exists &= leaps | (month != leap_month) | (day != leap_day)
    return _Births(year, month, day, sex, exists, has_century)


_BEFORE_A = ord("A") - 1
_LETTERS = 23  # of Albania's numbers; W is worth nothing and V most
_DAYS = np.array(national_numbers.DAYS)
_MALE, _FEMALE = 1, 2
_SEXES: dict[str | None, int] = {"M": _MALE, "F": _FEMALE}
_TENS, _ELEVENS = range(10), (*range(10), -1)
_BY_LENGTH: dict[int, tuple[_Scheme, ...]] = {
    8: (_Scheme(_weighted(range(8, 1, -1), (-1, 0, *range(9, 0, -1)), 7), first=range(1, 10)),),
    9: (_Scheme(_weighted(national_numbers.TAJ_WEIGHTS, _TENS, 8)),),
    10: (
        _Scheme(_weighted((1, *range(1, 9)), (_LETTERS, *range(1, _LETTERS)), 9), _nid, range(1, 21), letters=(0, 9)),
        _Scheme(_weighted(national_numbers.EGN_WEIGHTS, (*range(10), 0), 9), _egn),
        _Scheme(_weighted(national_numbers.LNCH_WEIGHTS, _TENS, 9)),
        _Scheme(_weighted(national_numbers.SVNR_WEIGHTS, _ELEVENS, 3), _svnr, range(1, 10)),
    ),
    11: (_Scheme(_oib),),
    13: (
        _Scheme(_weighted(national_numbers.JMBG_WEIGHTS, (0, 0, *range(9, 0, -1)), 12), _jmbg),
        _Scheme(_weighted(national_numbers.CNP_WEIGHTS, (*range(10), 1), 12), _cnp, range(1, 10)),
        _Scheme(_weighted(national_numbers.IDNP_WEIGHTS, _TENS, 12), first=range(3)),
    ),
}
"""Schemes by the length of their numbers; Hungary's personal and tax numbers and Turkey's are read with care alone."""
