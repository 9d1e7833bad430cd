"""The per-round key."""

from collections.abc import Callable

import pytest

from aquila.crypto.sealing import NONCE_BYTES, TAG_BYTES, RoundKey
from aquila.errors import KeyMaterialError

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
