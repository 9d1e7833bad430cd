"""Tests of aquila.audit.merkle; the published cases are in tests/vectors, the laws in tests/property."""

import pytest

from aquila.audit.merkle import (
    LARGEST_TREE,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    span_root,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from aquila.errors import AuditError, InputError

LEAVES = [leaf_hash(bytes([number])) for number in range(7)]
ROOT = tree_root(LEAVES)


def read(level: int, number: int) -> bytes:
    return tree_root(LEAVES[number << level : (number + 1) << level])


def test_a_span_is_the_tree_over_its_entries() -> None:
    """The head of the last three entries is what a proof holds of them."""
    assert span_root(4, 7, read) == tree_root(LEAVES[4:])


@pytest.mark.parametrize(("index", "size"), [(7, 7), (-1, 7), (0, 0)])
def test_no_proof_is_made_of_an_entry_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(InputError):
        prove_inclusion(index, size, read)


@pytest.mark.parametrize(("size1", "size2"), [(0, 7), (5, 4)])
def test_no_proof_is_made_from_nothing_or_backwards(size1: int, size2: int) -> None:
    with pytest.raises(InputError):
        prove_consistency(size1, size2, read)


def test_a_size_beyond_64_bits_is_refused() -> None:
    with pytest.raises(AuditError, match="size"):
        verify_inclusion(LEAVES[0], 0, LARGEST_TREE + 1, ROOT, [])
    with pytest.raises(AuditError, match="size"):
        verify_consistency(1, LARGEST_TREE + 1, LEAVES[0], ROOT, [LEAVES[1]])


def test_a_fork_is_named() -> None:
    """Two heads of one size say that the log was shown differently."""
    with pytest.raises(AuditError, match="forked"):
        verify_consistency(7, 7, ROOT, LEAVES[0], [])
