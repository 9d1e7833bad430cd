"""Rows of a CSV list.

The header names the columns, in any order; `,` or `;` parts them, whichever the header holds more of. Fields that
hold several values part these by `;` and are quoted where the separator is `;` too. A row whose quotes do not close
is refused alone: reading goes on at the next line.
"""

from __future__ import annotations

import csv
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from aquila.errors import InputError
from aquila.records.fields import RowReader
from aquila.records.lines import Line, read_lines
from aquila.records.person import FIELDS, LIST_FIELDS
from aquila.records.rows import Accepted, Finding, Refused, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_LINES = 50  # of one row, so that a quote that never closes refuses one row and not the rest of the file
_LONGEST_COLUMN = 60  # characters of an unknown column's name that a finding shows
_LISTS = frozenset(LIST_FIELDS)


class _UnreadableError(Exception):
    """A row that cannot be parsed; says why."""


@dataclass(frozen=True, slots=True)
class _Header:
    """The columns of a list in their order; unknown ones are None."""

    separator: str
    columns: tuple[str | None, ...]
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class _Source:
    """Lines with a way back, for rows that turn out to be shorter than they looked."""

    lines: Iterator[Line]
    returned: deque[Line] = field(default_factory=deque)

    def take(self) -> Line | None:
        """The next line, or None at the end."""
        return self.returned.popleft() if self.returned else next(self.lines, None)


def csv_rows(stream: BinaryIO) -> Iterator[Row]:
    """Read the rows of a CSV list; warnings about the header come with the first row.

    Raises:
        InputError: Empty, no usable header, or no row below it.
    """
    source = _Source(read_lines(stream))
    header = _read_header(source)
    pending, is_empty = header.findings, True
    while (line := source.take()) is not None:
        if not line.fault and not line.text.strip():
            continue
        row = _read_row(line, source, header)
        yield _with_findings(row, pending)
        pending, is_empty = (), False
    if is_empty:
        raise InputError("The list has a header and no record.", hint="Export the list again and look at the file.")


def _read_header(source: _Source) -> _Header:
    """Read the first line.

    Raises:
        InputError: Nothing there, not text, no known column, one twice, or too few to match on.
    """
    line = source.take()
    if line is None:
        raise InputError("The list is empty.", hint="Its first line names the columns, such as record_id.")
    if line.fault:
        raise InputError(f"The first line {line.fault}.", line=1)
    separator = ";" if line.text.count(";") > line.text.count(",") else ","
    try:
        names = [name.strip().lower() for name in next(csv.reader([line.text.rstrip("\r\n")], delimiter=separator), [])]
    except csv.Error:
        names = []
    if not set(names) & set(FIELDS):
        raise InputError("The first line names no known column.", hint="Known: " + ", ".join(FIELDS) + ".", line=1)
    columns = tuple(name if name in FIELDS else None for name in names)
    _check_columns([name for name in columns if name])
    findings = tuple(
        Finding(1, name[:_LONGEST_COLUMN] or f"column {place}", "is an unknown column and is not read")
        for place, name in enumerate(names, start=1)
        if name not in FIELDS
    )
    return _Header(separator, columns, findings)


def _check_columns(columns: list[str]) -> None:
    """Refuse a header under which no record can be complete.

    Raises:
        InputError: A column twice, no record ids, or too little to match on.
    """
    known = set(columns)
    if len(known) < len(columns):
        raise InputError("The first line names a column twice.", hint="Leave one of them out.", line=1)
    if "record_id" not in known:
        raise InputError("The list has no column record_id.", hint="Give every record an id of its own.", line=1)
    if "full_name" not in known and len(known & {"given_names", "family_names", "date_of_birth"}) < 2:  # noqa: PLR2004 - two of three
        raise InputError(
            "The list has too few columns to match on.",
            hint="Give two of given_names, family_names (or full_name for both) and date_of_birth.",
            line=1,
        )


def _read_row(line: Line, source: _Source, header: _Header) -> Row:
    """Read the row that begins on a line."""
    reader = RowReader(line.number)
    if line.fault:
        return reader.refuse("", line.fault)
    try:
        values = _parse(line, source, header.separator)
    except _UnreadableError as fault:
        return reader.refuse("", str(fault))
    if len(values) != len(header.columns):
        much = "more" if len(values) > len(header.columns) else "fewer"
        return reader.refuse("", f"has {much} fields than the first line; quote fields that hold the separator")
    texts: dict[str, list[str]] = {}
    for name, value in zip(header.columns, values, strict=True):
        if name and value:
            texts[name] = value.split(";") if name in _LISTS else [value]
    return reader.read(texts)


def _parse(line: Line, source: _Source, separator: str) -> list[str]:
    """Part a row into its fields, taking further lines while a quote is open.

    Raises:
        _UnreadableError: Quotes that do not close or stand where none may; the further lines are given back.
    """
    taken: list[Line] = []

    def texts() -> Iterator[str]:
        yield line.text
        while len(taken) < _MOST_LINES and (further := source.take()) is not None:
            taken.append(further)
            if further.fault:
                return
            yield further.text

    try:
        return next(csv.reader(texts(), delimiter=separator, strict=True))
    except csv.Error:
        source.returned.extendleft(reversed(taken))
        raise _UnreadableError(
            "is no well-formed CSV; look for a quote that is not closed or not doubled, or a bare line end"
        ) from None


def _with_findings(row: Row, findings: tuple[Finding, ...]) -> Row:
    """The row with findings put before its own."""
    if not findings:
        return row
    if isinstance(row, Accepted):
        return Accepted(row.line, row.record, findings + row.warnings)
    return Refused(row.line, row.record_id, findings + row.findings)
