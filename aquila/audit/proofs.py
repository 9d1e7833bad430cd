"""Inclusion and consistency proofs of RFC 6962 sections 2.1.1 and 2.1.2.

Verification follows the numbered steps of RFC 9162 sections 2.1.3.2 and 2.1.4.2, which write out how the same trees'
proofs are checked. Proofs are made from the roots of perfect trees, which the caller reads from wherever they lie.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from aquila.audit.merkle import HASH_BYTES, fold_peaks, node_hash, peak_spans
from aquila.errors import AuditError, InputError

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

    Raises:
        AuditError: More or fewer than the tree has levels there.
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
    """Refuse values that are not hashes.

    Raises:
        AuditError: One has not 32 bytes.
    """
    for position, value in enumerate(hashes):
        if len(value) != HASH_BYTES:
            raise AuditError("proof_hash_not_32_bytes", position=position, got=len(value))
