"""The first line of a CSV list, read once: which column is which field.

The header names the columns, in any order and case; `,` or `;` parts them, whichever it holds more of.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from difflib import get_close_matches

from aquila.errors import InputError
from aquila.records.person import FIELDS
from aquila.records.reading.bounded_lines import decode_line
from aquila.records.rows import Finding

_LONGEST_COLUMN = 60  # characters of an unknown column's name that a finding shows
_LEAST_LIKENESS = 0.8  # of an unknown name to that of a missing field, above which it is a misspelling


@dataclass(frozen=True, slots=True)
class CsvPlan:
    """The way in which the rows of a CSV list are read.

    Attributes:
        separator: `,` or `;`.
        columns: The fields of the columns in their order; None where a column is unknown.
        findings: What is wrong with the header; they are told with the list's first row.
    """

    separator: str
    columns: tuple[str | None, ...]
    findings: tuple[Finding, ...] = ()


def read_header(content: bytes) -> CsvPlan:
    """Read a list's first line, which is empty where there is none.

    Raises:
        InputError: Nothing there, not text, no known column, one twice, too few to match on, or one misspelt.
    """
    if not content:
        raise InputError("the list is empty", hint="its first line names the columns, such as record_id")
    line = decode_line(1, content)
    if line.fault:
        raise InputError(f"the first line {line.fault}", line=1)
    separator = ";" if line.text.count(";") > line.text.count(",") else ","
    try:
        names = [name.strip().lower() for name in next(csv.reader([line.text.rstrip("\r\n")], delimiter=separator), [])]
    except csv.Error:
        names = []
    if not set(names) & set(FIELDS):
        raise InputError("the first line names no known column", hint="known: " + ", ".join(FIELDS) + "", line=1)
    _check_spelling(names)
    columns = tuple(name if name in FIELDS else None for name in names)
    _check_columns([name for name in columns if name])
    findings = tuple(
        Finding(1, name[:_LONGEST_COLUMN] or f"column {place}", "is an unknown column and is not read")
        for place, name in enumerate(names, start=1)
        if name not in FIELDS
    )
    return CsvPlan(separator, columns, findings)


def _check_spelling(names: list[str]) -> None:
    """Refuse a misspelt field: to leave it unread would cost every record its value, without a word.

    Raises:
        InputError: An unknown column whose name is nearly that of a field that the list does not have.
    """
    missing = [field for field in FIELDS if field not in names]
    for name in names:
        if name not in FIELDS and (near := get_close_matches(name, missing, n=1, cutoff=_LEAST_LIKENESS)):
            raise InputError(
                f"the first line names {name[:_LONGEST_COLUMN]}, which is not a known column",
                hint=f"name it {near[0]} if it holds that, else give it another name or leave it out",
                line=1,
            )


def _check_columns(columns: list[str]) -> None:
    """Refuse a header under which no record can be complete.

    Raises:
        InputError: A column twice, no record ids, or too little to match on.
    """
    known = set(columns)
    if len(known) < len(columns):
        raise InputError("the first line names a column twice", hint="leave one of them out", line=1)
    if "record_id" not in known:
        raise InputError("the list has no column record_id", hint="give every record an id of its own", line=1)
    if "full_name" not in known and len(known & {"given_names", "family_names", "date_of_birth"}) < 2:  # noqa: PLR2004 - two of three
        raise InputError(
            "the list has too few columns to match on",
            hint="give two of given_names, family_names (or full_name for both) and date_of_birth",
            line=1,
        )
