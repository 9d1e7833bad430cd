"""The log's trees, proofs, notes and cosignatures against an independent implementation of the same specifications.

`aics-tlog` (Apache-2.0) implements RFC 9162 trees and C2SP's signed-note, tlog-checkpoint and tlog-cosignature on its
own. What one side makes the other must accept, and what one side refuses the other must refuse. It does not know
tlog-witness updates and our pruned bundles; those have tests of their own.
"""

import aics_tlog.checkpoint as their_checkpoint
import aics_tlog.cosign as their_cosign
import aics_tlog.note as their_note
import aics_tlog.tree as their_tree
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from aquila.audit.checkpoint import Checkpoint, cosign, cosigned_at, open_checkpoint, parse_note
from aquila.audit.merkle import (
    Frontier,
    leaf_hash,
    perfect_root,
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)
from aquila.crypto.keys import IdentityKey
from aquila.errors import AuditError

entries = st.lists(st.binary(max_size=20), min_size=1, max_size=300)
names = st.text("abcdefghijklmnopqrstuvwxyz/-.", min_size=1, max_size=30)


class OurTree:
    def __init__(self, content: list[bytes]) -> None:
        self.leaves = [leaf_hash(entry) for entry in content]

    def root(self, size: int) -> bytes:
        tree = Frontier()
        for leaf in self.leaves[:size]:
            tree.append(leaf)
        return tree.root

    def read(self, level: int, number: int) -> bytes:
        return perfect_root(level, number, self.hash_at)

    def hash_at(self, tile_level: int, number: int) -> bytes:
        return self.leaves[number] if tile_level == 0 else self.read(8 * tile_level - 1, 2 * number)


@given(entries)
def test_heads_are_the_same(content: list[bytes]) -> None:
    ours, theirs = OurTree(content), their_tree.MerkleTree(content)
    for size in {0, 1, len(content) // 2, len(content)}:
        assert ours.root(size) == theirs.root(size)


@given(entries, st.data())
def test_inclusion_is_judged_alike(content: list[bytes], data: st.DataObject) -> None:
    content = content[:200]
    ours, theirs = OurTree(content), their_tree.MerkleTree(content)
    index = data.draw(st.integers(0, len(content) - 1))
    proof = prove_inclusion(index, len(content), ours.read)
    assert proof == theirs.inclusion_proof(index, len(content))
    root = theirs.root()
    verify_inclusion(ours.leaves[index], index, len(content), root, proof)
    changed, place, size = list(proof), data.draw(st.integers(0, len(content))), data.draw(st.integers(1, 300))
    if proof and data.draw(st.booleans()):
        changed[place % len(proof)] = bytes(32)
    accepted = their_tree.verify_inclusion(ours.leaves[index], place, size, changed, root)
    assert judged(lambda: verify_inclusion(ours.leaves[index], place, size, root, changed)) == accepted


@given(entries, st.data())
def test_consistency_is_judged_alike(content: list[bytes], data: st.DataObject) -> None:
    content = content[:200]
    ours, theirs = OurTree(content), their_tree.MerkleTree(content)
    old = data.draw(st.integers(1, len(content)))
    proof = prove_consistency(old, len(content), ours.read)
    assert proof == theirs.consistency_proof(old, len(content))
    verify_consistency(old, len(content), theirs.root(old), theirs.root(), proof)
    other, size = data.draw(st.integers(1, 250)), data.draw(st.integers(1, 250))
    accepted = their_tree.verify_consistency(other, size, theirs.root(old), theirs.root(), proof)
    assert judged(lambda: verify_consistency(other, size, theirs.root(old), theirs.root(), proof)) == accepted


@given(st.binary(min_size=32, max_size=32), names, names, st.integers(1, 2**63), st.integers(0, 2**40))
def test_notes_and_cosignatures_are_the_same(seed: bytes, origin: str, witness: str, size: int, time: int) -> None:
    key, theirs = IdentityKey(seed), Ed25519PrivateKey.from_private_bytes(seed)
    root = leaf_hash(seed)
    note = Checkpoint(origin, size, root).sign(key)
    claim = their_checkpoint.Checkpoint(origin=origin, size=size, root=root)
    signed = their_checkpoint.sign_checkpoint(claim, theirs, origin)
    assert (signed.text, signed.signatures[0].signature) == (note.text, note.signatures[0].signature)
    assert their_note.verify_note(
        their_note.parse_note(note.to_bytes()), [their_note.vkey_from_ed25519(origin, theirs.public_key())]
    )
    cosigned = cosign(note, witness, key, time)
    blob, line = their_cosign.sign_cosignature(theirs, witness, time, origin, size, root)
    ours = next(found for found in cosigned.signatures if found.key_id == line.key_id and found.name == witness)
    assert ours.signature == blob
    assert their_cosign.verify_cosignature(ours.signature, witness, theirs.public_key(), origin, size, root)
    assert cosigned_at(parse_note(cosigned.to_bytes()), witness, key.public) == time
    assert open_checkpoint(cosigned.to_bytes(), origin, key.public)[0].root == root


def judged(check: object) -> bool:
    try:
        check()  # type: ignore[operator]
    except AuditError:
        return False
    return True
