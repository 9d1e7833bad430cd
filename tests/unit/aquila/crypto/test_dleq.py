"""Proofs of evaluation: what verifies, and every way not to."""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import pytest

from aquila.crypto import dleq, oprf
from aquila.crypto.group import GENERATOR, ORDER, Group
from aquila.crypto.shares import Share, new_share
from aquila.errors import InputError, KeyMaterialError, MalformedError, ProofError
from tests.support.rfc9497 import rfc_weights

CONTEXT = b"binding, class, evaluator, origin, submission, chunk"
FRESH = bytes(range(32))


class Chunk(NamedTuple):
    share: Share
    inputs: bytes
    outputs: bytes
    proof: bytes


@pytest.fixture
def chunk(group: Group, random: Callable[[int], bytes]) -> Chunk:
    share, inputs = new_share(group, random), oprf.hash_inputs(group, random(32 * 3), 32)
    outputs = oprf.evaluate(group, inputs, share)
    return Chunk(share, inputs, outputs, dleq.prove_chunk(group, share, CONTEXT, inputs, outputs, FRESH))


def test_honest_chunk(group: Group, chunk: Chunk) -> None:
    """A chunk that was evaluated by the rules verifies, and the same call gives the same proof."""
    dleq.verify_chunk(group, chunk.share.public_key, CONTEXT, chunk.inputs, chunk.outputs, chunk.proof)
    assert dleq.prove_chunk(group, chunk.share, CONTEXT, chunk.inputs, chunk.outputs, FRESH) == chunk.proof


def test_swapped_outputs(group: Group, chunk: Chunk) -> None:
    """Two right evaluations at each other's place are a wrong chunk."""
    swapped = chunk.outputs[32:64] + chunk.outputs[:32] + chunk.outputs[64:]
    with pytest.raises(ProofError):
        dleq.verify_chunk(group, chunk.share.public_key, CONTEXT, chunk.inputs, swapped, chunk.proof)


def test_proof_for_wrong_outputs(group: Group, chunk: Chunk) -> None:
    wrong = group.multiply(chunk.outputs[:32], (2).to_bytes(32, "little")) + chunk.outputs[32:]
    proof = dleq.prove_chunk(group, chunk.share, CONTEXT, chunk.inputs, wrong, FRESH)
    with pytest.raises(ProofError):
        dleq.verify_chunk(group, chunk.share.public_key, CONTEXT, chunk.inputs, wrong, proof)


@pytest.mark.parametrize("public_key", [bytes(32), b"\x01" + bytes(31), GENERATOR[:-1], GENERATOR * 2, b""])
def test_public_key_that_is_no_key(group: Group, chunk: Chunk, public_key: bytes) -> None:
    with pytest.raises(MalformedError):
        dleq.verify_chunk(group, public_key, CONTEXT, chunk.inputs, chunk.outputs, chunk.proof)


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("number", [0, ORDER, 2**256 - 1])
def test_proof_scalar_that_is_not_canonical(group: Group, chunk: Chunk, place: int, number: int) -> None:
    parts = [chunk.proof[:32], chunk.proof[32:]]
    parts[place] = number.to_bytes(32, "little")
    with pytest.raises(ProofError):
        dleq.verify_chunk(group, chunk.share.public_key, CONTEXT, chunk.inputs, chunk.outputs, b"".join(parts))


@pytest.mark.parametrize("length", [0, 32, 63])
def test_proof_of_another_length(group: Group, chunk: Chunk, length: int) -> None:
    for proof in (chunk.proof[:length], chunk.proof + chunk.proof[:length] + b"\x01" * 32):
        with pytest.raises(ProofError):
            dleq.verify_chunk(group, chunk.share.public_key, CONTEXT, chunk.inputs, chunk.outputs, proof)


def test_outputs_of_another_number(group: Group, chunk: Chunk) -> None:
    for inputs, outputs in ((chunk.inputs, chunk.outputs[:32]), (chunk.inputs, b""), (b"", b"")):
        with pytest.raises(MalformedError):
            dleq.verify_chunk(group, chunk.share.public_key, CONTEXT, inputs, outputs, chunk.proof)
        with pytest.raises(MalformedError):
            dleq.prove_chunk(group, chunk.share, CONTEXT, inputs, outputs, FRESH)


@pytest.mark.parametrize("element", [bytes(32), b"\x01" + bytes(31), bytes(31) + b"\x80"])
def test_output_that_is_no_element(group: Group, chunk: Chunk, element: bytes) -> None:
    with pytest.raises(MalformedError):
        dleq.verify_chunk(
            group, chunk.share.public_key, CONTEXT, chunk.inputs, chunk.outputs[:64] + element, chunk.proof
        )


def test_proof_made_with_the_nonce_zero(group: Group, chunk: Chunk) -> None:
    """Commitments that are the identity give the share away; such a proof is refused though its equation holds."""
    weights = rfc_weights(chunk.share.public_key, chunk.inputs, chunk.outputs)
    composites = group.weighted_sum(chunk.inputs, weights), group.weighted_sum(chunk.outputs, weights)
    challenge = dleq._challenge(chunk.share.public_key, *composites, bytes(32), bytes(32))
    secret = int.from_bytes(chunk.share.to_bytes(), "little")
    response = -int.from_bytes(challenge, "little") * secret % ORDER
    proof = challenge + response.to_bytes(32, "little")
    with pytest.raises(ProofError):
        dleq.verify(group, chunk.share.public_key, chunk.inputs, chunk.outputs, weights, proof)


def test_closed_share_proves_nothing(group: Group, chunk: Chunk) -> None:
    chunk.share.close()
    with pytest.raises(KeyMaterialError):
        dleq.prove_chunk(group, chunk.share, CONTEXT, chunk.inputs, chunk.outputs, FRESH)


def test_nonce_depends_on_everything(group: Group, chunk: Chunk, random: Callable[[int], bytes]) -> None:
    nonces = [
        dleq.proof_nonce(group, chunk.share, FRESH, b"seed"),
        dleq.proof_nonce(group, new_share(group, random), FRESH, b"seed"),
        dleq.proof_nonce(group, chunk.share, FRESH[::-1], b"seed"),
        dleq.proof_nonce(group, chunk.share, FRESH, b"other"),
    ]
    assert len(set(nonces)) == 4
    assert dleq.proof_nonce(group, chunk.share, FRESH, b"seed") == nonces[0]


def test_too_few_fresh_bytes(group: Group, chunk: Chunk) -> None:
    with pytest.raises(InputError):
        dleq.prove_chunk(group, chunk.share, CONTEXT, chunk.inputs, chunk.outputs, FRESH[:-1])


def test_weights_depend_on_everything() -> None:
    """Every argument of the weights in use changes the first weight already."""
    base = (GENERATOR, b"context", bytes(range(32)), bytes(range(32, 64)))
    variants = [(*base, 2), (*base, 3)]
    variants += [(*base[:place], base[place][::-1], *base[place + 1 :], 2) for place in range(4)]
    assert len({dleq.batch_weights(*variant)[:32] for variant in variants}) == len(variants)


def test_weights_are_the_documented_expansion() -> None:
    tag = b"Seed-OPRFV1-\x01-ristretto255-SHA512"
    transcript = b"\x00\x20" + GENERATOR + len(tag).to_bytes(2, "big") + tag
    for part in (b"aquila/2 batch weights", b"context", b"i" * 32, b"o" * 32):
        transcript += len(part).to_bytes(4, "big") + part
    seed = hashlib.sha512(transcript + (2).to_bytes(4, "big")).digest()
    stream = hashlib.shake_256(seed).digest(32)
    expected = stream[:16] + bytes(16) + stream[16:] + bytes(16)
    assert dleq.batch_weights(GENERATOR, b"context", b"i" * 32, b"o" * 32, 2) == expected


def test_weight_is_never_zero() -> None:
    """A zero weight would leave its pair unchecked, so it becomes one."""
    assert dleq.expand_weights(b"\x05" * 16 + bytes(16)) == b"\x05" * 16 + bytes(16) + b"\x01" + bytes(31)
