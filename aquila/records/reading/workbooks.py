"""Spreadsheets as files: what is inside the ZIP archive, within bounds that no honest list meets; and values of cells.

A ZIP archive may unpack to a thousand times its size, and XML may define entities that grow without end. So an archive
is measured before anything of it is read (`zipfile` reads no more of a part than its entry promises), a part with a
document type is refused, and so is a file with more elements than its size can explain. What is left of an attack meets
the limits of the process that reads (`sheet_process`). XLSX: ECMA-376. ODS: OpenDocument 1.3.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import BinaryIO, Protocol
from xml.parsers import expat

from aquila.errors import InputError
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
    """A row of a sheet.

    Attributes:
        number: Counted from 1, as the spreadsheet shows it.
        texts: Its cells as texts, dates as `YYYY-MM-DD`.
        typed: The places of cells that hold a number and no text.
        faults: What is wrong with cells, by place; these have no text.
    """

    number: int
    texts: list[str]
    typed: set[int] = field(default_factory=set)
    faults: dict[int, Sentence] = field(default_factory=dict)

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
    """Return the format of a spreadsheet.

    Raises:
        InputError: It is damaged, or another archive.
    """
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

    Raises:
        InputError: It is, or does.
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
