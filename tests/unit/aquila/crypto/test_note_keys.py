"""The C module that derives keys of notes: the same as Python at every length, and what it refuses."""

from __future__ import annotations

import sys
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from aquila.crypto.sealing import MARK_BYTES, NoteTerms, derive_marked, note_core

if TYPE_CHECKING:
    from types import ModuleType

RANDOM = Random(9).randbytes


@pytest.fixture(scope="module")
def core() -> ModuleType:
    """The C module, where it was built and the processor can run it."""
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
    """Secrets and contexts of every length around a block of SHA-512 give what HKDF and AES give."""
    for length in range(0, 300, 7):
        secrets, context, tokens = RANDOM(length), RANDOM(length + 3), RANDOM(16 * (length % 5))
        ((one,),) = core.derive(b"salt", [(secrets, (context,), tokens)])
        keys = HKDF(SHA512(), 64, b"salt", context).derive(secrets)
        enciphered = Cipher(AES256(keys[32:]), ECB()).encryptor().update(tokens)  # noqa: S305 - single blocks
        marks = b"".join(enciphered[place : place + MARK_BYTES] for place in range(0, len(tokens), 16))
        assert one == (keys[:32], keys[32:], marks)


@pytest.mark.parametrize("salt", [b"", RANDOM(32), RANDOM(128)])
def test_c_and_python_agree(core: ModuleType, salt: bytes) -> None:
    """Notes of any number of contexts and tokens have the same keys and marks in the same order."""
    notes = [
        NoteTerms(
            RANDOM(32 * (number % 4)), tuple(RANDOM(number) for _ in range(number % 3)), RANDOM(16 * (number % 40))
        )
        for number in range(200)
    ]
    assert list(derive_marked(salt, notes, core)) == list(derive_marked(salt, notes))
    assert list(derive_marked(salt, [], core)) == list(derive_marked(salt, [])) == []


def test_terms_do_not_show_themselves() -> None:
    """They are as secret as the keys."""
    assert "secret" not in repr(NoteTerms(b"secret", (), b"")).removeprefix("<aquila.crypto.sealing")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (b"salt",),
        ("salt", []),
        (bytes(129), []),
        (b"salt", ()),
        (b"salt", [b"note"]),
        (b"salt", [(b"", ())]),
        (b"salt", [("text", (b"",), b"")]),
        (b"salt", [(b"", [b""], b"")]),
        (b"salt", [(b"", ("text",), b"")]),
        (b"salt", [(b"", (b"", None), b"")]),
        (b"salt", [(b"", (b"",), "text")]),
        (b"salt", [(b"", (b"",), bytes(15))]),
    ],
)
def test_what_is_no_note_is_refused(core: ModuleType, arguments: tuple[Any, ...]) -> None:
    """Whatever stands where another type or length is due raises, and ends no process."""
    with pytest.raises((TypeError, ValueError)):
        core.derive(*arguments)
