"""Sealing: what opens, for whom and in what context.

The per-round key.
"""

from collections.abc import Callable
from random import Random

import pytest
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from aquila.crypto.keys import SealingKey
from aquila.crypto.sealing import MARK_BYTES, NONCE_BYTES, TAG_BYTES, NoteKeys, RoundKey, open_sealed, seal_to
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


SECRET = b"a share of 32 bytes, or a seed.."


@pytest.fixture
def key(random: Callable[[int], bytes]) -> RoundKey:
    return RoundKey.generate("R-1", random)


def test_round_trip(key: RoundKey, random: Callable[[int], bytes]) -> None:
    """What is sealed opens under the same label, also with a key made anew from its bytes, and empty values too."""
    for plaintext in (SECRET, b""):
        sealed = key.seal("share", plaintext, random)
        assert len(sealed) == NONCE_BYTES + len(plaintext) + TAG_BYTES
        assert RoundKey(key.to_bytes(), "R-1").open("share", sealed) == plaintext


def test_sealed_bytes_differ_each_time(key: RoundKey, random: Callable[[int], bytes]) -> None:
    first, second = (key.seal("share", SECRET, random) for _ in range(2))
    assert first != second
    assert SECRET[:8] not in first + second


def test_repeated_nonce_gives_only_equality_away(key: RoundKey) -> None:
    """With a generator that repeats itself, the difference of two secrets does not show (RFC 8452)."""
    first, second = key.seal("share", SECRET, bytes), key.seal("share", SECRET[:-1] + b"!", bytes)
    assert first[NONCE_BYTES : NONCE_BYTES + 16] != second[NONCE_BYTES : NONCE_BYTES + 16]


def test_another_label_round_or_key(key: RoundKey, random: Callable[[int], bytes]) -> None:
    sealed = key.seal("share", SECRET, random)
    for other, label in (
        (key, "seed"),
        (RoundKey(key.to_bytes(), "R-2"), "share"),
        (RoundKey.generate("R-1", random), "share"),
    ):
        with pytest.raises(KeyMaterialError) as caught:
            other.open(label, sealed)
        assert caught.value.fields == {"round": other.round_id, "label": label}


def test_label_and_round_do_not_run_together(key: RoundKey, random: Callable[[int], bytes]) -> None:
    sealed = key.seal("xshare", SECRET, random)
    with pytest.raises(KeyMaterialError):
        RoundKey(key.to_bytes(), "R-1x").open("share", sealed)


def test_bytes_that_are_cut(key: RoundKey, random: Callable[[int], bytes]) -> None:
    sealed = key.seal("share", SECRET, random)
    for length in range(len(sealed)):
        with pytest.raises(KeyMaterialError):
            key.open("share", sealed[:length])


def test_destroyed_key_opens_nothing(key: RoundKey, random: Callable[[int], bytes]) -> None:
    sealed = key.seal("share", SECRET, random)
    key.close()
    with pytest.raises(KeyMaterialError):
        key.open("share", sealed)
    with pytest.raises(KeyMaterialError):
        key.seal("share", SECRET, random)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_key_of_wrong_length(length: int) -> None:
    with pytest.raises(KeyMaterialError):
        RoundKey(bytes(length), "R-1")
