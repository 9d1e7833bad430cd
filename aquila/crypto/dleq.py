"""Proofs that a batch was evaluated with the share of a public key (RFC 9497 section 2.2), one for each chunk.

The proof's shape is the RFC's; the weights that fold a batch into one pair of elements are exchangeable. The RFC
hashes each weight from its own pair only, so that a prover can look for pairs whose errors cancel (a generalized
birthday attack; tests/vectors/forged_dleq_batch.bin). The weights in use come from one seed over everything, so
that changing any pair changes all of them.
"""

import hashlib

import numpy as np

from aquila.crypto.group import ELEMENT_BYTES, GENERATOR, SCALAR_BYTES, Elements, Group, encoded
from aquila.crypto.hashing import hash_secret, prefixed
from aquila.crypto.oprf import MODE_VOPRF, context_string, hash_to_scalar
from aquila.crypto.shares import Share, split_proof, validate_public_key
from aquila.errors import InputError, MalformedError, ProofError

WEIGHT_BYTES = 16
"""Bytes of a weight in use: a wrong batch passes with probability 2^-128 for each attempt."""

FRESH_BYTES = 32

_WEIGHTS_LABEL = b"aquila/2 batch weights"
_NONCE_LABEL = b"aquila/2 nonce of evaluation"


def batch_weights(public_key: bytes, context: bytes, input_digest: bytes, output_digest: bytes, count: int) -> bytes:
    """Return the n weights in use, each 128 bits in 32 bytes, all from one seed over the whole batch.

    The seed is SHA-512 over the RFC's transcript (public key and seedDST), then label, context, digest of all inputs
    and digest of all outputs, each behind its length as 4 bytes, then the count as 4 bytes. SHAKE-256 expands it to
    16 bytes for each weight (`expand_weights`).

    Args:
        public_key: The share's public key, 32 bytes.
        context: Binding, class, evaluator, origin, submission and chunk, joined without ambiguity by the caller.
        input_digest: SHA-256 of all inputs.
        output_digest: SHA-256 of all outputs.
        count: How many weights.
    """
    seed = batch_seed(public_key, context, input_digest, output_digest, count)
    return expand_weights(hashlib.shake_256(seed).digest(count * WEIGHT_BYTES))


def batch_seed(public_key: bytes, context: bytes, input_digest: bytes, output_digest: bytes, count: int) -> bytes:
    """Return the 64 bytes from which a batch's weights and its proof's nonce come; see `batch_weights`."""
    return hashlib.sha512(
        _rfc_transcript(public_key)
        + prefixed(_WEIGHTS_LABEL, context, input_digest, output_digest, width=4)
        + count.to_bytes(4, "big")
    ).digest()


def expand_weights(stream: bytes) -> bytes:
    """Return n scalars of 32 bytes from n * 16 bytes; a zero, which would leave its pair unchecked, becomes one."""
    weights = np.zeros((len(stream) // WEIGHT_BYTES, SCALAR_BYTES // WEIGHT_BYTES, WEIGHT_BYTES // 8), dtype="<u8")
    weights[:, 0] = np.frombuffer(stream, dtype="<u8").reshape(-1, WEIGHT_BYTES // 8)
    weights[(weights[:, 0, 0] | weights[:, 0, 1]) == 0, 0, 0] = 1
    return weights.tobytes()


def proof_nonce(group: Group, share: Share, fresh: bytes, seed: bytes) -> bytes:
    """Hash share, 32 fresh random bytes and what is proved to the nonce of one proof.

    A machine that is restored and draws the same fresh bytes again repeats the nonce only for the same challenge.

    Raises:
        InputError: `fresh` has not 32 bytes.
        KeyMaterialError: the share is closed.
    """
    if len(fresh) != FRESH_BYTES:
        raise InputError("nonce_not_32_bytes", got=len(fresh))
    with share.reveal() as secret:
        return group.reduce_each(hash_secret(_NONCE_LABEL, secret, fresh, seed))


def prove(group: Group, share: Share, inputs: Elements, outputs: bytes, weights: bytes, nonce_scalar: bytes) -> bytes:
    """Prove that output i is the share times input i (GenerateProof, RFC 9497 section 2.2.1).

    The outputs count only through the weights: the prover knows that Z = k * M (ComputeCompositesFast).

    Returns:
        64 bytes, c || s.

    Raises:
        MalformedError: the batches are empty or differ in length, or an element is refused.
        KeyMaterialError: the share is closed.
    """
    _require_pairs(inputs, outputs)
    composite_input = group.weighted_sum(inputs, weights)  # M
    with share.reveal() as secret:
        composite_output = group.multiply(composite_input, secret)  # Z
        commitments = group.multiply_base(nonce_scalar), group.multiply(composite_input, nonce_scalar)
        challenge = _challenge(share.public_key, composite_input, composite_output, *commitments)
        return challenge + group.respond(nonce_scalar, challenge, secret)


def verify(group: Group, public_key: bytes, inputs: Elements, outputs: Elements, weights: bytes, proof: bytes) -> None:
    """Check that output i is input i times the share of the public key (VerifyProof, RFC 9497 section 2.2.2).

    Raises:
        MalformedError: the batches are empty or differ in length, or an element or the public key is refused.
        ProofError: the proof does not verify.
    """
    # 1. The proof is two canonical scalars, the key an element other than the identity, the batches one size.
    challenge, response = split_proof(proof)
    validate_public_key(group, public_key)
    _require_pairs(inputs, outputs)
    # 2. Both batches are folded with the same weights; every element is decoded and so checked here.
    composite_input = group.weighted_sum(inputs, weights)  # M
    composite_output = group.weighted_sum(outputs, weights)  # Z
    # 3. The commitments follow from the proof: t2 = s*A + c*B and t3 = s*M + c*Z.
    scalars = response + challenge
    try:
        first = group.weighted_sum(GENERATOR + public_key, scalars)
        second = group.weighted_sum(composite_input + composite_output, scalars)
    except MalformedError:
        # All points are elements, so a sum was the identity, which needs the nonce zero.
        raise ProofError("evaluation_proof_not_verified") from None
    # 4. The challenge is public, so the comparison need not take constant time.
    if _challenge(public_key, composite_input, composite_output, first, second) != challenge:
        raise ProofError("evaluation_proof_not_verified")


def prove_chunk(group: Group, share: Share, context: bytes, inputs: Elements, outputs: bytes, fresh: bytes) -> bytes:
    """Prove one chunk's evaluation with the weights in use.

    Args:
        group: The backend.
        share: The evaluator's share.
        context: Binding, class, evaluator, origin, submission and chunk; the verifier builds the same.
        inputs: n blinded elements.
        outputs: n evaluated elements.
        fresh: 32 random bytes.

    Returns:
        64 bytes, c || s.

    Raises:
        InputError: `fresh` has not 32 bytes.
        MalformedError: the batches are empty or differ in length, or an element is refused.
        KeyMaterialError: the share is closed.
    """
    statement = _statement(share.public_key, context, inputs, outputs)
    nonce = proof_nonce(group, share, fresh, batch_seed(*statement))
    return prove(group, share, inputs, outputs, batch_weights(*statement), nonce)


def verify_chunk(
    group: Group, public_key: bytes, context: bytes, inputs: Elements, outputs: Elements, proof: bytes
) -> None:
    """Check one chunk's evaluation with the weights in use; see `prove_chunk` and `verify`.

    Raises:
        MalformedError: the batches are empty or differ in length, or an element or the public key is refused.
        ProofError: the proof does not verify.
    """
    weights = batch_weights(*_statement(public_key, context, inputs, outputs))
    verify(group, public_key, inputs, outputs, weights, proof)


def _statement(
    public_key: bytes, context: bytes, inputs: Elements, outputs: Elements
) -> tuple[bytes, bytes, bytes, bytes, int]:
    """Return the arguments of `batch_seed` and `batch_weights`."""
    digests = hashlib.sha256(encoded(inputs)).digest(), hashlib.sha256(encoded(outputs)).digest()
    return public_key, context, *digests, len(encoded(inputs)) // ELEMENT_BYTES


def _rfc_transcript(public_key: bytes) -> bytes:
    """Return h1Input of RFC 9497 section 2.2.1: the public key and seedDST."""
    return prefixed(public_key, b"Seed-" + context_string(MODE_VOPRF))


def _challenge(public_key: bytes, *points: bytes) -> bytes:
    """Hash public key, M, Z, t2 and t3 to the challenge (RFC 9497 section 2.2.1, challengeTranscript)."""
    return hash_to_scalar(prefixed(public_key, *points) + b"Challenge")


def _require_pairs(inputs: Elements, outputs: Elements) -> None:
    given, returned = len(encoded(inputs)), len(encoded(outputs))
    if not given or given != returned:
        raise MalformedError("proof_inputs_missing", inputs=given // ELEMENT_BYTES, outputs=returned // ELEMENT_BYTES)
