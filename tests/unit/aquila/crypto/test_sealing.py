"""Sealing: what opens, for whom and in what context."""

from random import Random

import pytest

from aquila.crypto.keys import SealingKey
from aquila.crypto.sealing import MARK_BYTES, NoteKeys, open_sealed, seal_to
from aquila.errors import KeyMaterialError, MalformedError, SealError

RANDOM = Random(7).randbytes
KEY = SealingKey.generate(RANDOM)


def test_what_was_sealed_opens() -> None:
    sealed = seal_to(KEY.public, b"context", b"words")
    assert len(sealed) == 1120 + 5 + 16
    assert open_sealed(KEY, b"context", sealed) == b"words"


def test_nothing_else_opens() -> None:
    sealed = seal_to(KEY.public, b"context", b"words")
    for key, context, octets in (
        (SealingKey.generate(RANDOM), b"context", sealed),
        (KEY, b"other", sealed),
        (KEY, b"context", sealed[:-1]),
        (KEY, b"context", b""),
        (KEY, b"context", bytes([sealed[0] ^ 1]) + sealed[1:]),
        (KEY, b"context", sealed[:-1] + bytes([sealed[-1] ^ 1])),
    ):
        with pytest.raises(SealError, match="does not open"):
            open_sealed(key, context, octets)


def test_a_closed_key() -> None:
    key = SealingKey.generate(RANDOM)
    sealed = seal_to(key.public, b"", b"words")
    key.close()
    with pytest.raises(KeyMaterialError):
        open_sealed(key, b"", sealed)


@pytest.mark.parametrize("public", [b"", bytes(1184), KEY.public + b"\x00", KEY.public[:1184] + bytes(32)])
def test_no_key(public: bytes) -> None:
    """Bytes of another length and a curve point of small order are no key to which anything can be sealed."""
    with pytest.raises(MalformedError, match="not an X-Wing key"):
        seal_to(public, b"", b"words")


def test_both_sides_derive_the_same_keys() -> None:
    """The keys of a note follow from secrets, salt and context, and from nothing else."""
    there, back = NoteKeys.derive(b"s" * 64, b"salt", b"there", b"back")
    assert there.open_note(there.seal_note(b"note", bytes(12))) == b"note"
    assert [there] == list(NoteKeys.derive(b"s" * 64, b"salt", b"there"))
    assert "s" * 8 not in repr(there)
    others = [
        back,
        *NoteKeys.derive(b"t" * 64, b"salt", b"there"),
        *NoteKeys.derive(b"s" * 64, b"other", b"there"),
        *NoteKeys.derive(b"s" * 64, b"salt", b"ther"),
    ]
    for other in others:
        with pytest.raises(SealError, match="note does not open"):
            other.open_note(there.seal_note(b"note", bytes(12)))
        assert other.marks(bytes(16)) != there.marks(bytes(16))


def test_derivation_is_hkdf() -> None:
    from cryptography.hazmat.primitives.hashes import SHA512  # noqa: PLC0415 - the other implementation
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415 - the other implementation

    (keys,) = NoteKeys.derive(b"s" * 96, b"salt", b"context")
    assert keys.seal + keys.mark == HKDF(SHA512(), 64, b"salt", b"context").derive(b"s" * 96)


@pytest.mark.parametrize("sealed", [b"", bytes(11), bytes(12), bytes(27), bytes(60)])
def test_no_note(sealed: bytes) -> None:
    (keys,) = NoteKeys.derive(b"s" * 32, b"salt", b"context")
    with pytest.raises(SealError):
        keys.open_note(sealed)


def test_marks_follow_tokens() -> None:
    """Equal tokens have equal marks under one key, in their order; different ones do not."""
    (keys,) = NoteKeys.derive(b"s" * 32, b"salt", b"context")
    marks = keys.marks(bytes(16) + b"t" * 16 + bytes(16))
    assert len(marks) == 3 * MARK_BYTES
    assert marks[:MARK_BYTES] == marks[-MARK_BYTES:] != marks[MARK_BYTES:-MARK_BYTES]
    assert keys.marks(b"") == b""
