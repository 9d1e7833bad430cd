"""Looking for the lists' names, dates and numbers in stored bytes.

A needle is looked for as it is written and in small letters. It needs at least eight bytes, or six where capitals
must agree: less turns up in random bytes by chance. Shorter names are looked for together with the other name.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

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
