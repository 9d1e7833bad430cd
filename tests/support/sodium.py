"""The group by libsodium and Python's integers, one element at a time: what the C modules are compared with.

`rbcl` brings libsodium. When it is imported it writes the library to a temporary file, which is taken away here. What
libsodium accepts beyond RFC 9496 (bit 255, the identity) is refused by the checks that all groups share.
"""

import hmac
from collections.abc import Iterator
from pathlib import Path

import rbcl
from rbcl._sodium import lib_path

from aquila.crypto.group import (
    ORDER,
    SCALAR_BYTES,
    WIDE_BYTES,
    DecodedElements,
    Elements,
    encoded,
    refused_element,
    require_elements,
    require_equal,
    require_messages,
    require_scalars,
)
from aquila.crypto.hashing import expander
from aquila.errors import InputError
from aquila.octets import parted

Path(lib_path).unlink(missing_ok=True)


def scalar(number: int) -> bytes:
    return number.to_bytes(SCALAR_BYTES, "little")


def numbers_of(octets: bytes | bytearray, width: int = SCALAR_BYTES) -> Iterator[int]:
    return (int.from_bytes(one, "little") for one in parted(bytes(octets), width))


def from_hash(uniform: bytes) -> bytes:
    """The one-way map of RFC 9496 section 4.3.4."""
    return bytes(rbcl.crypto_core_ristretto255_from_hash(uniform))


class SodiumGroup:
    name = "libsodium"
    reason = "libsodium"

    def hash_to_group(self, messages: bytes, width: int, dst: bytes) -> bytes:
        require_messages(messages, width)
        expand = expander(dst)
        return b"".join(from_hash(expand(message)) for message in parted(messages, width))

    def blind(self, messages: bytes, width: int, dst: bytes, scalars: bytes | bytearray) -> bytes:
        require_equal(require_messages(messages, width), require_scalars(scalars))
        return self.multiply_each(self.hash_to_group(messages, width, dst), scalars)

    def decode(self, elements: bytes) -> DecodedElements:
        self.validate(elements)
        return DecodedElements(elements, memoryview(b""))

    def multiply(self, elements: Elements, scalar: bytes | bytearray) -> bytes:
        require_equal(require_scalars(scalar), 1)
        return self.multiply_each(elements, bytes(scalar) * require_elements(elements))

    def multiply_each(self, elements: Elements, scalars: bytes | bytearray) -> bytes:
        require_equal(require_elements(elements), require_scalars(scalars))
        self.validate(encoded(elements))
        pairs = zip(parted(bytes(scalars), SCALAR_BYTES), parted(encoded(elements), SCALAR_BYTES), strict=True)
        return b"".join(bytes(rbcl.crypto_scalarmult_ristretto255(*pair)) for pair in pairs)

    def multiply_base(self, scalars: bytes | bytearray) -> bytes:
        require_scalars(scalars)
        each = parted(bytes(scalars), SCALAR_BYTES)
        return b"".join(bytes(rbcl.crypto_scalarmult_ristretto255_base(one)) for one in each)

    def weighted_sum(self, elements: Elements, weights: bytes) -> bytes:
        products = self.multiply_each(elements, weights)
        if not products:
            raise InputError("weighted_sum_empty")
        total, *rest = parted(products, SCALAR_BYTES)
        for product in rest:
            total = bytes(rbcl.crypto_core_ristretto255_add(total, product))
        require_elements(total)
        return total

    def mac(self, key: bytes | bytearray, messages: bytes, width: int) -> bytes:
        require_messages(messages, width)
        return b"".join(hmac.digest(key, message, "sha512") for message in parted(messages, width))

    def validate(self, elements: bytes) -> None:
        require_elements(elements)
        for index, element in enumerate(parted(elements, SCALAR_BYTES)):
            if not rbcl.crypto_core_ristretto255_is_valid_point(element):
                raise refused_element(index)

    def invert_each(self, scalars: bytes | bytearray) -> bytes:
        require_scalars(scalars)
        return b"".join(scalar(pow(number, -1, ORDER)) for number in numbers_of(scalars))

    def reduce_each(self, wide: bytes | bytearray) -> bytes:
        if len(wide) % WIDE_BYTES:
            raise InputError("integers_not_multiple_of_64", got=len(wide))
        return b"".join(scalar(number % ORDER) for number in numbers_of(wide, WIDE_BYTES))

    def respond(self, nonce: bytes | bytearray, challenge: bytes | bytearray, secret: bytes | bytearray) -> bytes:
        for one in (nonce, challenge, secret):
            require_equal(require_scalars(one), 1)
        (first,), (second,), (third,) = map(numbers_of, (nonce, challenge, secret))
        return scalar((first - second * third) % ORDER)
