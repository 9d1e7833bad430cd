"""Spreadsheets of LibreOffice (.ods): OpenDocument 1.3, part 3, sections 9 and 19, read with expat as it unpacks.

Libraries for this format hold a whole document in memory, and follow its repeat counts, by which a file of a thousand
bytes holds a sheet of 17 billion cells. Here a cell is repeated up to the last column that a list may have, and a row
when it is asked for.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import repeat
from typing import BinaryIO
from xml.parsers import expat

from aquila.errors import InputError
from aquila.records.reading.bounded_lines import LONGEST_LINE
from aquila.records.reading.workbooks import (
    MOST_COLUMNS,
    MOST_ROWS,
    SheetRow,
    UnusableCellError,
    Workbook,
    date_text,
    number_text,
    opened_archive,
    pieces_of,
)

_CONTENT = "content.xml"
_NAMESPACE = "urn:oasis:names:tc:opendocument:xmlns:"
_TABLE, _OFFICE, _TEXT = (f"{_NAMESPACE}{name}:1.0 " for name in ("table", "office", "text"))
_CELLS = frozenset({f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"})
_ERROR_TYPE = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 value-type"
_SPACES = {f"{_TEXT}tab": " ", f"{_TEXT}line-break": "\n"}
_NUMBERS = frozenset({"float", "percentage", "currency"})
_YEAR = 4  # digits


class _OdsWorkbook:
    """An open spreadsheet."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        names: list[str] = []
        parser = expat.ParserCreate(namespace_separator=" ")

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == f"{_TABLE}table":
                names.append(attributes.get(f"{_TABLE}name", ""))

        parser.StartElementHandler = start
        for piece in pieces_of(archive, _CONTENT):
            parser.Parse(piece, not piece)
        self.sheets = tuple(names)

    def rows(self, sheet: int, width: int = MOST_COLUMNS + 1) -> Iterator[SheetRow]:
        """Yield the rows of a sheet."""
        reader, number = _TableReader(sheet, width), 1
        for piece in pieces_of(self._archive, _CONTENT):
            reader.parser.Parse(piece, not piece)
            for row, times in reader.taken():
                if row.is_blank:
                    number += times
                    continue
                for _ in repeat(None, min(times, MOST_ROWS)):
                    if number > MOST_ROWS:
                        raise InputError("sheet_rows_too_many", limit=MOST_ROWS)
                    yield SheetRow(number, row.texts, row.typed, row.faults)
                    number += 1


class _TableReader:
    """The rows of one table, collected while its document is parsed.

    Args:
        table: The table's place in the document.
        width: How many cells of a row are kept.
    """

    def __init__(self, table: int, width: int) -> None:
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._add
        self._left, self._width = table + 1, width
        self._notes = 0  # annotations that are open: what they say is not the cell's
        self._rows: list[tuple[SheetRow, int]] = []
        self._row, self._row_times = SheetRow(0, []), 1
        self._cell: dict[str, str] = {}
        self._paragraphs: list[str] | None = None  # of the open cell

    def taken(self) -> list[tuple[SheetRow, int]]:
        """Return the rows that are complete, each with how often it comes, and forget them."""
        rows, self._rows = self._rows, []
        return rows

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == f"{_TABLE}table":
            self._left -= 1
        if self._left:
            return
        if name == f"{_TABLE}table-row":
            self._row, self._row_times = SheetRow(0, []), int(attributes.get(f"{_TABLE}number-rows-repeated", 1))
        elif name in _CELLS:
            self._cell, self._paragraphs = attributes, []
        elif name == f"{_OFFICE}annotation":
            self._notes += 1
        elif self._paragraphs is not None and not self._notes:
            if name == f"{_TEXT}p":
                self._paragraphs.append("")
            elif name == f"{_TEXT}s":
                self._add(" " * min(int(attributes.get(f"{_TEXT}c", 1)), MOST_COLUMNS))
            else:
                self._add(_SPACES.get(name, ""))

    def _add(self, text: str) -> None:
        if self._paragraphs and not self._notes and len(self._paragraphs[-1]) <= LONGEST_LINE:
            self._paragraphs[-1] += text

    def _end(self, name: str) -> None:
        if self._left:
            return
        if name == f"{_OFFICE}annotation":
            self._notes -= 1
        elif name in _CELLS:
            self._end_cell("\n".join(self._paragraphs or ()))
            self._paragraphs = None
        elif name == f"{_TABLE}table-row":
            self._rows.append((self._row, self._row_times))

    def _end_cell(self, shown: str) -> None:
        """Add a cell to its row, as often as it comes."""
        row, times = self._row, int(self._cell.get(f"{_TABLE}number-columns-repeated", 1))
        first = len(row.texts)
        times = min(times, self._width - first)
        text, fault = "", None
        try:
            text = _text(self._cell, shown)
        except UnusableCellError as found:
            fault = found.reason
        row.texts += repeat(text, times)
        places = range(first, first + times)
        if fault:
            row.faults |= dict.fromkeys(places, fault)
        if self._cell.get(f"{_OFFICE}value-type") in _NUMBERS:
            row.typed.update(places)


@contextmanager
def opened_ods(stream: BinaryIO) -> Iterator[Workbook]:
    """Open a spreadsheet.

    Raises:
        InputError: It is damaged, or larger than a list can be.
    """
    with opened_archive(stream) as archive:
        yield _OdsWorkbook(archive)


def _text(cell: dict[str, str], shown: str) -> str:
    """Return the text of a cell, which may be empty.

    Args:
        cell: Its attributes.
        shown: The text that it shows: a date may show its year alone, a number zeros before it.

    Raises:
        UnusableCellError: It holds an error, or a number that lost digits.
    """
    kind = cell.get(f"{_OFFICE}value-type", "")
    if cell.get(_ERROR_TYPE) == "error":
        raise UnusableCellError("cell_holds_error")
    if kind == "date":
        only_year = len(shown) == _YEAR and shown.isdigit()
        return date_text(
            datetime.fromisoformat(cell[f"{_OFFICE}date-value"]), has_day=not only_year, has_month=not only_year
        )
    if kind in _NUMBERS:
        return number_text(float(cell[f"{_OFFICE}value"]), len(shown) if shown.isdigit() else 0)
    return cell.get(f"{_OFFICE}string-value", shown)
