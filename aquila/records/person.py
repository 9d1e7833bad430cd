"""The record of one person as a party holds it, and dates of birth that may miss their day or month.

A record never shows its content: `repr` prints the class name alone, so that no log line and no traceback carries a
name, a number or even a record id. What a source writes is kept as written; `normalize` makes it comparable.

A partial date keeps what the source knows and nothing more: `1980` is a year, not the first of January. Dates that no
calendar has (31 February) do not exist here; `PartialDate.salvage` keeps what can be used of one, in every form in
which the region's lists write a date and that has one meaning (`months.toml` has the names of months). What has two
meanings is not guessed. A first of January is kept as written; that many lists mean a year by it is for `DATE_FORMS` in
`rule_parts.py`.
"""

from __future__ import annotations

import calendar
import datetime as dt
import json
import re
import tomllib
import unicodedata
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from functools import cache, lru_cache, partial
from operator import attrgetter
from pathlib import Path
from typing import Any

from aquila.errors import InputError

FIRST_YEAR = 1850
LAST_YEAR = 2150
_MONTHS = 12
_DAYS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # of each month, in a year that is no leap year
_LEAP_DAY = (2, 29)
_PLACES = 100  # months of a year in the number of a date
_CACHED = 1 << 15
_SHAPE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})(?:([-/.]) ?(\d{1,2})(?:\2 ?(\d{1,2}))?)?\.?", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.]) ?(\d{1,2})\2 ?(\d{4})\.?", re.ASCII)
_MONTH_YEAR = re.compile(r"(\d{1,2})[-/.] ?(\d{4})\.?", re.ASCII)
_MIDNIGHT = re.compile(r"[T ]0?0:00(?::00(?:\.0+)?)?", re.ASCII)  # which databases write behind a date
_SHORT_YEAR = re.compile(r"(\d{1,2})([-/.]) ?(\d{1,2})\2 ?(\d{2})\.?", re.ASCII)
_ENDING_YEAR = re.compile(r"(?<!\d)(\d{2})\.?\Z", re.ASCII)
_TOKEN = re.compile(r"[0-9]+|[^\W\d_]+")
_SIGNS = frozenset(" .,/-")  # between the tokens of a date with the name of its month
_TABLE = Path(__file__).with_name("months.toml")
_YEAR_DIGITS = 4
_DAY_DIGITS = 2
_MOST_DAYS = 31  # a number of two digits above it is a year of the last century: nobody is born in another one
# What programs write for a date that they do not know; nobody of these days is alive.
_PLACEHOLDERS = frozenset({(1900, 1, 1), (1899, 12, 30), (1899, 12, 31)})


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A day, a month or a year of the Gregorian calendar.

    Raises:
        InputError: The date is impossible, or has a day without a month.
    """

    year: int
    month: int | None = None
    day: int | None = None
    number: int = field(init=False, compare=False)
    """One whole number for each date, by which dates are looked up at less cost: days since the year 1, and negative
    where the day is not known; never zero."""

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
        return cls(*_parsed_parts(text))

    @classmethod
    def salvage(cls, text: str, *, day_first: bool | None = None) -> tuple[PartialDate | None, str]:
        """Read the usable part of a date as lists write it.

        Year first (`1980-2-3`, `1980/02`, `1980.02.03.`, `19800203`), year last (`3.2.1980`, `03/02/1980`, `2.1980`)
        and with the name of the month (`3. februar 1980.`, `03-FEB-1980`). A year may have two digits where they can be
        nothing else (`24-9-92`, `3 feb 80`, `80.02.03.`). Zeros mean an unknown day or month. With points the day comes
        before the month, as the region writes; with other signs `day_first` says so.

        Args:
            text: The date.
            day_first: Whether the day comes before the month where both could be either; None if nobody knows.

        Returns:
            The date, or what of it can be used, or None; and what is wrong with it, or an empty string where it is
            sound: `form`, `year`, `month` and `day` name the part, `order` a day and month that stand the other way
            round, `ambiguous` those that may do so, `placeholder` a date that programs put for an unknown one.
        """
        text = text.strip()
        if (midnight := _MIDNIGHT.search(text)) and midnight.end() == len(text):
            text = text[: midnight.start()]
        parts, is_ordered = _written(text, day_first=day_first)
        if parts is None:
            return None, "form"
        year, month, day = parts
        if not is_ordered:
            return (None, "year") if _fault(year, None, None) else (cls(year), "ambiguous")
        return cls._sound(year, month, day or None)

    @classmethod
    def _sound(cls, year: int, month: int | None, day: int | None) -> tuple[PartialDate | None, str]:
        """Return the sound part of a date whose parts are known, and what is wrong with it."""
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


def date_meanings(text: str) -> list[str]:
    """Return the dates that one which is not used whole may mean, or what of it is used; none where nobody can say."""
    text = text.strip()
    used, fault = PartialDate.salvage(text)
    if fault not in {"form", "ambiguous"}:
        return [str(used)] if used else []
    texts = [text] if used else [_ENDING_YEAR.sub(rf"{century}\1", text) for century in (20, 19)]
    found = [PartialDate.salvage(one, day_first=day_first) for one in texts for day_first in (True, False)]
    return list(dict.fromkeys(str(date) for date, _fault in found if date))


def date_order(text: str) -> bool | None:
    """Return whether a date shows that the day comes before the month (`13/2/1980`), or after it; None if neither."""
    found = _YEAR_LAST.fullmatch(_with_century(text.strip()))
    if found is None or found[2] == ".":
        return None
    first, second = int(found[1]), int(found[3])
    if (first > _MONTHS) == (second > _MONTHS):
        return None
    return first > _MONTHS


_Parts = tuple[int, int | None, int | None]


def _written(text: str, *, day_first: bool | None) -> tuple[_Parts | None, bool]:
    """Return year, month and day, not judged, or None for an unknown form; and whether their order is known."""
    text = _with_century(text)
    if found := _YEAR_FIRST.fullmatch(text) or _COMPACT.fullmatch(text):
        year, *_sign, month, day = found.groups()
        if found.re is _COMPACT and _fault(int(year), None, None):
            return None, True  # some other number
        return (int(year), int(month) if month else None, int(day) if day else None), True
    if found := _MONTH_YEAR.fullmatch(text):
        return (int(found[2]), int(found[1]), None), True
    if found := _YEAR_LAST.fullmatch(text):
        first, second, year = int(found[1]), int(found[3]), int(found[4])
        if found[2] == "." or first == second:
            return (year, second, first), True
        shown = date_order(text)
        if shown is None:
            shown = True if first > _MONTHS else day_first
        return (year, first, second) if shown is False else (year, second, first), shown is not None
    return _worded(text), True


def _with_century(text: str) -> str:
    """Return a date of three numbers with a whole year, where just one of its first and last cannot be a day."""
    found = _SHORT_YEAR.fullmatch(text)
    if found is None:
        return text
    first, sign, second, last = found.groups()
    if (int(first) > _MOST_DAYS) == (int(last) > _MOST_DAYS):
        return text
    return sign.join((first, second, f"19{last}") if int(last) > _MOST_DAYS else (f"19{first}", second, last))


def _worded(text: str) -> _Parts | None:
    """Return the parts of a date with the name of a month; the longest number is the year, in whatever order."""
    tokens = _TOKEN.findall(text)
    months = [month for token in tokens if (month := _months().get(_folded(token)))]
    years = [token for token in tokens if len(token) == _YEAR_DIGITS and token.isdecimal()]
    days = [token for token in tokens if len(token) <= _DAY_DIGITS and token.isdecimal()]
    if not years:
        years = [f"19{token}" for token in days if int(token) > _MOST_DAYS]
        days = [token for token in days if int(token) <= _MOST_DAYS]
    kinds = len(months), len(years), len(tokens) - len(days)
    if kinds != (1, 1, 2) or len(days) > 1 or not _SIGNS.issuperset(_TOKEN.sub("", text)):
        return None
    return int(years[0]), months[0], int(days[0]) if days else None


@cache
def _months() -> dict[str, int]:
    """Return the month of each name of the table."""
    table = tomllib.loads(_TABLE.read_text("utf-8"))
    return {_folded(name): int(month) for month, names in table.items() for name in names}


def _folded(name: str) -> str:
    """Return a name of a month without case and marks."""
    letters = unicodedata.normalize("NFD", name.casefold().replace("ı", "i"))  # noqa: RUF001 - Turkish
    return "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")


def _parsed_parts(text: str) -> tuple[int, int | None, int | None]:
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


CODES = {
    "sex": ("F", "M", "X"),
    "source_evaluation": ("A", "B", "C", "X"),
    "information_evaluation": ("1", "2", "3", "4"),
    "handling_code": ("H0", "H1", "H2", "H3"),
}
"""The fields of closed lists; the evaluations are those of the 4x4 system."""

_ENOUGH = 2


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """A person with at least two of given names, family names and date of birth.

    Attributes:
        sex, source_evaluation, information_evaluation, handling_code: One of `CODES`, or None.

    Raises:
        InputError: No record id, too little to match on, or an unknown code.
    """

    record_id: str
    """The party's own identifier, unique in its list."""
    given_names: tuple[str, ...] = ()
    family_names: tuple[str, ...] = ()
    full_name: str | None = None
    """The whole name where the source does not split it; it stands for given and family names."""
    aliases: tuple[str, ...] = ()
    """Other whole names; one stands for both where there is no other name."""
    date_of_birth: PartialDate | None = None
    sex: str | None = None
    place_of_birth: str | None = None
    country_of_birth: str | None = None
    nationality: tuple[str, ...] = ()
    document_numbers: tuple[str, ...] = ()
    national_numbers: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    category: str | None = None
    source_evaluation: str | None = None
    information_evaluation: str | None = None
    handling_code: str | None = None
    indicators: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.record_id:
            raise InputError("record_id_missing")
        if not self.is_enough:
            raise InputError("record_fields_too_few")
        for name, codes in CODES.items():
            value = getattr(self, name)
            if value is not None and value not in codes:
                raise InputError("record_value_unknown", field=name, codes=", ".join(codes))

    def __repr__(self) -> str:
        return "Record()"

    @property
    def is_enough(self) -> bool:
        """Return whether two of given names, family names and date of birth are there; a whole name is both names."""
        names = _ENOUGH if self.full_name or self.aliases else bool(self.given_names) + bool(self.family_names)
        return names + (self.date_of_birth is not None) >= _ENOUGH

    def to_json(self) -> bytes:
        """Write the record as one JSON object, the same bytes for the same record; absent fields are left out."""
        values = zip(_SORTED, _values_sorted(self), strict=True)
        content = {name: value for name, value in values if value is not None and value != ()}
        if self.date_of_birth is not None:
            content["date_of_birth"] = str(self.date_of_birth)
        return _write_json(content).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Record:
        """Read the output of `to_json`; raises InputError if bytes that are no record."""
        try:
            text = content.decode()
            stored, end = _read_json(text)
        except (ValueError, RecursionError):
            raise InputError("stored_record_not_json") from None
        if end != len(text):
            raise InputError("stored_record_not_json")
        values = list(ABSENT)
        try:
            for name, value in stored.items():
                place, read = _STORED[name]
                values[place] = read(value)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise InputError("stored_record_fields_wrong") from None
        return sound_record(values) or cls(*values)


FIELDS = tuple(field.name for field in fields(Record))
"""The names of a record's fields, which are the columns of a CSV list."""

LIST_FIELDS = tuple(field.name for field in fields(Record) if field.default == ())
"""The fields that hold several values."""


ABSENT: tuple[Any, ...] = tuple(() if name in LIST_FIELDS else None for name in FIELDS)
"""What a record holds of each field that its source has not."""

_SETTERS = tuple(getattr(Record, name).__set__ for name in FIELDS)
_SORTED = tuple(sorted(FIELDS))
_values_sorted = attrgetter(*_SORTED)
_read_json = json.JSONDecoder().raw_decode  # looks for no white space around the object, which `to_json` does not write
_write_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def sound_record(values: Sequence[Any]) -> Record | None:
    """The record of values that are right one by one, in the order of `FIELDS`; it checks only that they are enough.

    This is the way past the checks of `Record` for those who read hundreds of thousands of them.

    Returns:
        None where there is no record id, or too little to match on.
    """
    record = object.__new__(Record)
    for put, value in zip(_SETTERS, values, strict=True):
        put(record, value)
    return record if record.record_id and record.is_enough else None


def sound_records(columns: Sequence[Sequence[Any]]) -> list[Record | None]:
    """The records of values that are right one by one, given field by field in the order of `FIELDS`.

    Returns:
        For each row what `sound_record` gives.
    """
    records = [object.__new__(Record) for _ in columns[0]]
    for put, column in zip(_SETTERS, columns, strict=True):
        deque(map(put, records, column), maxlen=0)  # a setter returns nothing
    return [record if record.record_id and record.is_enough else None for record in records]


class RecordColumns:
    """Records field by field: `columns["sex"]` has the value of each of n records, in their order.

    Args:
        column: Returns the values of a field.
        size: How many records there are.
    """

    def __init__(self, column: Callable[[str], Sequence[Any]], size: int) -> None:
        self._column, self._size = column, size

    @classmethod
    def of(cls, records: Sequence[Record]) -> RecordColumns:
        """Return the columns of records; only those that are asked for are made."""
        return cls(lambda name: list(map(attrgetter(name), records)), len(records))

    def __getitem__(self, name: str) -> Sequence[Any]:
        return self._column(name)

    def __len__(self) -> int:
        return self._size


def _stored_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _stored_list(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(map(_stored_text, value))


def _stored_code(codes: tuple[str, ...], value: object) -> str:
    """A code of a closed list: its own text object, not one more."""
    return codes[codes.index(_stored_text(value))]


def _stored_date(value: object) -> PartialDate:
    return PartialDate.parse(_stored_text(value))


def _reader_of(name: str) -> Callable[[object], object]:
    """Return the function that checks and reads a field's stored value."""
    if name in CODES:
        return partial(_stored_code, CODES[name])
    if name == "date_of_birth":
        return _stored_date
    return _stored_list if name in LIST_FIELDS else _stored_text


_STORED = {name: (place, _reader_of(name)) for place, name in enumerate(FIELDS)}
