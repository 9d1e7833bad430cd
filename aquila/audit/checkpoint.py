"""Checkpoints (C2SP tlog-checkpoint): what a log claims to be, signed by it and cosigned by witnesses.

A checkpoint's text is three lines: the log's origin, its size, and its head in base64. A log signs the text with
Ed25519; a witness signs it together with the time at which it saw it (C2SP tlog-cosignature, cosignature/v1), after it
checked that the log only grew since the last one that it cosigned.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from functools import lru_cache

from aquila.audit.merkle import EMPTY_ROOT, HASH_BYTES
from aquila.audit.note import Note, Signature, key_id, parse_note
from aquila.crypto.keys import SigningKey, VerifyKey
from aquila.errors import AuditError, InputError, MalformedError, SignatureError
from aquila.sentences import Sentence

ED25519, COSIGNATURE = 0x01, 0x04
_TIME_BYTES, _SIGNATURE_BYTES = 8, 64
_LINES = 3
_SIZE = re.compile(r"0|[1-9][0-9]{0,19}")
_LARGEST_SIZE = (1 << 64) - 1
_REMEMBERED = 64
"""Checkpoints that were verified last and whose results are kept: a service reads the same few in each of its steps."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log.

    Attributes:
        origin: The log's unique name, one line.
        size: How many entries it has.
        root: The head over them, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the three lines.

        Raises:
            InputError: This could not be read back.
        """
        if not self.origin or not self.origin.isprintable() or len(self.root) != HASH_BYTES:
            raise InputError("checkpoint_origin_or_head_wrong")
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def sign(self, key: SigningKey) -> Note:
        """Return the checkpoint as a note that the log signed; the name of its key is the origin, whichever key it is.

        Raises:
            KeyMaterialError: The key is closed.
        """
        text = self.text()
        identity = key_id(self.origin, ED25519, bytes.fromhex(key.public.hex))
        return Note(text, (Signature(self.origin, identity, key.sign(text.encode())),))


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's text.

    Raises:
        AuditError: It is none, or not written in the one way that there is.
    """
    lines = text.split("\n")
    if len(lines) != _LINES + 1 or lines[-1]:
        raise AuditError("checkpoint_not_three_lines", expected=_LINES, got=len(lines) - 1)
    origin, size, root = lines[:_LINES]
    try:
        octets = base64.b64decode(root, validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if (
        not origin
        or not _SIZE.fullmatch(size)
        or int(size) > _LARGEST_SIZE
        or base64.b64encode(octets).decode() != root
    ):
        raise AuditError("checkpoint_fields_unreadable")
    if len(octets) != HASH_BYTES or (size == "0" and octets != EMPTY_ROOT):
        raise AuditError("checkpoint_head_size_mismatch", size=int(size))
    return Checkpoint(origin, int(size), octets)


def open_checkpoint(content: bytes, origin: str, *keys: VerifyKey) -> tuple[Checkpoint, Note]:
    """Verify a log's own signature and return its claims; the same bytes under the same keys are verified once.

    Args:
        content: The signed checkpoint.
        origin: Which log it must be of.
        keys: The keys of the log's owner that may have signed it; the last that did counts.

    Raises:
        AuditError: The bytes are no checkpoint of this log, or its signature is missing or wrong.
    """
    checkpoint, note, _ = _opened(content, origin, keys)
    return checkpoint, note


def checkpoint_key(content: bytes, origin: str, *keys: VerifyKey) -> VerifyKey:
    """Return the last of some keys that signed a checkpoint; arguments and errors as of `open_checkpoint`."""
    return _opened(content, origin, keys)[2]


@lru_cache(maxsize=_REMEMBERED)
def _opened(content: bytes, origin: str, keys: tuple[VerifyKey, ...]) -> tuple[Checkpoint, Note, VerifyKey]:
    note = parse_note(content)
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != origin:
        raise AuditError("checkpoint_of_another_log", expected=origin, got=checkpoint.origin)
    for key in reversed(keys):
        signature = note.by_key(origin, key_id(origin, ED25519, bytes.fromhex(key.hex)))
        if signature is not None:
            _verify(key, signature.signature, note.text.encode(), Sentence.of("log_signature_wrong", origin=origin))
            return checkpoint, note, key
    raise AuditError("checkpoint_not_signed_by_log", origin=origin)


def cosign(note: Note, witness: str, key: SigningKey, now: int) -> Note:
    """Return the note with a witness's cosignature; the witness has checked consistency before.

    Args:
        note: A checkpoint that the log signed.
        witness: The witness's name.
        key: Its key.
        now: Seconds since 1970.

    Raises:
        KeyMaterialError: The key is closed.
    """
    identity = key_id(witness, COSIGNATURE, bytes.fromhex(key.public.hex))
    signature = now.to_bytes(_TIME_BYTES, "big") + key.sign(_cosigned(note.text, now))
    return note.with_signature(Signature(witness, identity, signature))


def cosigned_at(note: Note, witness: str, *keys: VerifyKey) -> int | None:
    """Return when a witness cosigned, in seconds since 1970, or None where it did not.

    Args:
        note: The checkpoint.
        witness: The witness's name.
        keys: Its keys that may have cosigned; the last that did counts.

    Raises:
        AuditError: There is a cosignature of one of these keys, and it is wrong.
    """
    found = cosigned_by(note, witness, *keys)
    return None if found is None else found[1]


def cosigned_by(note: Note, witness: str, *keys: VerifyKey) -> tuple[VerifyKey, int] | None:
    """Return the last of a witness's keys that cosigned, and when; arguments and errors as of `cosigned_at`."""
    return _cosigned_by(note, witness, keys)


@lru_cache(maxsize=_REMEMBERED)
def _cosigned_by(note: Note, witness: str, keys: tuple[VerifyKey, ...]) -> tuple[VerifyKey, int] | None:
    for key in reversed(keys):
        found = cosignature_of(note, witness, key)
        if found is None:
            continue
        if len(found.signature) != _TIME_BYTES + _SIGNATURE_BYTES:
            raise AuditError("cosignature_not_72_bytes", witness=witness, got=len(found.signature))
        now = int.from_bytes(found.signature[:_TIME_BYTES], "big")
        wrong = Sentence.of("cosignature_wrong", witness=witness)
        _verify(key, found.signature[_TIME_BYTES:], _cosigned(note.text, now), wrong)
        return key, now
    return None


def cosignature_of(note: Note, witness: str, key: VerifyKey) -> Signature | None:
    """Return the line by which a witness's key cosigned, unverified, or None where it did not."""
    return note.by_key(witness, key_id(witness, COSIGNATURE, bytes.fromhex(key.hex)))


def _cosigned(text: str, now: int) -> bytes:
    """Return the bytes that a witness signs (C2SP tlog-cosignature)."""
    return f"cosignature/v1\ntime {now}\n{text}".encode()


def _verify(key: VerifyKey, signature: bytes, signed: bytes, wrong: Sentence) -> None:
    try:
        key.verify(signature, signed)
    except (SignatureError, MalformedError):
        raise AuditError(wrong) from None
