"""Spreadsheets as files: what is inside the ZIP archive, within bounds that no honest list meets.

A ZIP archive may unpack to a thousand times its size, and XML may define entities that grow without end. So an archive
is measured before anything of it is read (`zipfile` reads no more of a part than its entry promises), and a part with a
document type is refused. XLSX: ECMA-376. ODS: OpenDocument 1.3.
"""

from __future__ import annotations

import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Protocol
from xml.parsers import expat

from aquila.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aquila.records.reading.layouts import Format
    from aquila.sentences import Sentence

MOST_ROWS = 1 << 20  # which is what Excel and LibreOffice have on a sheet
MOST_COLUMNS = 256
_MOST_PART = 128 << 20  # bytes of one part unpacked; 100,000 records of all fields take about 90 million
_MOST_UNPACKED = 256 << 20  # bytes of all parts
_MOST_PARTS = 1_000
_PIECE = 1 << 16
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


def spreadsheet_format(stream: BinaryIO) -> Format | None:
    """Return the format of a spreadsheet, or None for another file; the stream is read from its beginning.

    Raises:
        InputError: A spreadsheet that cannot be read: of an old format, protected by a password, or of a foreign one.
    """
    stream.seek(0)
    head = stream.read(len(_OLD))
    if head == _OLD:
        raise InputError("spreadsheet_old_or_protected")
    if not head.startswith(_ARCHIVE):
        return None
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
            _measure(archive)
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


def _measure(archive: zipfile.ZipFile) -> None:
    """Refuse an archive that is larger than a list can be, or whose XML defines entities.

    Raises:
        InputError: It is.
    """
    parts = archive.infolist()
    sizes = [part.file_size for part in parts]
    if len(parts) > _MOST_PARTS or max(sizes, default=0) > _MOST_PART or sum(sizes) > _MOST_UNPACKED:
        raise InputError("spreadsheet_too_large", limit=_MOST_PART)
    for part in parts:
        if part.filename.endswith((".xml", ".rels")) and part.file_size:  # LibreOffice adds some that are empty
            _refuse_document_type(archive, part.filename)


def _refuse_document_type(archive: zipfile.ZipFile, name: str) -> None:
    """Refuse a part with a document type, which is the place of entities; it comes before the first element.

    Raises:
        InputError: It has one.
    """
    seen: list[str] = []
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = lambda *_: seen.append("type")
    parser.StartElementHandler = lambda *_: seen.append("element")
    pieces = pieces_of(archive, name)
    while not seen:  # expat refuses an end without an element
        piece = next(pieces)
        parser.Parse(piece, not piece)
    if "type" in seen[:1]:
        raise InputError("spreadsheet_defines_document_type")
