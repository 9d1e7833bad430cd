"""Keys that do not show themselves."""

import copy
import hashlib
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey, Suite
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from aquila.crypto.group import Group
from aquila.crypto.keys import _SMALL_ORDER, IdentityKey, SealingKey, SecretBytes, VerifyKey
from aquila.crypto.sealing import RoundKey
from aquila.crypto.shares import Share, new_share
from aquila.errors import KeyMaterialError, MalformedError, SignatureError

SECRET = bytes(range(100, 132))


@pytest.fixture(params=[SecretBytes, IdentityKey, SealingKey, Share, RoundKey], ids=lambda kind: kind.__name__)
def key(request: pytest.FixtureRequest) -> SecretBytes:
    extra: dict[Any, tuple[Any, ...]] = {Share: (bytes(32),), RoundKey: ("round",)}
    made: SecretBytes = request.param(SECRET, *extra.get(request.param, ()))
    return made


def test_shows_nothing(key: SecretBytes) -> None:
    """No way to print an object shows its secret, as text, numbers or hexadecimal."""
    for shown in (repr(key), str(key), f"{key}", "%s" % key, repr([key]), repr({"key": key})):  # noqa: UP031 - on purpose
        assert shown.count(type(key).__name__) == 1
        assert not any(form in shown for form in (SECRET.hex(), SECRET.hex()[:8], "100, 101", repr(SECRET), "defg"))


def test_has_no_attributes_to_look_at(key: SecretBytes) -> None:
    """There is no dictionary of attributes that a debugger or logger would print."""
    with pytest.raises(TypeError):
        vars(key)


@pytest.mark.parametrize("copying", [pickle.dumps, copy.copy, copy.deepcopy])
def test_is_neither_pickled_nor_copied(key: SecretBytes, copying: Callable[[object], object]) -> None:
    with pytest.raises(KeyMaterialError):
        copying(key)


def test_is_no_key_of_a_dictionary(key: SecretBytes) -> None:
    with pytest.raises(TypeError):
        hash(key)


def test_closing_overwrites(key: SecretBytes) -> None:
    memory = key._octets
    assert memory == SECRET
    key.close()
    key.close()
    assert memory == bytes(32)
    assert key.closed
    assert repr(key) == f"<{type(key).__name__} closed>"


def test_closed_key_is_refused(key: SecretBytes) -> None:
    with key:
        assert key.to_bytes() == SECRET
    with pytest.raises(KeyMaterialError), key.reveal():
        pass
    with pytest.raises(KeyMaterialError):
        key.to_bytes()
    with pytest.raises(KeyMaterialError):
        assert key == SecretBytes(SECRET)


def test_revealed_copy_is_overwritten(key: SecretBytes) -> None:
    """What is revealed is a copy that survives closing meanwhile, and is zero after the block."""
    with key.reveal() as revealed:
        key.close()
        assert revealed == SECRET
    assert revealed == bytes(32)


def test_equality() -> None:
    assert SecretBytes(SECRET) == SecretBytes(bytearray(SECRET))
    assert SecretBytes(SECRET) != SecretBytes(SECRET[::-1])
    assert SecretBytes(SECRET) != SECRET


@pytest.mark.parametrize("kind", [IdentityKey, SealingKey])
def test_key_of_wrong_length(kind: type[IdentityKey | SealingKey]) -> None:
    for length in (0, 31, 33):
        with pytest.raises(KeyMaterialError):
            kind(bytes(length))


@pytest.mark.parametrize("kind", [IdentityKey, SealingKey])
def test_generation_takes_the_given_randomness(kind: type[IdentityKey | SealingKey]) -> None:
    """A key is made of 32 bytes of the generator that was passed in, and of nothing else."""
    assert kind.generate(lambda count: SECRET[:count]).to_bytes() == SECRET


# RFC 8032 section 7.1, TEST 3
RFC_SECRET = "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"
RFC_PUBLIC = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"
RFC_SIGNATURE = (
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)


def test_signature_of_rfc_8032() -> None:
    key = IdentityKey(bytes.fromhex(RFC_SECRET))
    assert key.public.hex == RFC_PUBLIC
    assert key.sign(b"\xaf\x82").hex() == RFC_SIGNATURE
    key.public.verify(bytes.fromhex(RFC_SIGNATURE), b"\xaf\x82")


@pytest.mark.parametrize(("signature", "message"), [(RFC_SIGNATURE, b"\xaf\x83"), (RFC_SIGNATURE[2:], b"\xaf\x82")])
def test_signature_that_does_not_verify(signature: str, message: bytes) -> None:
    key = VerifyKey.from_hex(RFC_PUBLIC)
    with pytest.raises(SignatureError) as caught:
        key.verify(bytes.fromhex(signature), message)
    assert caught.value.fields == {"key": key.fingerprint}


def test_fingerprints() -> None:
    """The fingerprint is SHA-256 of the raw key; its short form is its start in groups of four."""
    key = VerifyKey.from_hex(RFC_PUBLIC)
    assert key.fingerprint == hashlib.sha256(bytes.fromhex(RFC_PUBLIC)).hexdigest()
    assert key.short_fingerprint.replace(" ", "") == key.fingerprint[:20]
    assert [len(part) for part in key.short_fingerprint.split(" ")] == [4] * 5
    assert repr(key) == f"<VerifyKey {key.short_fingerprint}>"


def test_public_keys_compare_by_value() -> None:
    key = VerifyKey.from_hex(RFC_PUBLIC)
    assert {key, VerifyKey(bytes.fromhex(RFC_PUBLIC))} == {key}
    assert key != VerifyKey(b"\x09" * 32)
    assert key != RFC_PUBLIC


@pytest.mark.parametrize(
    "text", ["", "ab", RFC_PUBLIC.upper(), RFC_PUBLIC[:-1] + "g", f"{RFC_PUBLIC[:2]} {RFC_PUBLIC[2:]}", RFC_PUBLIC * 2]
)
def test_public_key_that_is_no_hexadecimal(text: str) -> None:
    with pytest.raises(MalformedError):
        VerifyKey.from_hex(text)


@pytest.mark.parametrize("sign", [0, 0x80])
@pytest.mark.parametrize("octets", sorted(_SMALL_ORDER), ids=lambda octets: octets.hex()[:8])
def test_public_key_of_small_order(octets: bytes, sign: int) -> None:
    """A key under which a signature fits many messages is refused, in all its encodings."""
    with pytest.raises(MalformedError):
        VerifyKey(octets[:-1] + bytes([octets[-1] | sign]))


def test_why_small_order_is_refused() -> None:
    """Under the identity as key, one signature fits every message; cryptography alone would accept it."""
    identity = b"\x01" + bytes(31)
    Ed25519PublicKey.from_public_bytes(identity).verify(identity + bytes(32), b"never signed by anyone")


def test_pem_round_trip() -> None:
    key = IdentityKey(SECRET)
    pem = key.to_pem()
    assert pem.startswith(b"-----BEGIN PRIVATE KEY-----")
    assert IdentityKey.from_pem(pem) == key
    assert IdentityKey.from_pem(pem).public == key.public


def test_pem_that_is_no_identity_key() -> None:
    other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    protected = (
        IdentityKey(SECRET)
        .ed25519()
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password"))
    )
    for pem in (b"", b"secret text", other, protected):
        with pytest.raises(KeyMaterialError) as caught:
            IdentityKey.from_pem(pem)
        assert "secret text" not in str(caught.value)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_closed_identity_key_does_not_sign() -> None:
    key = IdentityKey(SECRET)
    key.close()
    for use in (lambda: key.sign(b"message"), key.to_pem):
        with pytest.raises(KeyMaterialError):
            use()
    assert key.public.fingerprint


def test_sealing_key_opens_what_was_sealed_to_it() -> None:
    """The key works in HPKE's suite with X-Wing, made anew from its bytes too, and not when closed."""
    key = SealingKey(SECRET)
    lattice = MLKEM768PublicKey.from_public_bytes(key.public[:1184])
    public = MLKEM768X25519PublicKey(lattice, X25519PublicKey.from_public_bytes(key.public[1184:]))
    suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    sealed = suite.encrypt(b"note", public, info=b"context")
    assert suite.decrypt(sealed, SealingKey(key.to_bytes()).xwing(), info=b"context") == b"note"
    key.close()
    with pytest.raises(KeyMaterialError):
        key.xwing()


def test_share_is_a_secret_with_a_public_key(group: Group, random: Callable[[int], bytes]) -> None:
    share = new_share(group, random)
    with share.reveal() as scalar:
        assert group.multiply_base(scalar) == share.public_key
    assert share.public_key.hex()[:8] not in repr(share)
