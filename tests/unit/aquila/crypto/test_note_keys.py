"""The keys of notes, their marks, and what seals and opens notes."""

from random import Random

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
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
    open_notes,
    seal_notes,
)

RANDOM = Random(9).randbytes


@pytest.mark.parametrize("salt", [b"", RANDOM(32), RANDOM(128)])
def test_keys_and_marks_are_those_of_another_implementation(salt: bytes) -> None:
    for length in range(0, 300, 7):
        secrets, tokens = RANDOM(length), RANDOM(16 * (length % 5))
        contexts = RANDOM(length + 3), RANDOM(length // 2)
        made = derive_marked(salt, NoteTerms([secrets], [tokens], tuple([context] for context in contexts)))
        for one, context in zip(made, contexts, strict=True):
            keys = HKDF(SHA512(), 64, salt, context).derive(secrets)
            enciphered = Cipher(AES256(keys[32:]), ECB()).encryptor().update(tokens)
            marks = b"".join(enciphered[place : place + MARK_BYTES] for place in range(0, len(tokens), 16))
            assert one == (keys, marks)


def test_no_notes_have_no_keys() -> None:
    assert derive_marked(b"", NoteTerms([], [], ([], []))) == [(b"", b""), (b"", b"")]
    assert seal_notes(b"", b"", []) == open_notes(b"", []) == []


def test_terms_do_not_show_themselves() -> None:
    for one in (NoteTerms([b"secret"], [], ()), MarkedKeys(b"secret", b"")):
        assert "secret" not in repr(one).removeprefix("<aquila.crypto.sealing")


def test_a_note_that_was_changed() -> None:
    keys = RANDOM(NOTE_KEYS_BYTES)
    (sealed,) = seal_notes(keys, RANDOM(12), [RANDOM(40)])
    changed = [sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :] for place in range(len(sealed))]
    wrong = [*changed, sealed[:-1], sealed + b"\x00", b"", bytes(11), bytes(27), bytes(28)]
    opened = open_notes(keys * (len(wrong) + 1), [*wrong, sealed])
    assert set(opened[:-1]) == {None}
    assert opened[-1] is not None
    assert open_notes(bytes(NOTE_KEYS_BYTES), [sealed]) == [None]
