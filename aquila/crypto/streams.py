"""Bytes that derive from a seed, by label and number: any numbers, in any order, many in one call.

Each label has a key of its own, HMAC-SHA-256 of the seed over the label; AES-256 under that key turns the blocks
that a number owns into its bytes (counter mode, NIST SP 800-38A section 6.5, with the counter's place computed
instead of counted up to). A batch is one call of OpenSSL, so that no Python work is done per number.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB
from numpy.typing import NDArray

from aquila.crypto.keys import SecretBytes
from aquila.errors import InputError

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
