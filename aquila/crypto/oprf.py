"""The oblivious pseudorandom function: RFC 9497, ristretto255-SHA512, over batches of inputs of one width.

The mode is VOPRF (0x01) in use; OPRF (0x00) differs in the domain separation tags only and serves the vectors.
Blinding and unblinding are the origin's part, evaluating is a counterpart's; proofs are in `aquila.crypto.dleq`.
"""

import numpy as np

from aquila.crypto import hashing
from aquila.crypto.group import MAC_BYTES, Elements, Group
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
    """Return n blinded elements, blind i times the element of input i (Blind, RFC 9497 section 3.3.1).

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
    return evaluate(group, hash_inputs(group, inputs, width), key)


def unblind(group: Group, evaluated: Elements, inverses: bytes) -> bytes:
    """Remove n blinds from evaluated elements, whose proof was verified before (Finalize, RFC 9497 section 3.3.1).

    The hash that follows there is that of `aquila.protocol.submissions.submission`, which has a key of the pair.

    Args:
        group: The backend.
        evaluated: n elements.
        inverses: The inverses of the n blinds (`Group.invert_each`), which serve the evaluations of several parties.

    Raises:
        InputError: the numbers of inverses and elements differ.
        MalformedError: an element or an inverse is refused (field `index`).
    """
    return group.multiply_each(evaluated, inverses)


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
