"""Hashing to bytes and scalars."""

import hashlib

import pytest

from aquila.crypto.group import ORDER
from aquila.crypto.hashing import expander, hash_secret, hash_to_scalar, prefixed, reduce_public
from aquila.errors import InputError


def expand_by_the_book(message: bytes, dst: bytes) -> bytes:
    """Write RFC 9380 section 5.3.1 down literally, for SHA-512 and 64 bytes."""
    dst_prime = dst + len(dst).to_bytes(1, "big")
    b_0 = hashlib.sha512(bytes(128) + message + (64).to_bytes(2, "big") + b"\x00" + dst_prime).digest()
    return hashlib.sha512(b_0 + b"\x01" + dst_prime).digest()


@pytest.mark.parametrize("message", [b"", b"abc", b"q" * 500], ids=len)
@pytest.mark.parametrize("dst", [b"d", b"QUUX-V01-CS02-with-expander-SHA512-256", b"l" * 255], ids=len)
def test_expander_is_the_rfcs(message: bytes, dst: bytes) -> None:
    """The precomputed state changes nothing, and the function can be called again."""
    expand = expander(dst)
    assert expand(message) == expand(message) == expand_by_the_book(message, dst)


@pytest.mark.parametrize("dst", [b"", b"l" * 256], ids=len)
def test_tag_of_impossible_length(dst: bytes) -> None:
    with pytest.raises(InputError):
        expander(dst)


def test_scalars_are_reduced() -> None:
    wide = bytes(range(64))
    assert int.from_bytes(reduce_public(wide), "little") == int.from_bytes(wide, "little") % ORDER
    assert hash_to_scalar(b"m", b"dst") == reduce_public(expand_by_the_book(b"m", b"dst"))


def test_parts_are_unambiguous() -> None:
    """A part stands behind its length, so that moving a byte between parts changes the bytes."""
    assert prefixed(b"ab", b"") == b"\x00\x02ab\x00\x00"
    assert prefixed(b"a", width=4) == b"\x00\x00\x00\x01a"
    assert prefixed(b"a", b"b") != prefixed(b"ab", b"")
    assert hash_secret(b"l", b"a", b"b") != hash_secret(b"l", b"ab", b"")
    assert hash_secret(b"l", bytearray(b"a")) == hashlib.sha512(prefixed(b"l", b"a", width=4)).digest()


def test_part_that_is_too_long() -> None:
    with pytest.raises(InputError) as caught:
        prefixed(b"", bytes(65536))
    assert caught.value.fields == {"got": 65536}
