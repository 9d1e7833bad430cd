"""The record of one person as a party holds it.

A record never shows its content: `repr` prints the class name alone, so that no log line and no traceback carries a
name, a number or even a record id. What a source writes is kept as written; `normalize` makes it comparable.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from operator import attrgetter
from typing import Any

from aquila.errors import InputError
from aquila.records.dates import PartialDate

__all__ = ["ABSENT", "CODES", "FIELDS", "LIST_FIELDS", "PartialDate", "Record", "RecordColumns", "sound_record"]

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
        record_id: The party's own identifier, unique in its list.
        full_name: The whole name where the source does not split it; it stands for given and family names.
        sex, source_evaluation, information_evaluation, handling_code: One of `CODES`, or None.

    Raises:
        InputError: No record id, too little to match on, or an unknown code.
    """

    record_id: str
    given_names: tuple[str, ...] = ()
    family_names: tuple[str, ...] = ()
    full_name: str | None = None
    aliases: tuple[str, ...] = ()
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
        """Return whether two of given names, family names and date of birth are there; a full name is both names."""
        names = _ENOUGH if self.full_name else bool(self.given_names) + bool(self.family_names)
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
        """Read the output of `to_json`.

        Raises:
            InputError: Bytes that are no record.
        """
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
