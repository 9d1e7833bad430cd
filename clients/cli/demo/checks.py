"""The demo's checks: names and numbers looked for in stored bytes, what is left of a round, and the exported log.

A needle is looked for as it is written and in small letters. It needs at least eight bytes, or six where capitals
must agree: less turns up in random bytes by chance. Shorter names are looked for together with the other name.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aquila.crypto.backend import load_group
from aquila.errors import AuditError
from aquila.protocol.auditing import Files, LogRecord, RoundAudit, audit_rounds, read_log
from aquila.protocol.registry import read_registry
from clients.sdk.bundles import open_bundle

LEAST_BYTES = 6
LEAST_SMALL_BYTES = 8
_PREFIX = 3
_NUMBERS = ("national_numbers", "document_numbers", "phones", "emails")


@dataclass(frozen=True, slots=True)
class SearchReport:
    """The result of a search: its extent, and the files with findings."""

    needles: int
    files: int
    octets: int
    found_in: tuple[Path, ...]


def needles_of(rows: Iterable[Mapping[str, str]]) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """Return the texts to search for, as written and in small letters: names, dates and numbers of a list's rows."""
    texts: set[str] = set()
    for row in rows:
        given, family, born = row.get("given_names", ""), row.get("family_names", ""), row.get("date_of_birth", "")
        texts |= {given, family, f"{given} {family}", f"{family} {given}", *_dates(born)}
        texts |= {row.get(name, "") for name in _NUMBERS}
    written = frozenset(content for text in texts if len(content := text.encode()) >= LEAST_BYTES)
    small = frozenset(content for text in texts if len(content := text.lower().encode()) >= LEAST_SMALL_BYTES)
    return written, small


def search(folder: Path, rows: Iterable[Mapping[str, str]]) -> SearchReport:
    """Look for everything in rows in every file below a folder."""
    written, small = needles_of(rows)
    files, octets, found = 0, 0, []
    for path, content in contents(sorted(folder.rglob("*"))):
        files, octets = files + 1, octets + len(content)
        if any(occurrences(content, written)) or any(occurrences(content.lower(), small)):
            found.append(path)
    return SearchReport(len(written | small), files, octets, tuple(found))


def contents(paths: Iterable[Path]) -> Iterator[tuple[Path, bytes]]:
    """Yield the files among the paths with their content; one that a running service took away meanwhile is none."""
    for path in paths:
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
            yield path, path.read_bytes()


def occurrences(content: bytes, needles: frozenset[bytes]) -> Iterator[bytes]:
    """Yield each needle where it occurs; every needle has at least three bytes.

    The first three bytes of all needles are marked in a table of 2^24 places, so that one pass over the content
    leaves few places to look at closely, however many needles there are.
    """
    octets = np.frombuffer(content, dtype=np.uint8).astype(np.uint32)
    if len(octets) < _PREFIX:
        return
    marked = np.zeros(1 << 24, dtype=bool)
    by_prefix: dict[bytes, list[bytes]] = {}
    for needle in needles:
        marked[int.from_bytes(needle[:_PREFIX], "big")] = True
        by_prefix.setdefault(needle[:_PREFIX], []).append(needle)
    starts = octets[:-2] << 16 | octets[1:-1] << 8 | octets[2:]
    for place in np.flatnonzero(marked[starts]).tolist():
        for needle in by_prefix[content[place : place + _PREFIX]]:
            if content.startswith(needle, place):
                yield needle


def _dates(text: str) -> tuple[str, ...]:
    """Return a date as lists write it: 1990-03-04, 19900304, 04.03.1990; a date without a day as it is."""
    year, _, rest = text.partition("-")
    month, _, day = rest.partition("-")
    return (text, f"{year}{month}{day}", f"{day}.{month}.{year}") if day else (text,)


_PIECE = 48  # bytes of a sample: longer than a row, an element, or anything that could be there by chance
_PIECES = 8  # samples of a file


@dataclass(frozen=True, slots=True)
class Residue:
    """Files of one home."""

    keys: int
    chunks: int
    octets: int


def left_in(home: Path) -> Residue:
    """Count the round keys and chunks of a home, and all bytes of the chunks."""
    keys = _keys(home)
    chunks = _files(home / "chunks")
    return Residue(len(keys), len(chunks), sum(len(content) for _, content in contents(chunks)))


def samples_of(homes: Iterable[Path]) -> frozenset[bytes]:
    """Return pieces of every key and chunk that is there now, to be looked for when it should be gone."""
    pieces: set[bytes] = set()
    files = [path for home in homes for path in (*_keys(home), *_files(home / "chunks"))]
    for _, content in contents(files):
        size = min(_PIECE, len(content))
        step = max(1, (len(content) - size) // _PIECES)
        pieces |= {content[first : first + size] for first in range(0, len(content) - size + 1, step)}
    return frozenset(piece for piece in pieces if len(piece) >= _PIECE // 2)


def still_there(homes: Iterable[Path], samples: frozenset[bytes]) -> list[Path]:
    """Return the files of homes in which a sample still is."""
    files = [path for home in homes for path in sorted(home.rglob("*"))]
    return [path for path, content in contents(files) if any(occurrences(content, samples))]


def _keys(home: Path) -> list[Path]:
    """Return the files of keys; the high-water mark next to them holds numbers alone, and stays."""
    return sorted((home / "keys").glob("*.key"))


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()] if folder.is_dir() else []


CHANGED = "tile/entries/000"
"""The beginning of the name of the file that a forger changes: the first entries of the log."""


class CheckedLog(NamedTuple):
    """The findings of `aquila audit verify`: the log, its rounds, and the result for a copy with one byte changed."""

    log: LogRecord
    rounds: list[RoundAudit]
    forged: str


def check_log(archive: Path, registry_file: Path) -> CheckedLog:
    """Check an exported log, and a copy of it in which one byte of one entry differs.

    Raises:
        AuditError: The log does not hold together, or the forged one does.
    """
    registry = read_registry(registry_file.read_bytes())
    files = open_bundle(str(archive))
    log = read_log(files, registry)
    rounds = audit_rounds(log, files, registry, load_group())
    try:
        read_log(_forged(files), registry)
    except AuditError as error:
        return CheckedLog(log, rounds, error.message)
    raise AuditError("changed_entry_not_noticed")


def _forged(files: Files) -> Files:
    """Return the files with one bit of the first entries changed."""

    def read(name: str) -> bytes | None:
        content = files(name)
        if content is None or not name.startswith(CHANGED):
            return content
        place = len(content) // 2
        return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]

    return read
