"""A party's shares of a round, one for each input class: secret scalars, which never leave their node.

Each party publishes the public key of its share with a proof that it knows the share, so that no party brings a key
under which it could evaluate nothing. Values under two parties' shares are hashed together and never added.
"""

from collections.abc import Callable
from typing import Self

from aquila.crypto.group import ELEMENT_BYTES, GENERATOR, SCALAR_BYTES, WIDE_BYTES, Group, require_scalars
from aquila.crypto.hashing import hash_secret, hash_to_scalar, prefixed
from aquila.crypto.keys import SecretBytes
from aquila.errors import KeyMaterialError, MalformedError, ProofError

PROOF_BYTES = 2 * SCALAR_BYTES
"""A proof is the challenge c, then the response s."""

_KNOWLEDGE_DST = b"aquila/2 proof of knowledge"
_NONCE_LABEL = b"aquila/2 nonce of knowledge"
_FRESH_BYTES = 32


class Share(SecretBytes):
    """One party's secret scalar for one input class of one round, with its public key."""

    __slots__ = ("public_key",)

    def __init__(self, octets: bytes, public_key: bytes) -> None:
        super().__init__(octets)
        self.public_key = public_key

    @classmethod
    def from_bytes(cls, group: Group, octets: bytes) -> Self:
        """Make the share again from what `to_bytes` returned.

        Raises:
            KeyMaterialError: the bytes are no scalar from 1 to ORDER - 1.
        """
        try:
            count = require_scalars(octets)
        except MalformedError:
            count = 0
        if count != 1:
            raise KeyMaterialError("share_malformed")
        return cls(octets, group.multiply_base(octets))


def new_share(group: Group, random: Callable[[int], bytes]) -> Share:
    """Draw a share: 64 random bytes modulo ORDER."""
    return Share.from_bytes(group, group.reduce_each(random(WIDE_BYTES)))


def prove_knowledge(group: Group, share: Share, context: bytes, random: Callable[[int], bytes]) -> bytes:
    """Prove that one knows the share of its public key, bound to `context` (Schnorr, made non-interactive).

    The nonce is hashed from the share, the context and 32 random bytes, so that neither a poor generator nor a
    machine that is set back can repeat it for another challenge.

    Returns:
        64 bytes, c || s.

    Raises:
        KeyMaterialError: the share is closed.
    """
    with share.reveal() as secret:
        nonce = group.reduce_each(hash_secret(_NONCE_LABEL, secret, random(_FRESH_BYTES), context))
        challenge = _knowledge_challenge(share.public_key, group.multiply_base(nonce), context)
        return challenge + group.respond(nonce, challenge, secret)


def verify_knowledge(group: Group, public_key: bytes, context: bytes, proof: bytes) -> None:
    """Check that the maker of the proof for this context knows the share of the public key.

    Raises:
        MalformedError: the public key is no element, or the identity.
        ProofError: the proof does not verify.
    """
    validate_public_key(group, public_key)
    challenge, response = split_proof(proof)
    try:
        # R = s*G + c*K; a proof whose R is the identity was made with the nonce zero, and is refused.
        commitment = group.weighted_sum(GENERATOR + public_key, response + challenge)
    except MalformedError:
        raise ProofError("knowledge_proof_not_verified") from None
    if _knowledge_challenge(public_key, commitment, context) != challenge:
        raise ProofError("knowledge_proof_not_verified")


def validate_public_key(group: Group, public_key: bytes) -> None:
    """Check that the bytes are one element other than the identity; raises MalformedError if they are not."""
    if len(public_key) != ELEMENT_BYTES:
        raise MalformedError("share_key_not_32_bytes", got=len(public_key))
    group.validate(public_key)


def split_proof(proof: bytes) -> tuple[bytes, bytes]:
    """Return challenge and response of a proof.

    Zero scalars are refused too: an honest prover meets one with probability 2^-252.

    Raises:
        ProofError: the bytes are not two canonical scalars.
    """
    try:
        count = require_scalars(proof)
    except MalformedError:
        count = 0
    if count * SCALAR_BYTES != PROOF_BYTES:
        raise ProofError("proof_scalars_not_canonical", got=len(proof))
    return proof[:SCALAR_BYTES], proof[SCALAR_BYTES:]


def _knowledge_challenge(public_key: bytes, commitment: bytes, context: bytes) -> bytes:
    transcript = prefixed(GENERATOR, public_key, commitment, context, width=4)
    return hash_to_scalar(transcript, _KNOWLEDGE_DST)
