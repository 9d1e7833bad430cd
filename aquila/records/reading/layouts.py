"""The layout of a list's file: its format, its encoding, its sheet; chosen by a person, or recognized from the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from aquila.errors import InputError
from aquila.records.person import FIELDS

Format = Literal["csv", "ftm", "xlsx", "ods"]
"""CSV, FollowTheMoney JSON lines, a workbook of Excel, a spreadsheet of LibreOffice (OpenDocument)."""

Encoding = Literal[
    "utf-8",
    "utf-16le",
    "utf-16be",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "iso-8859-2",
    "iso-8859-5",
    "ibm852",
]
"""The encodings in which the region's programs write text, by their IANA names."""

FORMATS: tuple[Format, ...] = get_args(Format)
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
UTF_8: Encoding = "utf-8"
WIDE_ENCODINGS: frozenset[Encoding] = frozenset({"utf-16le", "utf-16be"})
"""The encodings in which a line feed is more than one byte."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The way in which a file is a list. What is None is recognized from the file.

    Attributes:
        format: One of `FORMATS`.
        encoding: One of `ENCODINGS`; a spreadsheet has none.
        sheet: The number of a spreadsheet's sheet, counted from 1; the first one that names a known column by default.
        columns: The field of each column, or None for one that is not read; by default columns are named as fields are.
    """

    format: Format | None = None
    encoding: Encoding | None = None
    sheet: int | None = None
    columns: tuple[str | None, ...] | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InputError: An unknown format or encoding, or a sheet that cannot be.
        """
        if self.format is not None and self.format not in FORMATS:
            raise InputError("list_format_unknown", known=", ".join(FORMATS))
        if self.encoding is not None and self.encoding not in ENCODINGS:
            raise InputError("encoding_unknown", known=", ".join(ENCODINGS))
        if self.sheet is not None and self.sheet < 1:
            raise InputError("sheet_number_too_small")
        if not {*(self.columns or ())} <= {*FIELDS, None}:
            raise InputError("column_field_unknown", known=", ".join(FIELDS))


RECOGNIZED = Layout()
"""The layout that leaves everything to be recognized."""


@dataclass(frozen=True, slots=True)
class FoundLayout:
    """The layout in which a list is read.

    Attributes:
        format: One of `FORMATS`.
        encoding: One of `ENCODINGS`, or None for a spreadsheet.
        is_guess: Whether the encoding was concluded from the letters, which a person should check with some names.
        sheet: The number of the sheet, from 1, or None where the file has none.
        sheets: The names of all sheets of a spreadsheet.
        headings: The columns as the list names them; nothing for FollowTheMoney.
        columns: The fields that they are read into, or None for each that is not read; nothing before that is known.
    """

    format: Format
    encoding: Encoding | None = None
    is_guess: bool = False
    sheet: int | None = None
    sheets: tuple[str, ...] = ()
    headings: tuple[str, ...] = field(default=(), repr=False)
    columns: tuple[str | None, ...] = ()
