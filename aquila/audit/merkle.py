"""Merkle trees of RFC 6962 section 2.1: hashing, and the growing right edge of a log.

A tree of any size is a row of perfect trees, largest first, whose roots are its *peaks*: the binary digits of the size
say how large each is. A log keeps nothing else in order to grow. Proofs are in `aquila.audit.proofs`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from aquila.errors import AuditError

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
