"""Signatures and keys over which Ed25519 libraries differ: the answers of PROTOCOL.md 2.4."""

import json
from pathlib import Path

import pytest

from aquila.crypto.keys import VerifyKey
from aquila.errors import AquilaError, MalformedError, SignatureError

CASES = json.loads(Path(__file__).with_name("ed25519_speccheck.json").read_text("utf-8"))["cases"]
ANSWERS = (
    MalformedError,  # A of small order
    MalformedError,  # A of small order, R of mixed order
    None,  # R of small order, A of mixed order: the equation without the cofactor holds
    None,  # both of mixed order: it holds
    SignatureError,  # it holds with the cofactor alone
    SignatureError,  # with the cofactor alone, and only if 8k is not reduced before it multiplies A
    SignatureError,  # S is not smaller than L
    SignatureError,  # S is much larger than L
    SignatureError,  # R is not in its canonical encoding, of which k was made
    SignatureError,  # the same, but k was made of the bytes as they are
)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_answers_to_signatures_over_which_libraries_differ(number: int) -> None:
    """Two nodes must not differ over one statement: each case has one answer."""
    message, key, signature = (bytes.fromhex(CASES[number][name]) for name in ("message", "pub_key", "signature"))
    expected = ANSWERS[number]
    if expected is None:
        VerifyKey(key).verify(signature, message)
        return
    with pytest.raises(AquilaError) as raised:
        VerifyKey(key).verify(signature, message)
    assert raised.type is expected


@pytest.mark.parametrize("sign", [0, 0x80])
@pytest.mark.parametrize("coordinate", [3, 4, 5, 6, 9, 18])
def test_a_key_has_one_encoding(coordinate: int, sign: int) -> None:
    """A point whose coordinate is written above 2^255 - 19 is a second name of one key."""
    octets = bytearray((2**255 - 19 + coordinate).to_bytes(32, "little"))
    octets[-1] |= sign
    with pytest.raises(MalformedError, match="canonical"):
        VerifyKey(bytes(octets))
