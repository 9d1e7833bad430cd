"""The vectors of Project Wycheproof, NIST and the drafts of X-Wing and HPKE against the primitives that are in use.

A test asks its primitive for every vector, and compares the numbers of those that were answered wrongly with none.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from aquila.crypto.keys import SealingKey, VerifyKey
from aquila.crypto.sealing import NoteTerms, derive_marked, open_notes, open_sealed, seal_notes, seal_to
from aquila.errors import AquilaError, MalformedError, SealError
from tests.vectors.making.sealing import SUITE, schedule

Vector = dict[str, Any]


def vectors(name: str, part: str, count: int) -> list[Vector]:
    """Return the vectors of a part of a file, what is hexadecimal as bytes."""
    listed = json.loads(Path(__file__).with_name(name).read_text("utf-8"))[part]
    assert len(listed) == count
    return [
        {key: bytes.fromhex(one) if isinstance(one, str) and key != "result" else one for key, one in vector.items()}
        for vector in listed
    ]


def wrong(listed: list[Vector], answer: Callable[[Vector], bool]) -> list[int]:
    """Return the numbers of the vectors which are valid and not taken, or taken and invalid."""
    return [vector["id"] for vector in listed if answer(vector) != (vector["result"] != "invalid")]


def test_ed25519() -> None:
    def verifies(vector: Vector) -> bool:
        try:
            VerifyKey(vector["pk"]).verify(vector["sig"], vector["msg"])
        except AquilaError:
            return False
        return True

    assert wrong(vectors("wycheproof_ed25519.json", "ed25519", 151), verifies) == []


def test_x25519() -> None:
    """Of the ones that Wycheproof calls acceptable each secret is agreed on, but for none of zeros (RFC 7748, 6.1)."""
    lattice = SealingKey(bytes(32)).public[:-32]

    def agrees(vector: Vector) -> bool:
        private, public = X25519PrivateKey.from_private_bytes(vector["private"]), vector["public"]
        if any(vector["shared"]):
            return private.exchange(X25519PublicKey.from_public_bytes(public)) == vector["shared"]
        with pytest.raises(ValueError, match="shared key"):
            private.exchange(X25519PublicKey.from_public_bytes(public))
        with pytest.raises(MalformedError):
            seal_to(lattice + public, b"", b"")
        return True

    assert wrong(vectors("wycheproof_x25519.json", "x25519", 518), agrees) == []


def enciphers(cipher: AESGCM | AESGCMSIV, vector: Vector) -> bool:
    """Say whether a vector is opened to its message and made of it."""
    iv, aad, sealed = vector["iv"], vector["aad"], vector["ct"] + vector["tag"]
    try:
        opened = cipher.decrypt(iv, sealed, aad)
    except InvalidTag:
        return False
    return opened == vector["msg"] and cipher.encrypt(iv, opened, aad) == sealed


@pytest.mark.parametrize(("source", "count"), [("wycheproof", 66), ("nist", 100)])
def test_aes_256_gcm(source: str, count: int) -> None:
    listed = vectors("aes_256_gcm.json", source, count)
    assert wrong(listed, lambda vector: enciphers(AESGCM(vector["key"]), vector)) == []


GCM_SIV = ("wycheproof_aes_256_gcm_siv.json", "aes_256_gcm_siv", 103)


def test_aes_256_gcm_siv() -> None:
    assert wrong(vectors(*GCM_SIV), lambda vector: enciphers(AESGCMSIV(vector["key"]), vector)) == []


def test_seals_of_notes() -> None:
    """Notes are sealed and opened as the vectors without associated data are, of which notes have none."""
    listed = [vector for vector in vectors(*GCM_SIV) if not vector["aad"]]
    keys = b"".join(vector["key"] + bytes(32) for vector in listed)
    sealed = [vector["iv"] + vector["ct"] + vector["tag"] for vector in listed]
    expected = [vector["msg"] if vector["result"] == "valid" else None for vector in listed]
    assert {len(listed) - expected.count(None), expected.count(None)} > {0}
    assert open_notes(keys, sealed) == expected
    made = seal_notes(keys, b"".join(one[:12] for one in sealed), [vector["msg"] for vector in listed])
    for number, (one, content) in enumerate(zip(made, expected, strict=True)):
        assert (one == sealed[number]) == (content is not None), listed[number]["id"]


@pytest.mark.parametrize(("part", "algorithm", "count"), [("sha256", SHA256(), 86), ("sha512", SHA512(), 83)])
def test_hkdf(part: str, algorithm: SHA256 | SHA512, count: int) -> None:
    def derives(vector: Vector) -> bool:
        try:
            hkdf = HKDF(algorithm, vector["size"], salt=vector["salt"], info=vector["info"])
        except ValueError:
            return False
        return hkdf.derive(vector["ikm"])[:64] == vector["okm"]

    assert wrong(vectors("wycheproof_hkdf.json", part, count), derives) == []


def test_keys_of_notes() -> None:
    """They are the first 64 bytes of HKDF-SHA-512."""
    listed = [vector for vector in vectors("wycheproof_hkdf.json", "sha512", 83) if vector["result"] == "valid"]

    def derives(vector: Vector) -> bool:
        terms = NoteTerms([vector["ikm"]], [b""], ([vector["info"]],))
        return derive_marked(vector["salt"], terms)[0].keys.startswith(vector["okm"])

    assert wrong(listed, derives) == []


@pytest.mark.parametrize(("part", "count"), [("key_generation", 100), ("nist_key_generation", 25)])
def test_ml_kem_768_keys(part: str, count: int) -> None:
    def makes(vector: Vector) -> bool:
        public = MLKEM768PrivateKey.from_seed_bytes(vector["seed"]).public_key().public_bytes_raw()
        return hashlib.sha256(public).digest() == vector["ek_sha256"]

    assert wrong(vectors("ml_kem_768.json", part, count), makes) == []


def test_ml_kem_768_decapsulation() -> None:
    def opens(vector: Vector) -> bool:
        try:
            return MLKEM768PrivateKey.from_seed_bytes(vector["seed"]).decapsulate(vector["c"]) == vector["K"]
        except ValueError:
            return False

    assert wrong(vectors("ml_kem_768.json", "decapsulation", 67), opens) == []


def test_ml_kem_768_encapsulation_keys() -> None:
    """Nothing is sealed to a key of another length, or with a coefficient that is not reduced."""
    curve = SealingKey(bytes(32)).public[-32:]

    def takes(vector: Vector) -> bool:
        try:
            seal_to(vector["ek"] + curve, b"", b"")
        except MalformedError:
            return False
        return True

    assert wrong(vectors("ml_kem_768.json", "encapsulation_keys", 36), takes) == []


X_WING = vectors("x_wing.json", "draft", 3) + vectors("x_wing.json", "hpke", 2)


@pytest.mark.parametrize("vector", X_WING)
def test_x_wing(vector: Vector) -> None:
    """A seed's public key is the vector's, and what was sealed under the vector's secret is opened with the seed.

    Of HPKE with X-Wing there are no vectors with AES-256-GCM: its keys are made here of the vector's secret.
    """
    sealing = SealingKey(vector["seed"])
    assert sealing.public == vector["pk"]
    key, nonce = schedule(SUITE, vector["ss"], b"context")
    sealed = vector["ct"] + AESGCM(key).encrypt(nonce, b"a batch", None)
    assert open_sealed(sealing, b"context", sealed) == b"a batch"
    for place in (0, 1087, 1088, 1119):  # the first and last bytes of both halves of the encapsulation
        with pytest.raises(SealError):
            open_sealed(sealing, b"context", sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :])


def test_the_key_schedule_of_these_tests() -> None:
    """It is that of the draft's vector with the same hash, and another cipher."""
    (vector,) = (one for one in X_WING if "suite_id" in one)
    assert schedule(vector["suite_id"], vector["ss"], vector["info"]) == (vector["key"], vector["base_nonce"])
