"""Remains of a round in a home: keys and chunks, before and after they are destroyed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from clients.cli.demo.search import contents, occurrences

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
