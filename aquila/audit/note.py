"""Signed notes (C2SP signed-note): a text, an empty line, and a line for each signature.

A verifier finds the lines of the keys that it knows and checks them; lines of unknown keys are left alone. The
signature itself depends on the key's type: 0x01 is Ed25519 over the text, 0x04 a witness's timestamped one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from aquila.errors import AuditError, InputError

LARGEST_NOTE = 1 << 16
"""Bytes that a note may have: a checkpoint with a hundred witnesses is far below."""

_KEY_ID_BYTES = 4
_NAME = re.compile(r"[^\s+]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")  # those of ASCII but for the line end


@dataclass(frozen=True, slots=True)
class Signature:
    """One line of a note: who signed, which key, and the signature's bytes."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """Return the line with its end."""
        return f"\u2014 {self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, which ends with a line end, and its signatures in order."""

    text: str
    signatures: tuple[Signature, ...]

    def to_bytes(self) -> bytes:
        """Return the note as it is stored and sent."""
        return (self.text + "\n" + "".join(signature.line() for signature in self.signatures)).encode()

    def by_key(self, name: str, key_id: bytes) -> Signature | None:
        """Return the first signature of a key, or None."""
        return next((s for s in self.signatures if (s.name, s.key_id) == (name, key_id)), None)

    def with_signature(self, signature: Signature) -> Note:
        """Return the note with one more signature; a key signs once."""
        others = tuple(s for s in self.signatures if (s.name, s.key_id) != (signature.name, signature.key_id))
        return Note(self.text, (*others, signature))


def key_id(name: str, algorithm: int, public_key: bytes) -> bytes:
    """Return the 4 bytes by which a note names a key: SHA-256 over name, line end, type and key.

    Raises:
        InputError: The name is empty, or has a space or a plus sign.
    """
    if not _NAME.fullmatch(name):
        raise InputError("note_key_name_malformed")
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + public_key).digest()[:_KEY_ID_BYTES]


def parse_note(content: bytes) -> Note:
    """Read a note without checking any signature.

    Raises:
        AuditError: The bytes are no note.
    """
    if len(content) > LARGEST_NOTE:
        raise AuditError("signed_note_too_long", expected=LARGEST_NOTE, got=len(content))
    try:
        whole = content.decode()
    except UnicodeDecodeError:
        raise AuditError("signed_note_not_utf_8") from None
    if _CONTROL.search(whole):
        raise AuditError("signed_note_control_character")
    text, separator, signatures = whole.rpartition("\n\n")
    if not separator or not signatures.endswith("\n"):
        raise AuditError("signed_note_signature_missing")
    return Note(text + "\n", tuple(_signature(line) for line in signatures[:-1].split("\n")))


def _signature(line: str) -> Signature:
    """Read a signature's line.

    Raises:
        AuditError: It is none.
    """
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    try:
        octets = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    # There is one way to write base64, so that no bit of a note can change unnoticed.
    canonical = base64.b64encode(octets).decode() == encoded
    if dash != "\u2014" or not _NAME.fullmatch(name) or len(octets) <= _KEY_ID_BYTES or not canonical:
        raise AuditError("signed_note_line_not_signature")
    return Signature(name, octets[:_KEY_ID_BYTES], octets[_KEY_ID_BYTES:])
