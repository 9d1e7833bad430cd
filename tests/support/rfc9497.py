"""The weights of RFC 9497, by which its test vectors fold a batch; `aquila.crypto.dleq` uses others."""

import hashlib

from aquila.crypto.group import ELEMENT_BYTES
from aquila.crypto.hashing import expander, prefixed, reduce_public
from aquila.crypto.oprf import MODE_VOPRF, context_string


def rfc_weights(public_key: bytes, inputs: bytes, outputs: bytes) -> bytes:
    """Return the n weights of section 2.2.1 (ComputeComposites), n * 32 bytes, for at most 65,535 pairs of elements."""
    expand = expander(b"HashToScalar-" + context_string(MODE_VOPRF))
    seed = prefixed(hashlib.sha512(prefixed(public_key, b"Seed-" + context_string(MODE_VOPRF))).digest())
    length = ELEMENT_BYTES.to_bytes(2, "big")
    weights = []
    for index, start in enumerate(range(0, len(inputs), ELEMENT_BYTES)):
        pair = length + inputs[start : start + ELEMENT_BYTES] + length + outputs[start : start + ELEMENT_BYTES]
        weights.append(reduce_public(expand(seed + index.to_bytes(2, "big") + pair + b"Composite")))
    return b"".join(weights)
