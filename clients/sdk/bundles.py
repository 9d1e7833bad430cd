"""The files of a log, wherever they lie: a folder, a tar archive, or behind a URL. Nothing in them is trusted here.

Memory is bounded by the largest single file: of an archive only the places of its files are kept, and each is read when
it is asked for. What would grow while it is read is refused: compressed archives and answers, sparse members.
"""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast
from urllib.parse import urlsplit

import httpx

from aquila.errors import AuditError, InputError
from aquila.protocol.auditing import Files

LARGEST_FILE = 256 << 20
"""Bytes of a file at most: a bundle of 256 statements."""

MOST_FILES = 1 << 20
_LARGEST_HEADER = 64 << 10
_PIECE = 1 << 20


class FilePosition(NamedTuple):
    """The position of a file in an archive."""

    start: int
    size: int


def open_bundle(place: str, transport: httpx.BaseTransport | None = None) -> Files:
    """Return the files of a log.

    Args:
        place: A folder, a tar archive, or the URL under which a log's folder is served.
        transport: Instead of the network, in tests.

    Raises:
        InputError: There is nothing there, or it is no archive.
        AuditError: The archive holds what no log holds.
    """
    if urlsplit(place).scheme in {"http", "https"}:
        return _served(place.rstrip("/"), transport)
    path = Path(place)
    if path.is_dir():
        return lambda name: _read(path / name)
    try:
        with path.open("rb") as file:
            return _archived(path, index_archive(file))
    except OSError as error:
        raise InputError("bundle_unreadable", place=place, fault=error.strerror) from None
    except InputError:
        raise InputError("bundle_not_whole_archive", place=place) from None


def index_archive(file: BinaryIO) -> dict[str, FilePosition]:
    """Return where the files of an uncompressed tar archive lie, by their names; no content is read.

    Raises:
        InputError: It is no such archive, or not whole.
        AuditError: It holds what no log holds.
    """
    bounded = _Headers(file)
    try:
        with tarfile.open(fileobj=cast("BinaryIO", bounded), mode="r:") as archive:
            return _places(archive, bounded)
    # Bytes that are no numbers raise ValueError, those that end within a header IndexError.
    except (tarfile.TarError, EOFError, ValueError, IndexError, OSError, OverflowError):
        raise InputError("archive_not_whole") from None


def _places(archive: tarfile.TarFile, bounded: _Headers) -> dict[str, FilePosition]:
    places: dict[str, FilePosition] = {}
    while (member := archive.next()) is not None:
        archive.members.clear()  # type: ignore[attr-defined]  # not in the stub; it would keep them all
        bounded.count = 0
        if member.isdir():
            continue
        if member.type not in {tarfile.REGTYPE, tarfile.AREGTYPE} or member.issparse() or archive.pax_headers:
            raise AuditError("archive_holds_no_plain_file", what="archive")
        if not 0 <= member.size <= LARGEST_FILE or member.name in places or len(places) == MOST_FILES:
            raise AuditError("archive_files_not_allowed", what="archive")
        if member.offset_data + member.size > bounded.length:
            raise EOFError
        places[member.name] = FilePosition(member.offset_data, member.size)
    return places


class _Headers:
    """A file of which only headers are read, and of one member no more than a few blocks of them.

    Extended headers may name any length, and sparse maps may go on for the whole file.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.length = file.seek(0, 2)
        self.count = file.seek(0)

    def read(self, size: int) -> bytes:
        """Read a part of a header; raises AuditError if the header is longer than any that a log's export has."""
        self.count += size
        if self.count > _LARGEST_HEADER:
            raise AuditError("archive_header_too_long", what="archive", expected=_LARGEST_HEADER)
        return self._file.read(size)

    def seek(self, place: int) -> int:
        return self._file.seek(place)

    def tell(self) -> int:
        return self._file.tell()


def _archived(path: Path, places: dict[str, FilePosition]) -> Files:
    """Return files that are read from an archive one by one."""

    def read(name: str) -> bytes | None:
        place = places.get(name)
        if place is None:
            return None
        with path.open("rb") as file:
            file.seek(place.start)
            return file.read(place.size)

    return read


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() and path.stat().st_size <= LARGEST_FILE else None


def _served(url: str, transport: httpx.BaseTransport | None) -> Files:
    """Return files that are fetched one by one; 404 is a file that is not there."""
    plain = {"accept-encoding": "identity"}
    client = httpx.Client(transport=transport, trust_env=False, follow_redirects=False, timeout=60, headers=plain)

    def fetch(name: str) -> bytes | None:
        try:
            with client.stream("GET", f"{url}/{name}") as answer:
                if answer.status_code == httpx.codes.NOT_FOUND:
                    return None
                content = _bounded(answer) if answer.is_success else None
        except httpx.HTTPError as error:
            raise InputError("url_unreachable", url=url, kind=type(error).__name__) from None
        if content is None:
            raise InputError("url_files_not_given", status=answer.status_code, url=url)
        return content

    return fetch


def _bounded(answer: httpx.Response) -> bytes | None:
    """Return an answer's content, or None where it is compressed or too large."""
    if answer.headers.get("content-encoding", "identity") != "identity":
        return None
    content = bytearray()
    for piece in answer.iter_bytes(_PIECE):
        content += piece
        if len(content) > LARGEST_FILE:
            return None
    return bytes(content)
