"""Shares of the distributed key and the proofs that a party knows its own."""

from collections.abc import Callable

import pytest

from aquila.crypto.group import GENERATOR, ORDER, Group
from aquila.crypto.shares import Share, _knowledge_challenge, new_share, prove_knowledge, verify_knowledge
from aquila.errors import KeyMaterialError, MalformedError, ProofError


def scalar(number: int) -> bytes:
    return number.to_bytes(32, "little")


def test_share_is_64_random_bytes_reduced(group: Group) -> None:
    share = new_share(group, lambda count: bytes(range(count)))
    assert share.to_bytes() == scalar(int.from_bytes(bytes(range(64)), "little") % ORDER)


def test_share_round_trip(group: Group, random: Callable[[int], bytes]) -> None:
    share = new_share(group, random)
    again = Share.from_bytes(group, share.to_bytes())
    assert again == share
    assert again.public_key == share.public_key


@pytest.mark.parametrize("octets", [b"", bytes(32), scalar(ORDER), scalar(1) * 2, scalar(1)[:-1]])
def test_bytes_that_are_no_share(group: Group, octets: bytes) -> None:
    with pytest.raises(KeyMaterialError):
        Share.from_bytes(group, octets)


def test_proof_of_knowledge(group: Group, random: Callable[[int], bytes]) -> None:
    share = new_share(group, random)
    proofs = [prove_knowledge(group, share, b"context", random) for _ in range(2)]
    assert proofs[0] != proofs[1]
    for proof in proofs:
        verify_knowledge(group, share.public_key, b"context", proof)


def test_stuck_generator_repeats_no_nonce(group: Group, random: Callable[[int], bytes]) -> None:
    share = new_share(group, random)
    commitments = set()
    for context in (b"one", b"two"):
        proof = prove_knowledge(group, share, context, bytes)
        commitments.add(group.weighted_sum(GENERATOR + share.public_key, proof[32:] + proof[:32]))
    assert len(commitments) == 2


def test_proof_for_another_context_or_key(group: Group, random: Callable[[int], bytes]) -> None:
    share, other = new_share(group, random), new_share(group, random)
    proof = prove_knowledge(group, share, b"context", random)
    for public_key, context in ((share.public_key, b"contexT"), (other.public_key, b"context")):
        with pytest.raises(ProofError):
            verify_knowledge(group, public_key, context, proof)


def test_every_byte_of_a_proof_counts(group: Group, random: Callable[[int], bytes]) -> None:
    share = new_share(group, random)
    proof = prove_knowledge(group, share, b"context", random)
    for place in range(len(proof)):
        changed = bytearray(proof)
        changed[place] ^= 1
        with pytest.raises(ProofError):
            verify_knowledge(group, share.public_key, b"context", bytes(changed))


def test_key_that_cancels_the_others(group: Group, random: Callable[[int], bytes]) -> None:
    """A party that publishes its key minus another's, to own the sum, cannot prove that it knows its share."""
    victim, own = new_share(group, random), new_share(group, random)
    rogue = group.weighted_sum(own.public_key + victim.public_key, scalar(1) + scalar(ORDER - 1))
    with pytest.raises(ProofError):
        verify_knowledge(group, rogue, b"context", prove_knowledge(group, own, b"context", random))


@pytest.mark.parametrize("public_key", [bytes(32), b"", GENERATOR[:-1], GENERATOR * 2])
def test_public_key_that_is_no_key(group: Group, random: Callable[[int], bytes], public_key: bytes) -> None:
    proof = prove_knowledge(group, new_share(group, random), b"context", random)
    with pytest.raises(MalformedError):
        verify_knowledge(group, public_key, b"context", proof)


def test_proof_of_knowledge_with_the_nonce_zero(group: Group, random: Callable[[int], bytes]) -> None:
    """A commitment that is the identity gives the share away; such a proof is refused though its equation holds."""
    share = new_share(group, random)
    challenge = _knowledge_challenge(share.public_key, bytes(32), b"context")
    response = -int.from_bytes(challenge, "little") * int.from_bytes(share.to_bytes(), "little") % ORDER
    with pytest.raises(ProofError):
        verify_knowledge(group, share.public_key, b"context", challenge + scalar(response))


def test_closed_share_proves_nothing(group: Group, random: Callable[[int], bytes]) -> None:
    share = new_share(group, random)
    share.close()
    with pytest.raises(KeyMaterialError):
        prove_knowledge(group, share, b"context", random)
