"""Bytes derived from a seed by label and number."""

import hmac

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

from aquila.crypto.hashing import derive
from aquila.crypto.keys import SecretBytes
from aquila.errors import InputError, KeyMaterialError

SEED = bytes(range(32))


def test_bytes_are_blocks_of_numbered_counters() -> None:
    """Block j of number i is AES-256 of both as 8 bytes little endian, under the label's HMAC key."""
    cipher = Cipher(AES256(hmac.digest(SEED, b"label", "sha256")), ECB()).encryptor()  # noqa: S305 - the test's own way
    blocks = [
        number.to_bytes(8, "little") + block.to_bytes(8, "little") for number in (7, 2**64 - 1) for block in (0, 1)
    ]
    expected = cipher.update(b"".join(blocks))
    assert derive(SecretBytes(SEED), b"label", [7, 2**64 - 1], 32) == expected


def test_known_answer() -> None:
    """Number 0 of a fixed seed and label stays what it was: a submission that was interrupted is made again."""
    known = "f88ed4bedfad156978773718f947496b"
    assert derive(SecretBytes(SEED), b"label", [0], 16).hex() == known


def test_any_order_gives_the_same() -> None:
    """A number's bytes do not depend on the numbers around it, and wider ones begin with narrower ones."""
    seed, numbers = SecretBytes(SEED), np.array([5, 3, 3, 2**40], dtype=np.uint64)
    together = derive(seed, b"label", numbers, 64)
    assert together == b"".join(derive(seed, b"label", [int(number)], 64) for number in numbers)
    assert derive(seed, b"label", [5], 16) == together[:16]


def test_labels_and_seeds_are_separated() -> None:
    streams = {derive(SecretBytes(key), label, [1], 16) for key in (SEED, bytes(32)) for label in (b"a", b"b", b"")}
    assert len(streams) == 6


def test_no_numbers() -> None:
    assert derive(SecretBytes(SEED), b"label", [], 16) == b""


@pytest.mark.parametrize("width", [-16, 0, 8, 20])
def test_width_that_is_no_block(width: int) -> None:
    with pytest.raises(InputError, match="whole blocks"):
        derive(SecretBytes(SEED), b"label", [1], width)


def test_closed_seed() -> None:
    seed = SecretBytes(SEED)
    seed.close()
    with pytest.raises(KeyMaterialError):
        derive(seed, b"label", [1], 16)
