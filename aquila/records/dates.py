"""Dates of birth that may miss their day or month.

A partial date keeps what the source knows and nothing more: `1980` is a year, not the first of January. Dates that
no calendar has (31 February) do not exist here; `PartialDate.salvage` keeps what can be used of one. A first of January
is kept as written; that many lists mean a year alone by it is the forms' affair (`DATE_FORMS` in `rule_parts.py`).
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass, field
from functools import lru_cache

from aquila.errors import InputError

FIRST_YEAR = 1850
LAST_YEAR = 2150
_MONTHS = 12
_DAYS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # of each month, in a year that is no leap year
_LEAP_DAY = (2, 29)
_PLACES = 100  # months of a year in the number of a date
_CACHED = 1 << 15
_SHAPE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_DOTTED = re.compile(r"(?:(\d{1,2})\. ?)?(\d{1,2})\. ?(\d{4})\.?", re.ASCII)  # as the region writes: the day first
# What programs write for a date that they do not know; nobody of these days is alive.
_PLACEHOLDERS = frozenset({(1900, 1, 1), (1899, 12, 30), (1899, 12, 31)})


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A day, a month or a year of the Gregorian calendar.

    Attributes:
        number: One whole number for each date, by which dates are looked up at less cost: days since the year 1, and
            negative where the day is not known; never zero.

    Raises:
        InputError: The date is impossible, or has a day without a month.
    """

    year: int
    month: int | None = None
    day: int | None = None
    number: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        fault = _fault(self.year, self.month, self.day)
        if fault:
            raise InputError("date_impossible", part=fault)
        if self.month and self.day:
            number = dt.date(self.year, self.month, self.day).toordinal()
        else:
            number = -(_PLACES * self.year + (self.month or 0))
        object.__setattr__(self, "number", number)

    def __repr__(self) -> str:
        return "PartialDate()"

    def __str__(self) -> str:
        if self.month is None:
            return f"{self.year:04d}"
        if self.day is None:
            return f"{self.year:04d}-{self.month:02d}"
        return f"{self.year:04d}-{self.month:02d}-{self.day:02d}"

    @classmethod
    def of_number(cls, number: int) -> PartialDate:
        """Return the date that has a number."""
        if number > 0:
            day = dt.date.fromordinal(number)
            return cls(day.year, day.month, day.day)
        year, month = divmod(-number, _PLACES)
        return cls(year, month or None)

    @classmethod
    @lru_cache(maxsize=_CACHED)
    def parse(cls, text: str) -> PartialDate:
        """Read `YYYY-MM-DD`, `YYYY-MM` or `YYYY`.

        Raises:
            InputError: Another shape, or a date that no calendar has.
        """
        return cls(*_parts(text))

    @classmethod
    def salvage(cls, text: str) -> tuple[PartialDate | None, str]:
        """Read the usable part of a date, also of `DD.MM.YYYY` and `MM.YYYY`; zeros mean an unknown day or month.

        Returns:
            The date, or what of it can be used, or None; and what is wrong with it, or an empty string where it is
            sound: `form`, `year`, `month` and `day` name the part, `order` a day and month that stand the other way
            round, `placeholder` a date that programs put for an unknown one.
        """
        try:
            year, month, day = _parts(_undotted(text.strip()))
        except InputError:
            return None, "form"
        day = None if day == 0 else day
        month = None if month == 0 and day is None else month
        fault = _fault(year, month, day)
        if (year, month, day) in _PLACEHOLDERS:
            return None, "placeholder"
        if fault == "year":
            return None, fault
        if fault == "month":
            if day is not None and not _fault(year, day, month):
                return cls(year, day, month), "order"
            return cls(year), fault
        return cls(year, month, None if fault else day), fault


def _undotted(text: str) -> str:
    """A date with dots as one with hyphens; another as it is."""
    found = _DOTTED.fullmatch(text)
    if found is None:
        return text
    day, month, year = found.groups()
    return f"{year}-{month:0>2}" + (f"-{day:0>2}" if day else "")


def _parts(text: str) -> tuple[int, int | None, int | None]:
    """Split a date into its numbers without judging them."""
    found = _SHAPE.fullmatch(text.strip())
    if found is None:
        raise InputError("date_form_unknown")
    year, month, day = found.groups()
    return int(year), int(month) if month else None, int(day) if day else None


def _fault(year: int, month: int | None, day: int | None) -> str:
    """Name the first part that makes the date impossible, or nothing."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return "year"
    if month is None:
        return "" if day is None else "month"
    if not 1 <= month <= _MONTHS:
        return "month"
    if day is None or 1 <= day <= _DAYS[month] or ((month, day) == _LEAP_DAY and calendar.isleap(year)):
        return ""
    return "day"
