"""The files of a log, wherever they lie: a folder, a tar archive, or behind a URL. Nothing in them is trusted here."""

from __future__ import annotations

import lzma
import tarfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from aquila.errors import AuditError, InputError

if TYPE_CHECKING:
    from typing import BinaryIO

    from aquila.protocol.auditing import Files

LARGEST_BUNDLE = 4 << 30
"""Bytes of an archive's files together."""

LARGEST_FILE = 256 << 20


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
            return read_archive(file).get
    except OSError as error:
        raise InputError(
            f"{place} cannot be read: {error.strerror}", hint="name a folder, an archive or a URL"
        ) from None
    except InputError:
        raise InputError(f"{place} is no whole tar archive", hint="`aquila audit export` makes one") from None


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() and path.stat().st_size <= LARGEST_FILE else None


def read_archive(file: BinaryIO) -> dict[str, bytes]:
    """Return the files of a tar archive by name, compressed or not; nothing is unpacked to the disk.

    Raises:
        InputError: It is none, or not whole.
        AuditError: It holds what no log holds.
    """
    try:
        with tarfile.open(fileobj=file) as archive:
            return _contents(archive)
    # What reads compressed archives raises EOFError, its own errors, and ValueError for numbers that are none.
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, ValueError, OSError, OverflowError):
        raise InputError("this is no whole tar archive") from None


def _contents(archive: tarfile.TarFile) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    left = LARGEST_BUNDLE
    for member in archive:
        left -= member.size
        if left < 0 or member.name in contents:
            raise AuditError("the archive is too large, or holds a file twice")
        # A link is followed by `extractfile`; a log has none.
        file = archive.extractfile(member) if member.isfile() else None
        if file is not None:
            contents[member.name] = file.read()
    return contents


def _served(url: str, transport: httpx.BaseTransport | None) -> Files:
    """Return files that are fetched one by one; 404 is a file that is not there."""
    client = httpx.Client(transport=transport, trust_env=False, follow_redirects=False, timeout=60)

    def fetch(name: str) -> bytes | None:
        try:
            answer = client.get(f"{url}/{name}")
        except httpx.HTTPError as error:
            raise InputError(f"{url} cannot be reached: {type(error).__name__}") from None
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if not answer.is_success or len(answer.content) > LARGEST_FILE:
            raise InputError(f"{url} does not give its files", status=answer.status_code)
        return answer.content

    return fetch
