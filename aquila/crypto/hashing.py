"""Hashing to bytes and scalars (RFC 9380, RFC 9497), bytes that derive from a seed, and HMAC of many messages.

`hash_to_scalar` and `reduce_public` serve challenges and weights, which are public. What is secret is hashed by
`hash_secret` and reduced by the group (`Group.reduce_each`), in constant time.

`derive` gives bytes by label and number: any numbers, in any order, many in one call. Each label has a key of its own,
HMAC-SHA-256 of the seed over the label; AES-256 under that key turns the blocks that a number owns into its bytes
(counter mode, NIST SP 800-38A section 6.5, with the counter's place computed instead of counted up to).
"""

import hashlib
import hmac
import importlib
from collections.abc import Callable, Sequence
from functools import cache
from types import ModuleType

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB
from numpy.typing import NDArray

from aquila.crypto.group import ORDER, SCALAR_BYTES, WIDE_BYTES
from aquila.crypto.keys import SecretBytes
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


BLOCK_BYTES = 16
"""AES's block (FIPS 197)."""


def derive(seed: SecretBytes, label: bytes, numbers: NDArray[np.uint64] | Sequence[int], width: int) -> bytes:
    """Return `width` bytes of the label's stream for each of n numbers, one behind the other.

    Block j of number i is AES-256 of i as 8 bytes and j as 8 bytes, both little endian. Blocks of one key never repeat,
    so that values of one block differ for different numbers; wider ones are indistinguishable from random as long as
    far fewer than 2^64 blocks are drawn.

    Args:
        seed: The seed.
        label: What the bytes are for; no two purposes share one.
        numbers: Whole numbers below 2^64.
        width: Bytes for each, a multiple of 16.

    Raises:
        InputError: `width` is no positive multiple of 16.
        KeyMaterialError: the seed is closed.
    """
    if width < BLOCK_BYTES or width % BLOCK_BYTES:
        raise InputError("stream_not_whole_blocks", got=width)
    counters = np.empty((len(numbers), width // BLOCK_BYTES, 2), dtype="<u8")
    counters[:, :, 0] = np.asarray(numbers, dtype=np.uint64)[:, np.newaxis]
    counters[:, :, 1] = np.arange(width // BLOCK_BYTES, dtype=np.uint64)
    with seed.reveal() as octets:
        key = bytearray(hmac.digest(octets, label, "sha256"))
    try:
        # ECB of distinct counter blocks is the key stream of counter mode; nothing is enciphered with it.
        return Cipher(AES256(key), ECB()).encryptor().update(counters.tobytes())  # noqa: S305 - see the line above
    finally:
        key[:] = bytes(len(key))


_CORE_MODULE = "aquila.crypto.digests._digests"


@cache
def digests_core(name: str = _CORE_MODULE) -> ModuleType | None:
    """Import the C module, or return None where it was not built, or from sources without all its functions."""
    try:
        found = importlib.import_module(name)
    except ImportError:
        return None
    return found if hasattr(found, "hmac_each") else None


def hmac_each(
    key: SecretBytes,
    prefix: bytes,
    lead: bytes,
    parts: NDArray[np.uint8],
    places: NDArray[np.int64],
    taken: int,
    core: ModuleType | None = None,
) -> bytes:
    """Return the first bytes of HMAC-SHA-256 (RFC 2104) of each of n messages, one behind the other.

    Args:
        key: At most 64 bytes.
        prefix: The beginning of every message.
        lead: What stands before each of its parts.
        parts: The parts that messages have, m x width.
        places: Of each message the places of its parts among these, n x k.
        taken: How many bytes are returned of each, at most 32.
        core: The C module (`digests_core`), which takes a tenth of the time; without it Python does the same.
    """
    with key.reveal() as octets:
        if core is not None:
            columns = np.ascontiguousarray(parts), np.ascontiguousarray(places, dtype=np.int64)
            made: bytes = core.hmac_each(octets, prefix, lead, *columns, parts.shape[1], places.shape[1], taken)
            return made
        led = [lead + part.tobytes() for part in parts]
        messages = (prefix + b"".join([led[place] for place in row]) for row in places.tolist())
        return b"".join([hmac.digest(octets, message, "sha256")[:taken] for message in messages])
