"""A consent from what is drawn to the envelope, and proofs of knowledge (PROTOCOL.md 3.3.2, 4.2)."""

import hashlib
from typing import Any

from aquila.crypto.keys import SealingKey
from aquila.protocol.encoding import canonical
from aquila.protocol.messages import Manifest
from tests.support.samples import SAMPLES
from tests.vectors.making import definition
from tests.vectors.making.framing import envelope
from tests.vectors.making.theme import Theme, group, octets

KNOWLEDGE = b"aquila/2 proof of knowledge"
CLASSES = ("full", "partial", "coarse")
KIND = "application/vnd.aquila.consent+json"
HEAD = {"size": 17, "root": "ab" * 32}


ABOUT = """
A consent from what is drawn to the envelope, the opening's binding, and proofs of knowledge.
"""
SOURCE = """
own: hashlib; ristretto255, Ed25519 and X-Wing by the product, which official vectors hold
"""
OPERATIONS = """
consent: a manifest's payload (UTF-8), the party, its identity seed, the number of the statement, the log head, the
    elements declared, what is drawn (for each class 64 bytes of share, little endian modulo the order, and 32 for the
    nonce of its proof, the secret of the locks, the seed of the X-Wing key) and the nonces (another nonce makes
    another proof that is as good; Aquila's follows from share, what is drawn and context). Gives the shares, public
    keys, contexts, proofs, payload and envelope
verify_knowledge: public key, context and proof: whether it verifies
binding: manifest digest and the consents' digests by party to the binding
"""


def make() -> Theme:
    theme = Theme("consent", ABOUT, SOURCE, OPERATIONS)
    consents = {party: _consent(theme, party) for party in ("AL", "SI")}
    manifest = hashlib.sha256(definition.pre_authentication(Manifest.payload_type, canonical(SAMPLES[Manifest])))
    parts = [definition.framed("consent", party.encode(), one) for party, one in sorted(consents.items())]
    given = {"manifest_digest": manifest.digest(), "consents": consents}
    theme.valid("binding", "binding", "3.3.4", given, definition.digest("aquila/2 binding", manifest.digest(), *parts))
    _proofs(theme)
    return theme


def context_of(manifest: bytes, party: str, kind: str, keys: list[bytes]) -> bytes:
    """4.2."""
    return definition.framed("aquila/2 share", manifest, party.encode(), kind.encode(), *keys)


def proof_of(share: bytes, public: bytes, nonce: bytes, context: bytes) -> bytes:
    """4.2."""
    commitment = group().multiply_base(nonce)
    transcript = definition.joined([definition.GENERATOR, public, commitment, context], 4)
    challenge = definition.reduced(definition.expand_message(transcript, KNOWLEDGE))
    return challenge + definition.response(nonce, challenge, share)


def nonce_of(share: bytes, fresh: bytes, context: bytes) -> bytes:
    """Aquila's own nonce of a proof of knowledge."""
    hidden = definition.joined([b"aquila/2 nonce of knowledge", share, fresh, context], 4)
    return definition.reduced(hashlib.sha512(hidden).digest())


def _consent(theme: Theme, party: str) -> bytes:
    drawn = {
        "shares": {kind: octets(f"share of {party}, {kind}", 64) for kind in CLASSES},
        "lock": octets(f"lock of {party}"),
        "sealing": octets(f"sealing key of {party}"),
        "proofs": {kind: octets(f"proof of {party}, {kind}") for kind in CLASSES},
    }
    manifest_payload = canonical(SAMPLES[Manifest])
    manifest = hashlib.sha256(definition.pre_authentication(Manifest.payload_type, manifest_payload)).digest()
    shares = {kind: definition.reduced(drawn["shares"][kind]) for kind in CLASSES}
    publics = {kind: group().multiply_base(share) for kind, share in shares.items()}
    sealing = SealingKey(drawn["sealing"]).public
    contexts = {kind: context_of(manifest, party, kind, [*publics.values(), sealing]) for kind in CLASSES}
    nonces = {kind: nonce_of(shares[kind], drawn["proofs"][kind], contexts[kind]) for kind in CLASSES}
    proofs = {kind: proof_of(shares[kind], publics[kind], nonces[kind], contexts[kind]) for kind in CLASSES}
    payload = canonical(
        {
            "round_id": SAMPLES[Manifest]["round_id"],
            "party": party,
            "sequence": 1,
            "log_head": HEAD,
            "manifest_digest": manifest.hex(),
            "elements": {"full": 3, "partial": 2, "coarse": 1},
            "shares": [
                {"input_class": kind, "public_key": publics[kind].hex(), "proof": proofs[kind].hex()}
                for kind in CLASSES
            ],
            "sealing_key": sealing.hex(),
            "earlier_rounds": [],
        }
    )
    seed = octets(f"identity of {party}")
    given = {
        "manifest": manifest_payload.decode(),
        "party": party,
        "identity": seed,
        "sequence": 1,
        "log_head": HEAD,
        "elements": {"full": 3, "partial": 2, "coarse": 1},
        "drawn": drawn,
        "nonces": nonces,
    }
    gives = {
        "shares": shares,
        "public_keys": publics,
        "sealing_key": sealing,
        "contexts": contexts,
        "proofs": proofs,
        "payload": payload.decode(),
        "envelope": canonical(envelope(payload, seed, KIND)).decode(),
    }
    theme.valid(f"consent_of_{party}", "consent", "3.3.2", given, gives)
    return hashlib.sha256(definition.pre_authentication(KIND, payload)).digest()


def _proofs(theme: Theme) -> None:
    share = definition.reduced(octets("a share", 64))
    public, nonce = group().multiply_base(share), definition.reduced(octets("a nonce", 64))
    other = group().multiply_base(definition.reduced(octets("another share", 64)))
    manifest, keys = octets("a manifest"), [public, other, octets("a sealing key", 1216)]
    context = context_of(manifest, "AL", "full", keys)
    proof = proof_of(share, public, nonce, context)
    challenge, response = proof[:32], proof[32:]
    right = {"public_key": public, "context": context, "proof": proof}
    theme.valid("knowledge", "verify_knowledge", "4.2", right)

    def refused(name: str, kind: str = "proof", paragraph: str = "4.2", **changes: Any) -> None:
        theme.invalid(name, "verify_knowledge", paragraph, right | changes, kind)

    refused("knowledge_for_another_party", context=context_of(manifest, "RS", "full", keys))
    refused("knowledge_for_another_class", context=context_of(manifest, "AL", "coarse", keys))
    refused("knowledge_for_another_manifest", context=context_of(octets("another manifest"), "AL", "full", keys))
    refused("knowledge_without_the_sealing_key", context=context_of(manifest, "AL", "full", keys[:2]))
    refused("knowledge_of_another_share", public_key=other)
    refused("knowledge_proof_s_before_c", proof=response + challenge)
    refused("knowledge_proof_of_63_bytes", proof=proof[:63])
    plus = (int.from_bytes(response, "little") + definition.ORDER).to_bytes(32, "little")
    refused("knowledge_response_not_reduced", paragraph="2.5", proof=challenge + plus)
    refused("knowledge_challenge_zero", paragraph="2.5", proof=bytes(32) + response)
    refused("knowledge_of_the_identity", "malformed", "2.5", public_key=bytes(32))
    refused("knowledge_key_not_canonical", "malformed", "2.5", public_key=b"\xed" + b"\xff" * 30 + b"\x7f")
    refused("knowledge_key_with_bit_255", "malformed", "2.5", public_key=public[:31] + bytes([public[31] | 0x80]))
    # A prover who may choose the commitment after the challenge.
    refused("knowledge_commitment_the_identity", proof=_without_nonce(share, public, context))


def _without_nonce(share: bytes, public: bytes, context: bytes) -> bytes:
    """Return a proof whose nonce is zero."""
    transcript = definition.joined([definition.GENERATOR, public, bytes(32), context], 4)
    challenge = definition.reduced(definition.expand_message(transcript, KNOWLEDGE))
    return challenge + definition.response(bytes(32), challenge, share)
