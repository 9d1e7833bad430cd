"""One chunk that is evaluated: weights, proof under a fixed nonce, outputs (PROTOCOL.md 3.5, 4.3)."""

import hashlib
from typing import Any

from tests.vectors.making import definition
from tests.vectors.making.theme import Theme, group, octets

TERMS = {
    "binding": octets("binding"),
    "class": "full",
    "evaluator": "RS",
    "origin": "SI",
    "submission_id": octets("submission id", 16),
    "index": 7,
}


ABOUT = """
One chunk of elements, evaluated and proved; and proofs that do not verify.
"""
SOURCE = """
own: hashlib; ristretto255 by the product (RFC 9496)
"""
OPERATIONS = """
evaluate: the terms, the share, the elements, and the nonce of the proof (a secret of the prover: another nonce
    makes another proof that is as good; Aquila's follows from share, `fresh` and seed) to the context, the seed,
    the weights of 16 bytes, M, Z, the evaluated elements, their digests and the proof
nonce: share, `fresh` and the seed of 4.3 to Aquila's nonce of a proof, which nobody else sees
verify: the terms, the public key, the elements, the evaluated elements and the proof: whether it verifies
"""


def make() -> Theme:
    theme = Theme("chunk", ABOUT, SOURCE, OPERATIONS)
    share = definition.reduced(octets("share of RS", 64))
    elements = sorted(group().multiply_base(definition.reduced(octets(f"element {n}", 64))) for n in range(5))
    fresh = octets("fresh bytes of a proof")
    made = evaluated(share, elements, TERMS, fresh)
    given = TERMS | {"share": share, "elements": elements, "fresh": fresh, "nonce": made.pop("nonce")}
    theme.valid("chunk", "evaluate", "4.3", given, made)
    hidden = {"share": share, "fresh": fresh, "seed": made["seed"]}
    theme.valid("nonce", "nonce", "4.4", hidden, given["nonce"])
    right = TERMS | {
        "public_key": group().multiply_base(share),
        "elements": elements,
        "evaluated": made["evaluated"],
        "proof": made["proof"],
    }
    theme.valid("proof", "verify", "4.3", right)
    _wrong(theme, right, share)
    return theme


def context_of(terms: dict[str, Any]) -> bytes:
    """4.3."""
    words = [terms[name].encode() for name in ("class", "evaluator", "origin")]
    return definition.framed(
        "aquila/2 evaluation", terms["binding"], *words, terms["submission_id"], terms["index"].to_bytes(4, "big")
    )


def evaluated(share: bytes, elements: list[bytes], terms: dict[str, Any], fresh: bytes) -> dict[str, Any]:
    """4.3, with Aquila's nonce (4.4)."""
    public, context = group().multiply_base(share), context_of(terms)
    outputs = [group().multiply(one, share) for one in elements]
    digests = [hashlib.sha256(b"".join(many)).digest() for many in (elements, outputs)]
    transcript = definition.joined([public, b"Seed-" + definition.OPRF], 2)
    transcript += definition.joined([b"aquila/2 batch weights", context, *digests], 4)
    seed = hashlib.sha512(transcript + len(elements).to_bytes(4, "big")).digest()
    hidden = definition.joined([b"aquila/2 nonce of evaluation", share, fresh, seed], 4)
    nonce = definition.reduced(hashlib.sha512(hidden).digest())
    stream = hashlib.shake_256(seed).digest(16 * len(elements))
    weights = [stream[place : place + 16] for place in range(0, len(stream), 16)]
    composite = group().weighted_sum(b"".join(elements), b"".join(one + bytes(16) for one in weights))
    output = group().multiply(composite, share)
    return {
        "context": context,
        "seed": seed,
        "weights": weights,
        "M": composite,
        "Z": output,
        "evaluated": outputs,
        "input_digest": digests[0],
        "output_digest": digests[1],
        "nonce": nonce,
        "proof": prove(share, public, nonce, composite, output),
    }


def prove(share: bytes, public: bytes, nonce: bytes, composite: bytes, output: bytes) -> bytes:
    """RFC 9497, 2.2.1."""
    commitments = group().multiply_base(nonce), group().multiply(composite, nonce)
    transcript = definition.joined([public, composite, output, *commitments], 2) + b"Challenge"
    challenge = definition.hash_to_scalar(transcript)
    return challenge + definition.response(nonce, challenge, share)


def _wrong(theme: Theme, right: dict[str, Any], share: bytes) -> None:
    def refused(name: str, kind: str = "proof", paragraph: str = "4.3", **changes: Any) -> None:
        theme.invalid(name, "verify", paragraph, right | changes, kind)

    refused("proof_for_another_pair", evaluator="AL")
    refused("proof_in_the_other_direction", evaluator="SI", origin="RS")
    refused("proof_for_another_class", **{"class": "coarse"})
    refused("proof_for_another_chunk", index=8)
    refused("proof_for_another_submission", submission_id=octets("another submission", 16))
    refused("proof_under_another_binding", binding=octets("another binding"))
    other = definition.reduced(octets("another share", 64))
    refused("proof_of_another_share", public_key=group().multiply_base(other))
    elements, outputs, proof = right["elements"], right["evaluated"], right["proof"]
    by_other = [*outputs[:-1], group().multiply(elements[-1], other)]
    refused("proof_with_one_element_of_another_share", paragraph="3.6.0", evaluated=by_other)
    refused("proof_with_elements_in_another_order", evaluated=outputs[::-1])
    refused("proof_of_both_in_another_order", elements=elements[::-1], evaluated=outputs[::-1])
    refused("proof_of_fewer_elements", elements=elements[:-1], evaluated=outputs[:-1])
    refused("proof_of_more_inputs_than_outputs", "malformed", "3.6.0", evaluated=outputs[:-1])
    refused("proof_of_no_element", "malformed", elements=[], evaluated=[])
    refused("proof_s_before_c", proof=proof[32:] + proof[:32])
    refused("proof_of_65_bytes", proof=proof + b"\x00")
    plus = (int.from_bytes(proof[32:], "little") + definition.ORDER).to_bytes(32, "little")
    refused("proof_response_not_reduced", paragraph="2.5", proof=proof[:32] + plus)
    refused("proof_response_zero", paragraph="2.5", proof=proof[:32] + bytes(32))
    identity = [*outputs[:-1], bytes(32)]
    refused("evaluated_element_the_identity", "malformed", "2.5", evaluated=identity)
    not_canonical = [*outputs[:-1], outputs[-1][:31] + bytes([outputs[-1][31] | 0x80])]
    refused("evaluated_element_with_bit_255", "malformed", "2.5", evaluated=not_canonical)
    refused("proof_with_the_weights_of_rfc_9497", proof=_by_rfc(right, share))


def _by_rfc(right: dict[str, Any], share: bytes) -> bytes:
    """A proof of the right evaluation under the RFC's batch weights (2.2.1, ComputeComposites)."""
    seed = hashlib.sha512(definition.joined([right["public_key"], b"Seed-" + definition.OPRF], 2)).digest()
    weights = []
    for place, pair in enumerate(zip(right["elements"], right["evaluated"], strict=True)):
        number = place.to_bytes(2, "big")
        transcript = definition.joined([seed], 2) + number + definition.joined(pair, 2) + b"Composite"
        weights.append(definition.hash_to_scalar(transcript))
    composite = group().weighted_sum(b"".join(right["elements"]), b"".join(weights))
    nonce = definition.reduced(octets("nonce under the RFC's weights", 64))
    return prove(share, right["public_key"], nonce, composite, group().multiply(composite, share))
