"""The group ristretto255 (RFC 9496) as batch calls over contiguous bytes.

A batch of n elements is n * 32 bytes, a batch of n scalars n * 32 bytes, little endian; position i of the result
belongs to position i of the operands, and an empty batch gives `b""`. This module says what a backend offers and
holds the checks that need no curve arithmetic; `aquila.crypto.native.batch` has the backends in C, and
`aquila.crypto.sodium` the one of libsodium.

Two rules hold in every operation, so that no caller has to remember them. An element is refused if its encoding is
not canonical, has bit 255 set or is the identity; a scalar is refused if it is zero or not below ORDER. A product of
an accepted element and an accepted scalar is therefore never the identity, because the order is prime.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from aquila.errors import InputError, MalformedError

ELEMENT_BYTES = 32
"""Bytes of an encoded element (RFC 9496 section 4.3.2)."""

SCALAR_BYTES = 32
"""Bytes of a scalar, little endian (RFC 9496 section 4.4)."""

WIDE_BYTES = 64
"""Bytes that are reduced to one scalar, or mapped to one element, without a measurable bias."""

ORDER = 2**252 + 27742317777372353535851937790883648493
"""The prime order of the group (RFC 9496 section 4)."""

GENERATOR = bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76")
"""The encoding of the generator (RFC 9496 appendix A.1, multiple 1)."""

MAC_BYTES = 64
"""Bytes of HMAC-SHA-512."""

_ORDER_WORDS = [ORDER >> shift & 0xFFFF_FFFF_FFFF_FFFF for shift in (0, 64, 128, 192)]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DecodedElements:
    """Elements that `Group.decode` decoded, for operations of the same backend in the same process; never sent."""

    encoded: bytes
    """n elements."""
    points: bytes | memoryview
    """The same as this backend computes with them; nothing where it has no such form."""


Elements: TypeAlias = "bytes | DecodedElements"
"""n elements, encoded or decoded."""


def encoded(elements: Elements) -> bytes:
    """Return elements as they are sent."""
    return elements.encoded if isinstance(elements, DecodedElements) else elements


class Group(Protocol):
    """A backend. It is deterministic, and may be called from several threads at once.

    Secret scalars may come as a bytearray, which the caller can overwrite afterwards.
    """

    @property
    def name(self) -> str:
        """The backend in one word, for reports and benchmarks."""
        ...

    @property
    def reason(self) -> str:
        """Return in one sentence which code does the arithmetic and why it was chosen."""
        ...

    def hash_to_group(self, messages: bytes, width: int, dst: bytes) -> bytes:
        """Map messages of `width` bytes each to elements.

        RFC 9380 expand_message_xmd with SHA-512 to 64 bytes, then the one-way map of RFC 9496 section 4.3.4.

        Raises:
            InputError: `messages` is not a whole number of messages of at least one byte.
        """
        ...

    def decode(self, elements: bytes) -> DecodedElements:
        """Decode n elements for several operations, each of which would decode them by itself.

        Raises:
            MalformedError: an element is refused (field `index`). A backend that has no decoded form leaves it to the
                operations to refuse it.
        """
        ...

    def multiply(self, elements: Elements, scalar: bytes | bytearray) -> bytes:
        """Multiply n elements by one secret scalar, in constant time per element.

        Raises:
            MalformedError: an element (field `index`) or the scalar is refused.
        """
        ...

    def multiply_hashed(self, messages: bytes, width: int, dst: bytes, scalar: bytes | bytearray) -> bytes:
        """Multiply the elements of messages by one secret scalar: `hash_to_group` and `multiply` in one pass.

        Raises:
            InputError: `messages` is not a whole number of messages of at least one byte.
            MalformedError: the scalar is refused.
        """
        ...

    def blind(self, messages: bytes, width: int, dst: bytes, scalars: bytes | bytearray) -> bytes:
        """Add secret scalar i times the generator to the element of message i, in constant time per element.

        Raises:
            InputError: `messages` is not a whole number of messages of at least one byte, or the batches differ.
            MalformedError: a scalar is refused (field `index`).
        """
        ...

    def unblind(self, elements: Elements, public_key: bytes, scalars: bytes | bytearray) -> bytes:
        """Take secret scalar i times a public key away from element i, in constant time per element.

        Of `multiply(blind(messages, ...), key)` and the key's public key that is `multiply_hashed(messages, ..., key)`.

        Raises:
            MalformedError: an element, the public key or a scalar is refused (field `index`), or a result is the
                identity.
            InputError: the batches differ in length.
        """
        ...

    def multiply_base(self, scalars: bytes | bytearray) -> bytes:
        """Multiply the generator by each of n secret scalars, in constant time per scalar.

        Raises:
            MalformedError: a scalar is refused (field `index`).
        """
        ...

    def weighted_sum(self, elements: Elements, weights: bytes) -> bytes:
        """Return the one element that is the sum of weight i times element i. Weights are public.

        Raises:
            MalformedError: an element or a weight is refused (field `index`), or the sum is the identity.
            InputError: the batches differ in length, or are empty.
        """
        ...

    def mac(self, key: bytes | bytearray, messages: bytes, width: int) -> bytes:
        """Return HMAC-SHA-512 (RFC 2104) of n messages of `width` bytes, 64 bytes each, under one key of at most 128.

        Raises:
            InputError: `messages` is not a whole number of messages of at least one byte.
        """
        ...

    def validate(self, elements: bytes) -> None:
        """Check that every element is accepted, without computing with it.

        Raises:
            MalformedError: an element is refused (field `index`).
        """
        ...

    def reduce_each(self, wide: bytes | bytearray) -> bytes:
        """Reduce n secret integers of 64 bytes, little endian, modulo ORDER. A result can be zero.

        Raises:
            InputError: `wide` is not a whole number of 64-byte integers.
        """
        ...

    def respond(self, nonce: bytes | bytearray, challenge: bytes | bytearray, secret: bytes | bytearray) -> bytes:
        """Return nonce - challenge * secret modulo ORDER, the response of a Schnorr proof, in constant time.

        Raises:
            MalformedError: a scalar is refused.
        """
        ...


def refused_element(index: int) -> MalformedError:
    """Return the error for an element that no operation accepts; `index` is its position in the batch."""
    return MalformedError("element_not_ristretto255", index=index)


def require_elements(elements: Elements) -> int:
    """Return how many elements there are, after the checks that need no curve arithmetic.

    What is decoded was checked then.

    libsodium accepts encodings with bit 255 set and the identity; RFC 9496 section 4.3.1 refuses the first, and
    RFC 9497 section 2.1 (DeserializeElement) the second.

    Raises:
        MalformedError: the length is no multiple of 32, bit 255 is set, or an element is the identity.
    """
    if isinstance(elements, DecodedElements):
        return len(elements.encoded) // ELEMENT_BYTES
    count = _whole(elements, ELEMENT_BYTES, "elements")
    words = np.frombuffer(elements, dtype="<u8").reshape(count, 4)
    refused = (words[:, 3] >> np.uint64(63) != 0) | _are_zero(words)
    if refused.any():
        raise refused_element(int(refused.argmax()))
    return count


def require_scalars(scalars: bytes | bytearray) -> int:
    """Return how many scalars there are, after the check that each is canonical and not zero.

    Raises:
        MalformedError: the length is no multiple of 32, or a scalar is zero or not below ORDER.
    """
    count = _whole(scalars, SCALAR_BYTES, "scalars")
    words = np.frombuffer(scalars, dtype="<u8").reshape(count, 4)
    below = words[:, 3] < _ORDER_WORDS[3]
    if not below.all():
        # From the least significant word on: a number is below if its highest differing word is.
        below = np.zeros(count, dtype=bool)
        for position, bound in enumerate(_ORDER_WORDS):
            word = words[:, position]
            below = (word < bound) | ((word == bound) & below)
    refused = ~below | _are_zero(words)
    if refused.any():
        index = int(refused.argmax())
        raise MalformedError("scalar_out_of_range", index=index)
    return count


def _are_zero(words: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return which of n values of four words are zero; a seventh of the time of `any` over a short axis."""
    zero: NDArray[np.bool_] = (words[:, 0] | words[:, 1] | words[:, 2] | words[:, 3]) == 0
    return zero


def require_messages(messages: bytes, width: int) -> int:
    """Return how many messages of `width` bytes there are.

    Raises:
        InputError: it is not a whole number of messages of at least one byte.
    """
    if width < 1 or len(messages) % width:
        raise InputError("messages_not_whole", width=width, got=len(messages))
    return len(messages) // width


def require_equal(left: int, right: int) -> int:
    """Return the common number of positions of two batches; raises InputError if the batches differ in length."""
    if left != right:
        raise InputError("batch_lengths_differ", left=left, right=right)
    return left


def _whole(octets: bytes | bytearray, width: int, what: str) -> int:
    """Return how many values of `width` bytes there are."""
    count, rest = divmod(len(octets), width)
    if rest:
        raise MalformedError("batch_length_no_multiple", got=len(octets), what=what, width=width)
    return count
