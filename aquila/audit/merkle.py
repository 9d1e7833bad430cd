"""Merkle trees of RFC 6962 section 2.1: hashing, the growing right edge of a log, proofs, and tiles.

A tree of any size is a row of perfect trees, largest first, whose roots are its *peaks*: the binary digits of the size
say how large each is. A log keeps nothing else in order to grow.

Proofs of inclusion and consistency (2.1.1, 2.1.2) are made from the roots of perfect trees, which the caller reads from
wherever they lie. Verification follows the numbered steps of RFC 9162 sections 2.1.3.2 and 2.1.4.2.

Tiles (C2SP tlog-tiles) are a log as static files that never change once they are full. A hash tile holds up to 256
hashes of one level of the tree, every eighth level from 0: hash `n` of tile level `l` is the root of the perfect tree
of level `8 * l` with that number. An entry bundle holds up to 256 entries, each behind its length as 2 bytes. A tile
that is not full has its width in its path, so that a path always names the same bytes.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from aquila.errors import AuditError, InputError

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256().digest()
"""The head of a tree without entries."""

_LEAF, _NODE = b"\x00", b"\x01"


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry, 32 bytes."""
    return hashlib.sha256(_LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above two others, 32 bytes."""
    return hashlib.sha256(_NODE + left + right).digest()


def fold_peaks(peaks: Sequence[bytes]) -> bytes:
    """Return the head of the tree whose perfect trees, from left to right, have these roots."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def peak_spans(start: int, end: int) -> list[tuple[int, int]]:
    """Return the perfect trees, as (level, number at that level), that cover the entries from start up to end.

    `start` is a multiple of the largest power of two that is smaller than the span, as it is for every span that
    RFC 6962 speaks of.
    """
    spans = []
    while start < end:
        level = (end - start).bit_length() - 1
        spans.append((level, start >> level))
        start += 1 << level
    return spans


class Frontier:
    """The right edge of a tree: its size and its peaks, from the largest perfect tree to the smallest.

    Raises:
        AuditError: There are not as many peaks as the size has ones in binary.
    """

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size, self.peaks = size, list(peaks)
        if size < 0 or len(self.peaks) != size.bit_count() or any(len(peak) != HASH_BYTES for peak in self.peaks):
            raise AuditError("log_edge_size_mismatch", expected=max(size, 0).bit_count(), got=size)

    def append(self, leaf: bytes) -> None:
        """Take in the hash of the next entry."""
        self.size += 1
        self.peaks.append(leaf)
        merged = self.size
        while not merged & 1:  # two perfect trees of one size become one
            right = self.peaks.pop()
            self.peaks[-1] = node_hash(self.peaks[-1], right)
            merged >>= 1

    @property
    def root(self) -> bytes:
        """The tree's head, 32 bytes."""
        return fold_peaks(self.peaks)


def tree_root(leaves: Iterable[bytes]) -> bytes:
    """Return the head over these hashes of entries, 32 bytes (MTH of RFC 6962 section 2.1)."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root


Reader: TypeAlias = "Callable[[int, int], bytes]"
"""Gives the root of a perfect tree by its level (0 for a single entry) and its number at that level, from 0."""

LARGEST_TREE = (1 << 64) - 1


def prove_inclusion(index: int, size: int, read: Reader) -> list[bytes]:
    """Return the proof that entry `index` is in the tree of the first `size` entries (PATH, RFC 6962 section 2.1.1).

    Raises:
        InputError: There is no such entry in that tree.
    """
    if not 0 <= index < size:
        raise InputError("entry_unknown_in_tree", expected=size, got=index)
    return _path(index, 0, size, read)


def prove_consistency(size1: int, size2: int, read: Reader) -> list[bytes]:
    """Return the proof that the first `size1` entries of a tree of `size2` are the smaller tree (RFC 6962 2.1.2).

    Raises:
        InputError: The smaller tree is empty, or is not smaller; both need no proof, or have none.
    """
    if not 0 < size1 <= size2:
        raise InputError("consistency_proof_sizes_not_ascending", got=size1)
    return _subproof(size1, 0, size2, read, whole=True)


def verify_inclusion(leaf: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Check that an entry's hash is in a tree (RFC 9162 section 2.1.3.2).

    Args:
        leaf: The entry's hash, 32 bytes.
        index: Its number, from 0.
        size: The tree's entries.
        root: The tree's head.
        proof: Hashes from the entry upwards.

    Raises:
        AuditError: It is not shown to be.
    """
    _check_hashes(leaf, *proof)
    # 1. The entry lies in the tree.
    if not 0 <= index < size <= LARGEST_TREE:
        raise AuditError("entry_number_outside_tree", index=index, size=size)
    # 2. to 4. Climb from the entry.
    reached = leaf
    for sibling, is_left in zip(proof, _sides(index, size - 1, len(proof)), strict=True):
        reached = node_hash(sibling, reached) if is_left else node_hash(reached, sibling)
    # 5. The head is reached.
    if reached != root:
        raise AuditError("proof_head_differs", expected=root.hex(), got=reached.hex())


def verify_consistency(size1: int, size2: int, root1: bytes, root2: bytes, proof: Sequence[bytes]) -> None:
    """Check that a later tree begins with all entries of an earlier one (RFC 9162 section 2.1.4.2).

    Args:
        size1: The earlier tree's entries, at least 1: anything is consistent with nothing, and proves nothing.
        size2: The later tree's entries.
        root1: The earlier head.
        root2: The later head.
        proof: Hashes, as RFC 6962 orders them; none where the sizes are equal.

    Raises:
        AuditError: It is not shown to.
    """
    _check_hashes(*proof)
    if not 0 < size1 <= size2 <= LARGEST_TREE:
        raise AuditError("earlier_size_out_of_range", size1=size1, size2=size2)
    if size1 == size2:
        if proof:
            raise AuditError("proof_of_equal_trees_unexpected", got=len(proof))
        if root1 != root2:
            raise AuditError("log_heads_differ", expected=root1.hex(), got=root2.hex())
        return
    # 1. There is a proof.
    if not proof:
        raise AuditError("proof_empty", size1=size1, size2=size2)
    # 2. The head of a perfect tree is not repeated in the proof.
    first, *path = [root1, *proof] if size1.bit_count() == 1 else proof
    # 3. and 4. Start at the last perfect tree of the earlier tree.
    level = (size1 & -size1).bit_length() - 1
    # 5. and 6. Climb in both trees at once; what stands right of the earlier tree is the later one's alone.
    earlier = later = first
    for sibling, is_left in zip(path, _sides(size1 - 1 >> level, size2 - 1 >> level, len(path)), strict=True):
        if is_left:
            earlier, later = node_hash(sibling, earlier), node_hash(sibling, later)
        else:
            later = node_hash(later, sibling)
    # 7. Both heads are reached.
    if earlier != root1:
        raise AuditError("proof_earlier_head_differs", expected=root1.hex(), got=earlier.hex())
    if later != root2:
        raise AuditError("proof_later_head_differs", expected=root2.hex(), got=later.hex())


def span_root(start: int, end: int, read: Reader) -> bytes:
    """Return the head over the entries from start up to end; `start` as `peak_spans` wants it."""
    return fold_peaks([read(level, number) for level, number in peak_spans(start, end)])


def _sides(number: int, last: int, hashes: int) -> list[bool]:
    """Return for each hash of a proof whether it is left of the path upwards.

    Args:
        number: Where the path starts, at its level.
        last: The last number at that level.
        hashes: How many hashes the proof has.
    """
    sides = []
    while last:
        is_left = bool(number & 1)
        if is_left or number != last:
            sides.append(is_left)
        number, last = number >> 1, last >> 1
    if len(sides) != hashes:
        raise AuditError("proof_hash_count_differs", expected=len(sides), got=hashes)
    return sides


def _path(index: int, start: int, end: int, read: Reader) -> list[bytes]:
    """Return PATH of RFC 6962 for the entries from start up to end, from the entry upwards."""
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(index, start, middle, read), span_root(middle, end, read)]
    return [*_path(index, middle, end, read), span_root(start, middle, read)]


def _subproof(size: int, start: int, end: int, read: Reader, *, whole: bool) -> list[bytes]:
    """Return SUBPROOF of RFC 6962; `whole` as its b: whether the earlier tree's head is known anyway."""
    if size == end:
        return [] if whole else [span_root(start, end, read)]
    middle = start + _split(end - start)
    if size <= middle:
        return [*_subproof(size, start, middle, read, whole=whole), span_root(middle, end, read)]
    return [*_subproof(size, middle, end, read, whole=False), span_root(start, middle, read)]


def _split(count: int) -> int:
    """Return the largest power of two below a count of at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def _check_hashes(*hashes: bytes) -> None:
    """Refuse values that are not hashes."""
    for position, value in enumerate(hashes):
        if len(value) != HASH_BYTES:
            raise AuditError("proof_hash_not_32_bytes", position=position, got=len(value))


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
    """Return an entry bundle; raises InputError if more entries than fit, or one that is too long."""
    if len(entries) > TILE_WIDTH or any(len(entry) > LARGEST_ENTRY for entry in entries):
        raise InputError("bundle_too_large", got=len(entries))
    return b"".join(len(entry).to_bytes(_LENGTH_BYTES, "big") + entry for entry in entries)


def write_statements(envelopes: Sequence[bytes]) -> bytes:
    """Return a bundle of statements: nothing for an entry that is about none, or whose statement is not kept."""
    return b"".join(len(envelope).to_bytes(_STATEMENT_LENGTH_BYTES, "big") + envelope for envelope in envelopes)


def read_bundle(content: bytes, width: int) -> list[bytes]:
    """Return the entries of a bundle of that width; raises AuditError if the bytes are no such bundle."""
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
    """Return the hashes of a tile of that width; raises AuditError if the bytes are no such tile."""
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
