"""The oblivious pseudorandom function: RFC 9497, ristretto255-SHA512, over batches of inputs of one width.

The mode is VOPRF (0x01) in use; OPRF (0x00) differs in the domain separation tags only and serves the vectors.
Blinding and finalizing are the origin's part, evaluating is every party's; proofs are in `aquila.crypto.dleq`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from aquila.crypto import hashing
from aquila.crypto.group import ELEMENT_BYTES, require_equal
from aquila.errors import InputError

if TYPE_CHECKING:
    from aquila.crypto.group import Group
    from aquila.crypto.shares import Share

MODE_OPRF = 0
MODE_VOPRF = 1
"""RFC 9497 section 3.1."""

OUTPUT_BYTES = 64
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
    """Return n blinded elements, blind i times the element of input i (Blind, RFC 9497 section 3.3.1).

    Raises:
        InputError: the numbers of inputs and blinds differ.
        MalformedError: a blind is zero or not canonical.
    """
    return group.multiply_each(hash_inputs(group, inputs, width, mode), blinds)


def evaluate(group: Group, blinded: bytes, key: Share) -> bytes:
    """Multiply n blinded elements by the share (BlindEvaluate without the proof, RFC 9497 section 3.3.1).

    Raises:
        MalformedError: an element is refused (field `index`).
        KeyMaterialError: the share is closed.
    """
    with key.reveal() as scalar:
        return group.multiply(blinded, scalar)


def finalize(group: Group, inputs: bytes, width: int, blinds: bytes, evaluated: bytes) -> bytes:
    """Remove the blinds and hash to n outputs of 64 bytes (Finalize, RFC 9497 section 3.3.1).

    `evaluated` is the sum over all parties; their proofs were verified before. The modes do not differ here.

    Raises:
        InputError: the numbers of inputs, blinds and elements differ.
        MalformedError: an element or a blind is refused (field `index`).
    """
    if width < 1 or len(inputs) % width:
        raise InputError("Inputs must be a whole number of inputs.", width=width, got=len(inputs))
    elements = group.multiply_each(evaluated, group.invert_each(blinds))
    count = require_equal(len(inputs) // width, len(elements) // ELEMENT_BYTES)
    sha512, before, between = hashlib.sha512, width.to_bytes(2, "big"), ELEMENT_BYTES.to_bytes(2, "big")
    return b"".join(
        [
            sha512(
                before
                + inputs[index * width : (index + 1) * width]
                + between
                + elements[index * ELEMENT_BYTES : (index + 1) * ELEMENT_BYTES]
                + b"Finalize"
            ).digest()
            for index in range(count)
        ]
    )


def split_output(outputs: bytes) -> tuple[bytes, bytes]:
    """Split n outputs into n tokens of 16 bytes and n token secrets of 32 bytes.

    The token is the output's bytes 0 to 15 and goes to the matcher; the secret is bytes 32 to 63 and stays.
    Bytes 16 to 31 are used by nothing.

    Raises:
        InputError: `outputs` is not a whole number of outputs.
    """
    if len(outputs) % OUTPUT_BYTES:
        raise InputError("Outputs must be a multiple of 64 bytes.", got=len(outputs))
    starts = range(0, len(outputs), OUTPUT_BYTES)
    tokens = b"".join([outputs[start : start + TOKEN_BYTES] for start in starts])
    secrets = b"".join([outputs[start + SECRET_BYTES : start + OUTPUT_BYTES] for start in starts])
    return tokens, secrets
