"""Hashing to bytes and to scalars: RFC 9380 expand_message_xmd with SHA-512, and how parts are joined for it.

`hash_to_scalar` and `reduce_public` serve challenges and weights, which are public. What is secret is hashed by
`hash_secret` and reduced by the group (`Group.reduce_each`), in constant time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from aquila.crypto.group import ORDER, SCALAR_BYTES, WIDE_BYTES
from aquila.errors import InputError

_LONGEST_DST = 255
_BLOCK_BYTES = 128  # SHA-512's input block, s_in_bytes of RFC 9380


def expander(dst: bytes) -> Callable[[bytes], bytes]:
    """Return expand_message_xmd(message, dst, 64) with SHA-512 as a function of the message (RFC 9380 section 5.3.1).

    The state after the block of zeros and the suffixes are computed once, because a batch calls it a million times.

    Raises:
        InputError: `dst` is empty or longer than 255 bytes.
    """
    if not 0 < len(dst) <= _LONGEST_DST:
        raise InputError("domain_separation_tag_length_wrong", got=len(dst))
    sha512 = hashlib.sha512
    start = sha512(bytes(_BLOCK_BYTES)).copy  # Z_pad
    dst_prime = dst + bytes([len(dst)])
    first = WIDE_BYTES.to_bytes(2, "big") + b"\x00" + dst_prime  # l_i_b_str, I2OSP(0, 1), DST_prime
    second = b"\x01" + dst_prime

    def expand(message: bytes) -> bytes:
        state = start()
        state.update(message + first)
        # 64 bytes are one SHA-512 block (ell = 1), so b_1 is the whole answer.
        return sha512(state.digest() + second).digest()

    return expand


def hash_to_scalar(message: bytes, dst: bytes) -> bytes:
    """Return HashToScalar(message) of RFC 9497 section 4.1 as 32 bytes, for public messages.

    Raises:
        InputError: `dst` is empty or longer than 255 bytes.
    """
    return reduce_public(expander(dst)(message))


def reduce_public(wide: bytes) -> bytes:
    """Reduce one public integer, little endian, modulo ORDER to 32 bytes."""
    return (int.from_bytes(wide, "little") % ORDER).to_bytes(SCALAR_BYTES, "little")


def prefixed(*parts: bytes, width: int = 2) -> bytes:
    """Join parts, each behind its length as `width` bytes, big endian; 2 is I2OSP(len, 2) of RFC 9497.

    Raises:
        InputError: a part is too long for its length field.
    """
    try:
        return b"".join(len(part).to_bytes(width, "big") + part for part in parts)
    except OverflowError:
        longest = max(len(part) for part in parts)
        raise InputError("transcript_part_too_long", got=longest) from None


def hash_secret(label: bytes, *parts: bytes | bytearray) -> bytes:
    """Return SHA-512 over the label and the parts, each behind its length as 4 bytes, big endian.

    The parts go to the hash one by one: joined, a secret among them would stay in a copy that nobody overwrites.
    """
    state = hashlib.sha512()
    for part in (label, *parts):
        state.update(len(part).to_bytes(4, "big"))
        state.update(part)
    return state.digest()
