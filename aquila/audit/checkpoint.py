"""Signed notes, checkpoints and witnesses: what a log claims to be, and who saw it (C2SP; PROTOCOL.md 10.3).

A signed note (C2SP signed-note) is a text, an empty line, and a line for each signature. A verifier checks the lines of
the keys that it knows and leaves the others alone. Type 0x01 is Ed25519 over the text, 0x04 a witness's timestamped
one.

A checkpoint (tlog-checkpoint) is a note of three lines: the log's origin, its size, and its head in base64. A witness
signs it with the time at which it saw it (tlog-cosignature, cosignature/v1), after it checked that the log only grew
since the last one that it cosigned.

An *update* is what a log shows a witness: the size that the witness saw last, a proof that the log only grew since, and
a newer checkpoint. Its form is the request body of C2SP tlog-witness, in both directions:

    old 20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
    ...

    <the checkpoint as a signed note>
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from aquila.audit.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency
from aquila.crypto.keys import SigningKey, VerifyKey
from aquila.errors import AuditError, InputError, LogRewrittenError, MalformedError, SignatureError
from aquila.sentences import Sentence

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

    def with_signature(self, signature: Signature) -> "Note":
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
    """Read a note without checking any signature; raises AuditError if the bytes are no note."""
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
    """Read a signature's line."""
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


ED25519, COSIGNATURE = 0x01, 0x04
_TIME_BYTES, _SIGNATURE_BYTES = 8, 64
_LINES = 3
_SIZE = re.compile(r"0|[1-9][0-9]{0,19}")
_LARGEST_SIZE = (1 << 64) - 1
_REMEMBERED = 64
"""Checkpoints that were verified last and whose results are kept: a service reads the same few in each of its steps."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log."""

    origin: str
    """The log's unique name, one line."""
    size: int
    """How many entries it has."""
    root: bytes
    """The head over them, 32 bytes."""

    def text(self) -> str:
        """Return the three lines; raises InputError if this could not be read back."""
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
    """Read a checkpoint's text; raises AuditError if it is not a checkpoint in its one valid form."""
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


CLOCK_SKEW = 600
"""Seconds that the clocks of a log's owner and of a witness may differ; calls are refused from 300 on."""

MOST_NODES = 63
"""Hashes of a consistency proof at most (C2SP tlog-witness)."""

LARGEST_UPDATE = LARGEST_NOTE + 64 * 64
_OLD = re.compile(rb"old (0|[1-9][0-9]{0,19})")
_FINGERPRINT_DIGITS = 16


def log_name(holder: str, key: VerifyKey) -> str:
    """Return the origin of a log: whose it is, and which key signed it first; a log keeps its name when keys change."""
    return f"aquila-log/{holder}/{key.fingerprint[:_FINGERPRINT_DIGITS]}"


def witness_name(holder: str, key: VerifyKey) -> str:
    """Return the name under which a party or the matcher cosigns other logs, after its first key."""
    return f"aquila-witness/{holder}/{key.fingerprint[:_FINGERPRINT_DIGITS]}"


@dataclass(frozen=True, slots=True)
class Update:
    """The update of a log for a witness."""

    old: int
    """The size that the proof starts from, 0 without a proof."""
    proof: tuple[bytes, ...]
    """The consistency proof from `old` to the checkpoint."""
    note: Note
    """The checkpoint as it was signed."""

    def to_bytes(self) -> bytes:
        """Return the update as it is sent."""
        lines = [f"old {self.old}", *(base64.b64encode(node).decode() for node in self.proof), "", ""]
        return "\n".join(lines).encode() + self.note.to_bytes()


def parse_update(content: bytes) -> Update:
    """Read an update without verifying anything; raises AuditError if the bytes are not an update."""
    if len(content) > LARGEST_UPDATE:
        raise AuditError("log_update_too_long", expected=LARGEST_UPDATE, got=len(content))
    head, separator, note = content.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    old = _OLD.fullmatch(first)
    if not separator or old is None or len(lines) > MOST_NODES:
        raise AuditError("log_update_malformed")
    return Update(int(old[1]), tuple(map(_node, lines)), parse_note(note))


def check_growth(seen: Checkpoint | None, got: Checkpoint, update: Update) -> None:
    """Check that a log only grew since it was seen last; the signature of what it shows now was verified before.

    Args:
        seen: The last checkpoint that was seen, or None at the first contact.
        got: What the log claims now.
        update: With which proof.

    Raises:
        LogRewrittenError: It did not; the field `what` says `fork` or `shrunk`.
        AuditError: The proof starts from another size than asked for.
    """
    # 1. At the first contact there is nothing to compare with.
    if seen is None or seen.size == 0:
        return
    # 2. A log never gets smaller.
    if got.size < seen.size:
        raise LogRewrittenError("log_shrank", what="shrunk", expected=seen.size, got=got.size, origin=got.origin)
    # 3. One size has one head.
    if got.size == seen.size and got.root != seen.root:
        raise LogRewrittenError(
            "log_forked_with_two_heads",
            what="fork",
            expected=seen.root.hex(),
            got=got.root.hex(),
            origin=got.origin,
            size=seen.size,
        )
    if got.size == seen.size:
        return
    # 4. The larger one begins with the smaller one.
    if update.old != seen.size:
        raise AuditError("log_growth_size_differs", expected=seen.size)
    try:
        verify_consistency(seen.size, got.size, seen.root, got.root, update.proof)
    except AuditError:
        raise LogRewrittenError(
            "log_forked_since_seen", what="fork", expected=seen.size, got=got.size, origin=got.origin
        ) from None


def check_named(shown: Checkpoint, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Check that a log begins with the head that somebody else signed to have seen of it (PROTOCOL.md 10.5).

    Args:
        shown: What the log shows here; its signature was verified before.
        size: How many entries the other one saw, at least 1.
        root: The head over them.
        proof: The consistency proof from there to what is shown.

    Raises:
        LogRewrittenError: It does not; the field `what` says `fork`, or `shrunk` where less is shown here.
    """
    # 1. What somebody saw before is here too.
    if size > shown.size:
        raise LogRewrittenError(
            "log_shown_shorter_here", what="shrunk", expected=size, got=shown.size, origin=shown.origin
        )
    # 2. It is what the log begins with here.
    try:
        verify_consistency(size, shown.size, root, shown.root, proof)
    except AuditError:
        raise LogRewrittenError(
            "log_forked_for_another_party",
            what="fork",
            expected=root.hex(),
            got=shown.size,
            origin=shown.origin,
            size=size,
        ) from None


def _node(line: bytes) -> bytes:
    """Read a line of a proof."""
    try:
        node = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        node = b""
    if len(node) != HASH_BYTES or base64.b64encode(node) != line:
        raise AuditError("proof_line_not_hash")
    return node
