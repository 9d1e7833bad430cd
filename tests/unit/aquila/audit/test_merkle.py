"""Tests of aquila.audit.merkle.

Tests of aquila.audit.merkle; paths as C2SP tlog-tiles writes them.
"""

import hashlib

import pytest

from aquila.audit.merkle import (
    EMPTY_ROOT,
    LARGEST_ENTRY,
    Frontier,
    bundle_path,
    bundles_of,
    leaf_hash,
    node_hash,
    peak_spans,
    perfect_root,
    read_bundle,
    read_statements,
    read_tile,
    statements_path,
    tile_path,
    tiles_of,
    tree_root,
    write_bundle,
    write_statements,
)
from aquila.errors import AuditError, InputError

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


@pytest.mark.parametrize(
    ("number", "width", "path"),
    [(67, 256, "067"), (1234067, 256, "x001/x234/067"), (0, 12, "000.p/12"), (999999, 1, "x999/999.p/1")],
)
def test_paths_are_those_of_the_specification(number: int, width: int, path: str) -> None:
    """Three digits a group, x before all but the last, the width behind a partial tile."""
    assert tile_path(3, number, width) == f"tile/3/{path}"
    assert bundle_path(number, width) == f"tile/entries/{path}"


def test_the_tiles_of_a_log_of_70000() -> None:
    """273 full tiles and one of 112, then one full and one of 17, then one of 1: the specification's example."""
    tiles = list(tiles_of(70_000))
    assert len(tiles) == 274 + 2 + 1
    assert tiles[273:] == [(0, 273, 112), (1, 0, 256), (1, 1, 17), (2, 0, 1)]
    assert list(bundles_of(300)) == [(0, 256), (1, 44)]
    assert list(tiles_of(0)) == []


def test_bundles_are_read_back() -> None:
    entries = [b"", b"one", bytes(LARGEST_ENTRY)]
    assert read_bundle(write_bundle(entries), 3) == entries


@pytest.mark.parametrize("content", [b"", b"\x00", b"\x00\x01", b"\x00\x01ab", b"\x00\x01a\x00\x01b"])
def test_a_bundle_of_another_number_of_entries_is_refused(content: bytes) -> None:
    """Nothing, a cut length, a cut entry, bytes behind the last, an entry too many."""
    with pytest.raises(AuditError):
        read_bundle(content, 1)


@pytest.mark.parametrize("entries", [[b""] * 257, [bytes(LARGEST_ENTRY + 1)]])
def test_a_bundle_that_cannot_be_written_is_refused(entries: list[bytes]) -> None:
    with pytest.raises(InputError):
        write_bundle(entries)


def test_a_tile_has_its_width() -> None:
    assert read_tile(bytes(64), 2) == [bytes(32), bytes(32)]
    with pytest.raises(AuditError):
        read_tile(bytes(64), 3)


def test_perfect_trees_come_from_tiles_of_any_level() -> None:
    """A tree of 512 entries is two hashes of tile level 1, one of 4 is four of level 0."""
    leaves = [leaf_hash(bytes([number & 255, number >> 8])) for number in range(1024)]

    def hash_at(level: int, number: int) -> bytes:
        width = 256**level
        return tree_root(leaves[number * width : (number + 1) * width])

    assert perfect_root(9, 1, hash_at) == tree_root(leaves[512:])
    assert perfect_root(2, 3, hash_at) == tree_root(leaves[12:16])


def test_statements_are_read_back() -> None:
    envelopes = [b"", b"one", bytes(LARGEST_ENTRY + 5)]
    assert read_statements(write_statements(envelopes), 3) == envelopes
    assert statements_path(1067, 5) == "tile/statements/x001/067.p/5"
    with pytest.raises(AuditError, match="statements"):
        read_statements(write_statements(envelopes), 2)
