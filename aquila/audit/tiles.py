"""Tiles (C2SP tlog-tiles): a log as static files that never change once they are full.

A hash tile holds up to 256 hashes of one level of the tree, every eighth level from 0: hash `n` of tile level `l` is
the root of the perfect tree of level `8 * l` with that number. An entry bundle holds up to 256 entries, each behind
its length as 2 bytes. A tile that is not full has its width in its path, so that a path always names the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from aquila.audit.merkle import HASH_BYTES, node_hash
from aquila.errors import AuditError, InputError

TILE_LEVELS = 8
TILE_WIDTH = 1 << TILE_LEVELS
LARGEST_ENTRY = (1 << 16) - 1
_LENGTH_BYTES, _STATEMENT_LENGTH_BYTES = 2, 4
_PATH_GROUP = 1000


def tile_path(level: int, number: int, width: int = TILE_WIDTH) -> str:
    """Return the path of a hash tile, such as `tile/0/x001/067` or `tile/1/000.p/12`."""
    return f"tile/{level}/{_numbered(number, width)}"


def bundle_path(number: int, width: int = TILE_WIDTH) -> str:
    """Return the path of an entry bundle, such as `tile/entries/000`."""
    return f"tile/entries/{_numbered(number, width)}"


def statements_path(number: int, width: int = TILE_WIDTH) -> str:
    """Return the path of the bundle of the statements that the entries of an entry bundle are about."""
    return f"tile/statements/{_numbered(number, width)}"


def tiles_of(size: int) -> Iterator[tuple[int, int, int]]:
    """Yield the hash tiles of a log of this size, as (tile level, number, width), from the lowest level."""
    level, hashes = 0, size
    while hashes:
        for number in range(-(-hashes // TILE_WIDTH)):
            yield level, number, min(TILE_WIDTH, hashes - number * TILE_WIDTH)
        level, hashes = level + 1, hashes // TILE_WIDTH


def bundles_of(size: int) -> Iterator[tuple[int, int]]:
    """Yield the entry bundles of a log of this size, as (number, width)."""
    for level, number, width in tiles_of(size):
        if level == 0:
            yield number, width


def write_bundle(entries: Sequence[bytes]) -> bytes:
    """Return an entry bundle.

    Raises:
        InputError: More entries than fit, or one that is too long.
    """
    if len(entries) > TILE_WIDTH or any(len(entry) > LARGEST_ENTRY for entry in entries):
        raise InputError("bundle_too_large", got=len(entries))
    return b"".join(len(entry).to_bytes(_LENGTH_BYTES, "big") + entry for entry in entries)


def write_statements(envelopes: Sequence[bytes]) -> bytes:
    """Return a bundle of statements: nothing for an entry that is about none, or whose statement is not kept."""
    return b"".join(len(envelope).to_bytes(_STATEMENT_LENGTH_BYTES, "big") + envelope for envelope in envelopes)


def read_bundle(content: bytes, width: int) -> list[bytes]:
    """Return the entries of a bundle of that width.

    Raises:
        AuditError: The bytes are no such bundle.
    """
    entries = _parts(content, width, _LENGTH_BYTES)
    if entries is None:
        raise AuditError("entry_bundle_count_differs", expected=width)
    return entries


def read_statements(content: bytes, width: int) -> list[bytes]:
    """Return the statements of a bundle of that width, nothing where an entry has none.

    Raises:
        AuditError: The bytes are no such bundle.
    """
    envelopes = _parts(content, width, _STATEMENT_LENGTH_BYTES)
    if envelopes is None:
        raise AuditError("statement_bundle_count_differs", expected=width)
    return envelopes


def read_tile(content: bytes, width: int) -> list[bytes]:
    """Return the hashes of a tile of that width.

    Raises:
        AuditError: The bytes are no such tile.
    """
    if len(content) != width * HASH_BYTES:
        raise AuditError("hash_tile_length_differs", expected=width * HASH_BYTES)
    return [content[start : start + HASH_BYTES] for start in range(0, len(content), HASH_BYTES)]


def perfect_root(level: int, number: int, hash_at: Callable[[int, int], bytes]) -> bytes:
    """Return the root of a perfect tree of any level from the hashes of tiles.

    Args:
        level: The tree's level, 0 for one entry.
        number: Its number at that level.
        hash_at: Gives hash `n` of tile level `l`.
    """
    tile_level, rest = divmod(level, TILE_LEVELS)
    hashes = [hash_at(tile_level, (number << rest) + place) for place in range(1 << rest)]
    while len(hashes) > 1:
        hashes = [node_hash(*hashes[place : place + 2]) for place in range(0, len(hashes), 2)]
    return hashes[0]


def _parts(content: bytes, width: int, length_bytes: int) -> list[bytes] | None:
    """Return the length-prefixed parts of a bundle, or None if there are not exactly `width`."""
    parts: list[bytes] = []
    place = 0
    while place < len(content) and len(parts) < width:
        start = place + length_bytes
        place = start + int.from_bytes(content[place:start], "big")
        parts.append(content[start:place])
    return parts if len(parts) == width and place == len(content) else None


def _numbered(number: int, width: int) -> str:
    """Return a tile's number in groups of three digits, all but the last behind an x, and its width if not full."""
    groups = [f"{number % _PATH_GROUP:03d}"]
    while number := number // _PATH_GROUP:
        groups.append(f"x{number % _PATH_GROUP:03d}")
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return "/".join(reversed(groups)) + partial
