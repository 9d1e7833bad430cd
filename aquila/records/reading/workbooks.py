"""Spreadsheets as files: the ZIP archive, within bounds that no honest list meets, and the rows of .xlsx and .ods.

A ZIP archive may unpack to a thousand times its size, and XML may define entities that grow without end. So an archive
is measured before anything of it is read (`zipfile` reads no more of a part than its entry promises), a part with a
document type is refused, and so is a file with more elements than its size can explain. What is left of an attack meets
the limits of the process that reads (`sheet_process`).

Workbooks of Excel (ECMA-376) are read with openpyxl row by row: values as a person sees them, not as they are stored.
Of a formula the value is read that the program stored last. A number keeps the zeros that its format puts before it,
and a date shows no more than its format does.

Spreadsheets of LibreOffice (OpenDocument 1.3, part 3, sections 9 and 19) are read with expat as they unpack. Libraries
for this format hold a whole document in memory, and follow its repeat counts, by which a file of a thousand bytes holds
a sheet of 17 billion cells. Here a cell is repeated up to the last column that a list may have, and a row when it is
asked for.
"""

import os
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import repeat
from typing import Any, BinaryIO, Protocol
from xml.parsers import expat

from aquila.errors import InputError
from aquila.records.reading.bounded_lines import LONGEST_LINE
from aquila.records.reading.layouts import Format
from aquila.sentences import Sentence

MOST_ROWS = 1 << 20  # which is what Excel and LibreOffice have on a sheet
MOST_COLUMNS = 256
_MOST_PART = 128 << 20  # bytes of one part unpacked; 100,000 records of all fields take about 90 million
_MOST_UNPACKED = 256 << 20  # bytes of all parts
_MOST_PARTS = 1_000
_LEAST_ELEMENTS, _ELEMENTS_A_BYTE = 500_000, 2  # of XML: in any file, and more for its bytes; lists have 0.4 a byte
_PIECE = 1 << 16
_MOST_EXACT = 10**15  # numbers below are exact in a spreadsheet
_ARCHIVE, _OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"


@dataclass(slots=True, repr=False)
class SheetRow:
    """A row of a sheet."""

    number: int
    """Counted from 1, as the spreadsheet shows it."""
    texts: list[str]
    """Its cells as texts, dates as `YYYY-MM-DD`."""
    typed: set[int] = field(default_factory=set)
    """The places of cells that hold a number and no text."""
    faults: dict[int, Sentence] = field(default_factory=dict)
    """What is wrong with cells, by place; these have no text."""

    @property
    def is_blank(self) -> bool:
        """Return whether no cell holds anything."""
        return not any(self.texts) and not self.faults


class Workbook(Protocol):
    """A spreadsheet that was opened."""

    @property
    def sheets(self) -> tuple[str, ...]:
        """Return the names of its sheets."""
        ...

    def rows(self, sheet: int, width: int = MOST_COLUMNS + 1) -> Iterator[SheetRow]:
        """Yield the rows of a sheet, which is counted from 0, and of each at most the first `width` cells."""
        ...


def is_archive(stream: BinaryIO) -> bool:
    """Return whether a file is an archive, as spreadsheets are; the stream is read from its beginning.

    Raises:
        InputError: A spreadsheet of an old format, or protected by a password.
    """
    stream.seek(0)
    head = stream.read(len(_OLD))
    if head == _OLD:
        raise InputError("spreadsheet_old_or_protected")
    return head.startswith(_ARCHIVE)


def spreadsheet_format(stream: BinaryIO) -> Format:
    """Return the format of a spreadsheet; raises InputError if it is damaged, or another archive."""
    with opened_archive(stream) as archive:
        names = set(archive.namelist())
        if "xl/workbook.xml" in names:
            return "xlsx"
        if "mimetype" in names and archive.read("mimetype").strip() == _ODS_TYPE:
            return "ods"
    raise InputError("spreadsheet_not_recognized")


@contextmanager
def opened_archive(stream: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """Open a spreadsheet's archive after measuring it; whatever a parser refuses inside the block is an `InputError`.

    Raises:
        InputError: Damaged, larger than a list can be, or with a document type.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            _measure(archive, stream.seek(0, os.SEEK_END))
            yield archive
    except InputError:
        raise
    except (OSError, MemoryError):  # this machine's fault, not the file's
        raise
    except Exception:  # noqa: BLE001 - parsers of archives, XML and dates raise many kinds, all about the file
        raise InputError("spreadsheet_damaged") from None


def pieces_of(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Yield the bytes of a part, and an empty piece at its end."""
    with archive.open(name) as part:
        while piece := part.read(_PIECE):
            yield piece
    yield b""


def _measure(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse an archive that is larger than a list can be, has too many elements for its size, or defines entities.

    Args:
        archive: The archive.
        size: Of the file, in bytes.
    """
    parts = archive.infolist()
    sizes = [part.file_size for part in parts]
    if len(parts) > _MOST_PARTS or max(sizes, default=0) > _MOST_PART or sum(sizes) > _MOST_UNPACKED:
        raise InputError("spreadsheet_too_large", limit=_MOST_PART)
    counter = _ElementCounter(_LEAST_ELEMENTS + _ELEMENTS_A_BYTE * size)
    for part in parts:
        if part.filename.endswith((".xml", ".rels")):
            counter.count(pieces_of(archive, part.filename))


class _ElementCounter:
    """Counts the elements of documents, and refuses a document type, which is the place of entities."""

    def __init__(self, most: int) -> None:
        self._most = self._left = most

    def count(self, pieces: Iterator[bytes]) -> None:
        """Count the elements of a document.

        Raises:
            InputError: It has a document type, or there are too many elements in all documents.
        """
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse_type
        parser.StartElementHandler = self._start
        with suppress(expat.ExpatError):  # whoever needs the document will find that it is damaged
            for piece in pieces:
                parser.Parse(piece, not piece)

    def _start(self, _name: str, _attributes: object) -> None:
        self._left -= 1
        if self._left < 0:
            raise InputError("spreadsheet_too_large", limit=self._most)

    @staticmethod
    def _refuse_type(*_type: object) -> None:
        raise InputError("spreadsheet_defines_document_type")


class UnusableCellError(Exception):
    """A cell that cannot be used, with the reason; it ends as a finding.

    Attributes:
        reason: What is wrong and what to do.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.reason = Sentence.of(code)


def date_text(value: date, *, has_day: bool, has_month: bool) -> str:
    """Return a date with the parts that a cell shows; one with a time of day keeps it, and is then not a date of birth.

    Args:
        value: The date, or a moment, of which midnight is the date alone.
        has_day: Whether the cell shows the day; a cell that shows neither day nor month holds a year.
        has_month: Whether it shows the month.
    """
    if isinstance(value, datetime):
        if value.time() != time():
            return value.isoformat(" ")
        value = value.date()
    if has_day:
        return value.isoformat()
    return value.isoformat()[:7] if has_month else value.isoformat()[:4]


def number_text(value: float, digits: int = 0) -> str:
    """Return a number as digits, without a point where it is whole.

    Args:
        value: The number.
        digits: How many digits the cell shows at least; those missing are zeros.

    Raises:
        UnusableCellError: A whole number of more digits than a spreadsheet keeps, or one that is not finite.
    """
    if not -_MOST_EXACT < value < _MOST_EXACT:
        raise UnusableCellError("number_lost_digits")
    return str(int(value)).zfill(digits) if value == int(value) else str(value)


_LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')


class _XlsxWorkbook:
    """An open workbook."""

    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self.sheets = tuple(str(sheet.title) for sheet in workbook.worksheets)

    def rows(self, sheet: int, width: int = MOST_COLUMNS + 1) -> Iterator[SheetRow]:
        """Yield the rows of a sheet."""
        chosen = self._workbook.worksheets[sheet]
        chosen.reset_dimensions()  # some programs state wrong ones, by which cells would be left out
        rows = chosen.iter_rows(max_row=MOST_ROWS, max_col=width)
        yield from (_xlsx_row(number, cells) for number, cells in enumerate(rows, start=1))


@contextmanager
def opened_xlsx(stream: BinaryIO) -> Iterator[Workbook]:
    """Open a workbook; raises InputError if it is damaged, or larger than a list can be."""
    from openpyxl import load_workbook  # noqa: PLC0415 - to import it takes as long as to read 50,000 records of CSV

    with opened_archive(stream):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about parts that lists do not have, such as rules for entries
            workbook = load_workbook(stream, read_only=True, data_only=True)
        yield _XlsxWorkbook(workbook)


def _xlsx_row(number: int, cells: Sequence[Any]) -> SheetRow:
    """Read a row of cells."""
    row = SheetRow(number, [])
    texts = row.texts
    for place, cell in enumerate(cells):
        value = cell.value
        if value is None:
            continue
        texts += repeat("", place - len(texts))
        kind = cell.data_type
        if kind == "s":
            texts.append(value)
            continue
        try:
            texts.append(_xlsx_text(cell))
        except UnusableCellError as fault:
            texts.append("")
            row.faults[place] = fault.reason
        if kind == "n":
            row.typed.add(place)
    return row


def _xlsx_text(cell: Any) -> str:
    """Return the text of a cell that holds something other than a text."""
    value = cell.value
    if cell.data_type == "e":
        raise UnusableCellError("cell_holds_error")
    form = _LITERAL.sub("", (cell.number_format or "").lower())
    if isinstance(value, date):  # and a datetime, which is one
        return date_text(value, has_day="d" in form, has_month="m" in form)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return number_text(value, digits=len(form) if set(form) == {"0"} else 0)
    return str(value)


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
            text = _ods_text(self._cell, shown)
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
    """Open a spreadsheet; raises InputError if it is damaged, or larger than a list can be."""
    with opened_archive(stream) as archive:
        yield _OdsWorkbook(archive)


def _ods_text(cell: dict[str, str], shown: str) -> str:
    """Return the text of a cell, which may be empty.

    Args:
        cell: Its attributes.
        shown: The text that it shows: a date may show its year alone, a number zeros before it.
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
