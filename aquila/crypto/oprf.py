"""The oblivious pseudorandom function: RFC 9497, ristretto255-SHA512, over batches of inputs of one width.

The mode is VOPRF (0x01) in use; OPRF (0x00) differs in the domain separation tags only and serves the vectors.
Blinding and unblinding are the origin's part, evaluating is a counterpart's; proofs are in `aquila.crypto.dleq`.
An origin blinds by adding a multiple of the generator where the RFC multiplies: docs/adr/0084-blinding-by-adding.md.
"""

import numpy as np

from aquila.crypto import hashing
from aquila.crypto.group import ELEMENT_BYTES, MAC_BYTES, ORDER, SCALAR_BYTES, Elements, Group, encoded
from aquila.crypto.shares import Share
from aquila.errors import InputError

MODE_OPRF = 0
MODE_VOPRF = 1
"""RFC 9497 section 3.1."""

TOKEN_BYTES = 16
SECRET_BYTES = 32


def context_string(mode: int = MODE_VOPRF) -> bytes:
    """Return contextString of RFC 9497 section 3.1 for ristretto255-SHA512."""
    return b"OPRFV1-" + bytes([mode]) + b"-ristretto255-SHA512"


def hash_inputs(group: Group, inputs: bytes, width: int, mode: int = MODE_VOPRF) -> bytes:
    """Map n inputs of `width` bytes to n elements (HashToGroup, RFC 9497 section 4.1).

    Raises:
        InputError: `inputs` is not a whole number of inputs.
    """
    return group.hash_to_group(inputs, width, b"HashToGroup-" + context_string(mode))


def hash_to_scalar(message: bytes, dst_suffix: bytes | None = None) -> bytes:
    """Hash a public message to 32 bytes of scalar (HashToScalar, RFC 9497 section 4.1).

    `dst_suffix` takes the place of the context string behind `HashToScalar-`.
    """
    suffix = context_string() if dst_suffix is None else dst_suffix
    return hashing.hash_to_scalar(message, b"HashToScalar-" + suffix)


def blind(group: Group, inputs: bytes, width: int, blinds: bytes, mode: int = MODE_VOPRF) -> bytes:
    """Return n blinded elements, the element of input i plus blind i times the generator (PROTOCOL.md 3.4.5).

    Raises:
        InputError: the numbers of inputs and blinds differ.
        MalformedError: a blind is zero or not canonical.
    """
    return group.blind(inputs, width, b"HashToGroup-" + context_string(mode), blinds)


def evaluate(group: Group, blinded: Elements, key: Share) -> bytes:
    """Multiply n blinded elements by the share (BlindEvaluate without the proof, RFC 9497 section 3.3.1).

    Raises:
        MalformedError: an element is refused (field `index`).
        KeyMaterialError: the share is closed.
    """
    with key.reveal() as scalar:
        return group.multiply(blinded, scalar)


def evaluate_inputs(group: Group, inputs: bytes, width: int, key: Share) -> bytes:
    """Multiply the elements of n inputs by the share: what `unblind` gives of one's own evaluation.

    Raises:
        InputError: `inputs` is not a whole number of inputs.
        KeyMaterialError: the share is closed.
    """
    with key.reveal() as scalar:
        return group.multiply_hashed(inputs, width, b"HashToGroup-" + context_string(), scalar)


def unblind(group: Group, evaluated: Elements, public_key: bytes, blinds: bytes) -> bytes:
    """Take n blinds from evaluated elements: the share times each input's element (PROTOCOL.md 3.6).

    That is so only under the public key that the evaluations' proof was verified under before: of what another share
    evaluated the blind would not go.

    Args:
        group: The backend.
        evaluated: n elements.
        public_key: Of the evaluator's share.
        blinds: The n blinds.

    Raises:
        InputError: the numbers of blinds and elements differ.
        MalformedError: an element, the public key or a blind is refused (field `index`).
    """
    return group.unblind(evaluated, public_key, blinds)


def unblind_multiplied(group: Group, evaluated: Elements, blinds: bytes) -> bytes:
    """Take n blinds from elements that 1.0.0 blinded by multiplying (Finalize, RFC 9497 section 3.3.1).

    For the rounds that were open when a node was brought up to date; one by one, and the inverses not in constant time.

    Raises:
        MalformedError: an element or a blind is refused.
    """
    octets = encoded(evaluated)
    unblinded = []
    for start in range(0, len(octets), ELEMENT_BYTES):
        inverse = pow(int.from_bytes(blinds[start : start + SCALAR_BYTES], "little"), -1, ORDER)
        one = octets[start : start + ELEMENT_BYTES]
        unblinded.append(group.multiply(one, inverse.to_bytes(SCALAR_BYTES, "little")))
    return b"".join(unblinded)


def split_output(outputs: bytes) -> tuple[bytes, bytes]:
    """Split n outputs into n tokens of 16 bytes and n token secrets of 32 bytes.

    The token is the output's bytes 0 to 15 and goes to the matcher; the secret is bytes 32 to 63 and stays.
    Bytes 16 to 31 are used by nothing.

    Raises:
        InputError: `outputs` is not a whole number of outputs.
    """
    if len(outputs) % MAC_BYTES:
        raise InputError("outputs_not_multiple_of_64", got=len(outputs))
    rows = np.frombuffer(outputs, dtype=np.uint8).reshape(-1, MAC_BYTES)
    return rows[:, :TOKEN_BYTES].tobytes(), rows[:, MAC_BYTES - SECRET_BYTES :].tobytes()
