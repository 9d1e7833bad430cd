"""Witnesses: services that check that a log only grew, and cosign (C2SP tlog-witness; PROTOCOL.md 10.3).

An *update* is what a log shows a witness: the size that the witness saw last, a proof that the log only grew since,
and a newer checkpoint. Its form is the request body of C2SP tlog-witness, in both directions:

    old 20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
    ...

    <the checkpoint as a signed note>
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from aquila.audit.checkpoint import Checkpoint
from aquila.audit.merkle import HASH_BYTES
from aquila.audit.note import LARGEST_NOTE, Note, parse_note
from aquila.audit.proofs import verify_consistency
from aquila.crypto.keys import VerifyKey
from aquila.errors import AuditError, LogRewrittenError

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
    """The update of a log for a witness.

    Attributes:
        old: The size that the proof starts from, 0 without a proof.
        proof: The consistency proof from `old` to the checkpoint.
        note: The checkpoint as it was signed.
    """

    old: int
    proof: tuple[bytes, ...]
    note: Note

    def to_bytes(self) -> bytes:
        """Return the update as it is sent."""
        lines = [f"old {self.old}", *(base64.b64encode(node).decode() for node in self.proof), "", ""]
        return "\n".join(lines).encode() + self.note.to_bytes()


def parse_update(content: bytes) -> Update:
    """Read an update without verifying anything.

    Raises:
        AuditError: The bytes are none.
    """
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
    """Read a line of a proof.

    Raises:
        AuditError: It is no hash in the one way to write it.
    """
    try:
        node = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        node = b""
    if len(node) != HASH_BYTES or base64.b64encode(node) != line:
        raise AuditError("proof_line_not_hash")
    return node
