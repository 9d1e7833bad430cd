"""Tests of aquila.audit.merkle."""

import hashlib

import pytest

from aquila.audit.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash, peak_spans, tree_root
from aquila.errors import AuditError

LEAVES = [leaf_hash(bytes([number])) for number in range(11)]


def test_the_empty_tree_is_the_hash_of_nothing() -> None:
    """RFC 6962 section 2.1 defines it so."""
    assert tree_root([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_leaves_and_nodes_are_told_apart() -> None:
    """An entry that looks like two hashes has not the hash of the node above them."""
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != node_hash(LEAVES[0], LEAVES[1])


def test_a_frontier_goes_on_from_its_peaks() -> None:
    stored = Frontier()
    for leaf in LEAVES[:6]:
        stored.append(leaf)
    again = Frontier(stored.size, stored.peaks)
    for leaf in LEAVES[6:]:
        again.append(leaf)
    assert (again.size, again.root) == (11, tree_root(LEAVES))


@pytest.mark.parametrize(("size", "peaks"), [(3, [LEAVES[0]]), (1, [b"short"]), (-1, [LEAVES[0]])])
def test_an_edge_that_does_not_fit_is_refused(size: int, peaks: list[bytes]) -> None:
    """A log whose stored edge was damaged does not go on."""
    with pytest.raises(AuditError):
        Frontier(size, peaks)


def test_spans_are_perfect_trees_from_left_to_right() -> None:
    assert peak_spans(0, 11) == [(3, 0), (1, 4), (0, 10)]
