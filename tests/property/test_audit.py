"""Laws of the audit package, for whatever log."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila.audit.checkpoint import Checkpoint, open_checkpoint
from aquila.audit.merkle import leaf_hash, node_hash, prove_consistency, read_bundle, verify_consistency, write_bundle
from aquila.crypto.keys import IdentityKey
from aquila.errors import AquilaError, AuditError

LOG = IdentityKey(bytes(range(32)))
sizes = st.integers(1, 70)


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(bytes([number])) for number in range(size)]


def defined_root(leaves: Sequence[bytes]) -> bytes:
    """Return the head as the recursion of RFC 6962 section 2.1 defines it."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(defined_root(leaves[:split]), defined_root(leaves[split:]))


def reader(leaves: Sequence[bytes]) -> Callable[[int, int], bytes]:
    return lambda level, number: defined_root(leaves[number << level : (number + 1) << level])


@given(sizes, st.data())
def test_every_log_proves_that_it_grew_and_no_changed_one_does(size: int, data: st.DataObject) -> None:
    """A log with one earlier entry changed finds no proof among the true one's, cut or with a bit turned."""
    before = data.draw(st.integers(1, size))
    leaves = leaves_of(size)
    proof = prove_consistency(before, size, reader(leaves))
    earlier, later = defined_root(leaves[:before]), defined_root(leaves)
    verify_consistency(before, size, earlier, later, proof)
    changed = list(leaves)
    changed[data.draw(st.integers(0, before - 1))] = leaf_hash(b"changed")
    honest = prove_consistency(before, size, reader(changed))
    for root, path in [(defined_root(changed), honest), (defined_root(changed), proof)]:
        with pytest.raises(AuditError):
            verify_consistency(before, size, earlier, root, path)
    for position in range(len(proof)):
        turned = [bytes([node[0] ^ 1]) + node[1:] if place == position else node for place, node in enumerate(proof)]
        for path in (turned, proof[:position], [*proof, proof[position]]):
            with pytest.raises(AuditError):
                verify_consistency(before, size, earlier, later, path)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundles_come_back(entries: list[bytes]) -> None:
    assert read_bundle(write_bundle(entries), len(entries)) == entries


@given(st.integers(0, 200), st.integers(0, 7))
def test_no_bit_of_a_signed_checkpoint_can_be_turned(place: int, bit: int) -> None:
    """Text, name, key and signature all count; only what base64 leaves unused may differ, and then reads the same."""
    content = bytearray(Checkpoint("log.example", 9, bytes(32)).sign(LOG).to_bytes())
    content[place % len(content)] ^= 1 << bit
    try:
        checkpoint, note = open_checkpoint(bytes(content), "log.example", LOG.public)
    except AquilaError:
        return
    pytest.fail(f"a changed checkpoint was accepted: {checkpoint} {note.to_bytes()!r}")
