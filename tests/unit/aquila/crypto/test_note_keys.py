"""The C module that derives keys of notes and seals these: the same as Python at every length, and what it refuses."""

import sys
from random import Random
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from aquila.crypto.sealing import (
    MARK_BYTES,
    NOTE_KEYS_BYTES,
    MarkedKeys,
    NoteTerms,
    derive_marked,
    note_core,
    open_notes,
    seal_notes,
)
from aquila.octets import parted

RANDOM = Random(9).randbytes


@pytest.fixture(scope="module")
def core() -> ModuleType:
    found = note_core()
    if found is None:
        pytest.skip("the C module was not built, or the processor has no instructions for AES")
    return found


def test_module_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the C module, or without instructions for AES, there is none, and Python does its work."""
    assert note_core("aquila_absent_core") is None
    monkeypatch.setitem(sys.modules, "aquila_slow_core", SimpleNamespace(is_usable=lambda: False))
    assert note_core("aquila_slow_core") is None


def test_keys_and_marks_are_those_of_another_implementation(core: ModuleType) -> None:
    for length in range(0, 300, 7):
        secrets, context, tokens = RANDOM(length), RANDOM(length + 3), RANDOM(16 * (length % 5))
        (one,) = core.derive(b"salt", [secrets], [tokens], ([context],))
        keys = HKDF(SHA512(), 64, b"salt", context).derive(secrets)
        enciphered = Cipher(AES256(keys[32:]), ECB()).encryptor().update(tokens)
        marks = b"".join(enciphered[place : place + MARK_BYTES] for place in range(0, len(tokens), 16))
        assert one == (keys, marks)


@pytest.mark.parametrize("salt", [b"", RANDOM(32), RANDOM(128)])
def test_c_and_python_agree(core: ModuleType, salt: bytes) -> None:
    numbers = range(200)
    secrets, tokens = (
        [RANDOM(32 * (number % 4)) for number in numbers],
        [RANDOM(16 * (number % 40)) for number in numbers],
    )
    contexts = [RANDOM(number) for number in numbers], [RANDOM(number // 2) for number in numbers]
    for sides in range(3):
        terms = NoteTerms(secrets, tokens, contexts[:sides])
        assert derive_marked(salt, terms, core) == derive_marked(salt, terms)
    none = NoteTerms([], [], ([], []))
    assert derive_marked(salt, none, core) == derive_marked(salt, none) == [(b"", b""), (b"", b"")]


def test_terms_do_not_show_themselves() -> None:
    for one in (NoteTerms([b"secret"], [], ()), MarkedKeys(b"secret", b"")):
        assert "secret" not in repr(one).removeprefix("<aquila.crypto.sealing")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (b"salt",),
        ("salt", [], [], ()),
        (bytes(129), [], [], ()),
        (b"salt", (), [], ()),
        (b"salt", [], (), ()),
        (b"salt", [], [], []),
        (b"salt", [b""], [], ()),
        (b"salt", [], [b""], ()),
        (b"salt", [b""], [b""], ([],)),
        (b"salt", [b""], [b""], ((b"",),)),
        (b"salt", [b""], [b""], ([b""], [b"", b""])),
        (b"salt", [b""], [b""], ([b""], [b""], [b""])),
        (b"salt", ["text"], [b""], ([b""],)),
        (b"salt", [b""], ["text"], ([b""],)),
        (b"salt", [b""], [b""], (["text"],)),
        (b"salt", [b"", b""], [b"", b""], ([b"", None],)),
        (b"salt", [b""], [bytes(15)], ([b""],)),
    ],
)
def test_what_is_no_note_is_refused(core: ModuleType, arguments: tuple[Any, ...]) -> None:
    """Whatever stands where another type or length is due raises, and ends no process."""
    with pytest.raises((TypeError, ValueError)):
        core.derive(*arguments)


VECTORS = (
    ("", "07f5f4169bbf55a8400cd47ea6fd400f"),
    ("0100000000000000", "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28"),
    ("010000000000000000000000", "9aab2aeb3faa0a34aea8e2b18ca50da9ae6559e48fd10f6e5c9ca17e"),
    ("01000000000000000000000000000000", "85a01b63025ba19b7fd3ddfc033b3e76c9eac6fa700942702e90862383c6c366"),
    (
        "0100000000000000000000000000000002000000000000000000000000000000",
        "4a6a9db4c8c6549201b9edb53006cba821ec9cf850948a7c86c68ac7539d027fe819e63abcd020b006a976397632eb5d",
    ),
)
"""Plaintexts and results of RFC 8452 appendix C.2 without associated data; the key is 01 00..., the nonce 03 00..."""


@pytest.mark.parametrize(("plaintext", "result"), VECTORS)
def test_official_vectors(core: ModuleType, plaintext: str, result: str) -> None:
    key, nonce = b"\x01" + bytes(31), b"\x03" + bytes(11)
    keys = key + bytes(32)
    assert core.seal(keys, nonce, [bytes.fromhex(plaintext)]) == [nonce + bytes.fromhex(result)]
    assert core.open(keys, [nonce + bytes.fromhex(result)]) == [bytes.fromhex(plaintext)]


def test_notes_of_every_length(core: ModuleType) -> None:
    """Around blocks, and around as many as are enciphered at once, another implementation gives the same."""
    lengths = [*range(270), 640, 800, 1920]
    keys = RANDOM(NOTE_KEYS_BYTES * len(lengths))
    nonces, plaintexts = RANDOM(12 * len(lengths)), [RANDOM(length) for length in lengths]
    sealed = seal_notes(keys, nonces, plaintexts, core)
    assert sealed == seal_notes(keys, nonces, plaintexts)
    for number, (one, content) in enumerate(zip(parted(keys, NOTE_KEYS_BYTES), plaintexts, strict=True)):
        nonce = nonces[12 * number : 12 * (number + 1)]
        assert sealed[number] == nonce + AESGCMSIV(one[:32]).encrypt(nonce, content, None)
    assert open_notes(keys, sealed, core) == open_notes(keys, sealed) == plaintexts
    assert seal_notes(b"", b"", [], core) == open_notes(b"", [], core) == []


@pytest.mark.parametrize("has_core", [True, False])
def test_a_note_that_was_changed(core: ModuleType, *, has_core: bool) -> None:
    used = core if has_core else None
    keys = RANDOM(NOTE_KEYS_BYTES)
    (sealed,) = seal_notes(keys, RANDOM(12), [RANDOM(40)], used)
    changed = [sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :] for place in range(len(sealed))]
    wrong = [*changed, sealed[:-1], sealed + b"\x00", b"", bytes(11), bytes(27), bytes(28)]
    opened = open_notes(keys * (len(wrong) + 1), [*wrong, sealed], used)
    assert set(opened[:-1]) == {None}
    assert opened[-1] is not None
    assert open_notes(bytes(NOTE_KEYS_BYTES), [sealed], used) == [None]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("seal", ()),
        ("seal", ("", b"", [])),
        ("seal", (b"", "text", [])),
        ("seal", (bytes(64), bytes(12), [])),
        ("seal", (bytes(64), bytes(11), [b""])),
        ("seal", (bytes(32), bytes(12), [b""])),
        ("seal", (bytes(127), bytes(24), [b"", b""])),
        ("seal", (bytes(64), bytes(12), (b"",))),
        ("seal", (bytes(64), bytes(12), [None])),
        ("open", ()),
        ("open", (b"", ())),
        ("open", (bytes(64), [])),
        ("open", (bytes(65), [bytes(60)])),
        ("open", (bytes(64), ["text"])),
    ],
)
def test_lists_that_do_not_fit_are_refused(core: ModuleType, name: str, arguments: tuple[Any, ...]) -> None:
    """Whatever stands where another type or length is due raises, and ends no process."""
    with pytest.raises((TypeError, ValueError)):
        getattr(core, name)(*arguments)
