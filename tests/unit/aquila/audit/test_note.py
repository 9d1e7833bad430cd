"""Tests of aquila.audit.checkpoint."""

import pytest

from aquila.audit.checkpoint import LARGEST_NOTE, Note, Signature, key_id, parse_note
from aquila.errors import AuditError, InputError

SIGNED = Note("one\n\ntwo\n", (Signature("log.example/1", b"abcd", b"signature"),))


def test_a_note_survives_being_written_and_read() -> None:
    """A text may have empty lines; the last one ends it."""
    assert parse_note(SIGNED.to_bytes()) == SIGNED


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text\n",
        b"text\n\n\xff\n",
        b"te\x07xt\n\n\xe2\x80\x94 name YWJjZHNpZw==\n",
        b"text\n\n\xe2\x80\x94 name YWJjZHNpZw==",
        b"text\n\nname YWJjZHNpZw==\n",
        b"text\n\n\xe2\x80\x94 na+me YWJjZHNpZw==\n",
        b"text\n\n\xe2\x80\x94 name YWJj\n",
        b"text\n\n\xe2\x80\x94 name Y\xc3\xa4==\n",
        b"x" * (LARGEST_NOTE + 1),
    ],
)
def test_what_is_no_note_is_refused(content: bytes) -> None:
    """No signature, no text, control characters, a cut line, a wrong dash, name or base64, too long."""
    with pytest.raises(AuditError):
        parse_note(content)


def test_a_key_signs_a_note_once() -> None:
    """A second signature of a key takes the place of its first, and is the one that is found."""
    again = SIGNED.with_signature(Signature("log.example/1", b"abcd", b"another"))
    found = again.by_key("log.example/1", b"abcd")
    assert len(again.signatures) == 1
    assert found is not None
    assert found.signature == b"another"
    assert again.by_key("someone.else", b"abcd") is None


@pytest.mark.parametrize("name", ["", "two words", "a+b"])
def test_a_name_that_a_note_cannot_hold_is_refused(name: str) -> None:
    """The name stands between spaces, and a verifier key joins it with plus signs."""
    with pytest.raises(InputError):
        key_id(name, 1, bytes(32))
