"""The first line of a CSV list, read once: which column is which field.

The header names the columns, in any order and case; `,`, `;` or a tab parts them, whichever it holds most of.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from aquila.errors import InputError
from aquila.records.person import FIELDS
from aquila.records.reading.bounded_lines import decode_line
from aquila.records.reading.headings import suggest_columns
from aquila.records.reading.layouts import Encoding
from aquila.records.rows import Finding
from aquila.sentences import Sentence

_SEPARATORS = (",", ";", "\t")
_LONGEST_COLUMN = 60  # characters of an unknown column's name that a finding shows
_MOST_NAMED = 30  # unknown columns that an error names
_LEAST_LIKENESS = 0.8  # of an unknown name to that of a missing field, above which it is a misspelling


@dataclass(frozen=True, slots=True)
class CsvPlan:
    """The way in which the rows of a CSV list are read.

    Attributes:
        separator: `,`, `;` or a tab.
        columns: The fields of the columns in their order; None where a column is unknown.
        findings: What is wrong with the header; they are told with the list's first row.
        line: The line of the header.
        encoding: Of the lines.
        day_first: Whether days come before months in dates that do not say so; None if nobody knows.
    """

    separator: str
    columns: tuple[str | None, ...]
    findings: tuple[Finding, ...] = ()
    line: int = 1
    encoding: Encoding = "utf-8"
    day_first: bool | None = None


def read_headings(content: bytes, encoding: Encoding = "utf-8") -> tuple[tuple[str, ...], str]:
    """Read the columns that a list's first line names, and return them with what parts them.

    Raises:
        InputError: Nothing there, or not text.
    """
    if not content:
        raise InputError("list_empty")
    line = decode_line(1, content, encoding)
    if line.fault:
        raise InputError("first_line_malformed", line=1, fault=line.fault)
    separator = max(_SEPARATORS, key=line.text.count)
    try:
        names = next(csv.reader([line.text.rstrip("\r\n")], delimiter=separator), [])
    except csv.Error:
        names = []
    return tuple(name.strip() for name in names), separator


def plan_columns(
    headings: Sequence[str],
    separator: str,
    *,
    line: int = 1,
    encoding: Encoding = "utf-8",
    chosen: tuple[str | None, ...] | None = None,
) -> CsvPlan:
    """Find the fields of columns by their names, in any case, unless a person chose them.

    Args:
        headings: As the list has them.
        separator: How the fields of its lines are parted.
        line: The line that names them.
        encoding: Of its lines.
        chosen: The field of each column, or None for one that is not read.

    Raises:
        InputError: No known column, one twice, too few to match on, one misspelt, or fields for other columns. It names
            every column that is not known, with the field that it may hold.
    """
    if chosen is not None:
        if len(chosen) != len(headings):
            raise InputError("chosen_columns_of_another_list", line=line)
        _check_columns([name for name in chosen if name], line)
        return CsvPlan(separator, chosen, (), line, encoding)
    names = [name.strip().lower() for name in headings]
    if not set(names) & set(FIELDS):
        raise InputError("known_column_missing", line=line, known=", ".join(FIELDS))
    columns = tuple(name if name in FIELDS else None for name in names)
    known = [name for name in columns if name]
    near, unknown = _misspelt(names), len(known) < len(names)
    if near or (unknown and _lacks(known)):
        raise InputError("columns_unknown", line=line, names=_unknown_columns(names, near))
    _check_columns(known, line)
    findings = tuple(
        Finding(line, name[:_LONGEST_COLUMN] or f"column {place}", Sentence.of("column_not_read"))
        for place, name in enumerate(names, start=1)
        if name not in FIELDS
    )
    return CsvPlan(separator, columns, findings, line, encoding)


def _misspelt(names: Sequence[str]) -> dict[str, str]:
    """Return the columns whose names are nearly those of fields that the list does not have, with these.

    To leave them unread would cost every record a value, without a word.
    """
    missing = [field for field in FIELDS if field not in names]
    unknown = [name for name in names if name not in FIELDS]
    found = {name: get_close_matches(name, missing, n=1, cutoff=_LEAST_LIKENESS) for name in unknown}
    return {name: near[0] for name, near in found.items() if near}


def _unknown_columns(names: Sequence[str], near: Mapping[str, str]) -> str:
    """Return the unknown columns as one text, each with the field that it may hold."""
    suggested = dict(zip(names, suggest_columns(names), strict=True))
    shown = [
        name[:_LONGEST_COLUMN] + (f" ({field}?)" if (field := near.get(name) or suggested[name]) else "")
        for name in names
        if name and name not in FIELDS
    ]
    return ", ".join(shown[:_MOST_NAMED]) + (", ..." if len(shown) > _MOST_NAMED else "")


def _lacks(columns: Sequence[str]) -> str:
    """Return the error of a header under which no record can be complete, or nothing."""
    if "record_id" not in columns:
        return "record_id_column_missing"
    if "full_name" not in columns and len({"given_names", "family_names", "date_of_birth"}.intersection(columns)) < 2:  # noqa: PLR2004 - two of three
        return "list_columns_too_few"
    return ""


def _check_columns(columns: list[str], line: int) -> None:
    """Refuse a header under which no record can be complete.

    Raises:
        InputError: A column twice, no record ids, or too little to match on.
    """
    if len(set(columns)) < len(columns):
        raise InputError("column_named_twice", line=line)
    if lack := _lacks(columns):
        raise InputError(lack, line=line)
