"""One entry with its inclusion proof, as a file to keep and to check anywhere (C2SP tlog-proof).

The entry's canonical JSON is the file's extra data, so that the file needs nothing else: its hash is the leaf, the
hashes lead from there to the head of a checkpoint, which the log and its witnesses signed. Such a file shows that the
entry is in the log; that the entry is true is for the signed statement that it is about (PROTOCOL.md 10.2).
"""

import base64
import binascii
import re
from dataclasses import dataclass

from aquila.audit.checkpoint import LARGEST_NOTE, MOST_NODES, Checkpoint, Note, open_checkpoint, parse_note
from aquila.audit.entries import LARGEST_ENTRY, Entry, read_entry
from aquila.audit.merkle import verify_inclusion
from aquila.crypto.keys import VerifyKey
from aquila.errors import AuditError

SUFFIX = ".tlog-proof"
LARGEST_PROOF = LARGEST_NOTE + 2 * LARGEST_ENTRY + 64 * 64
_FIRST = "c2sp.org/tlog-proof@v1"
_FORM = re.compile(rf"{re.escape(_FIRST)}\nextra (\S+)\nindex (0|[1-9][0-9]{{0,15}})\n((?:\S+\n)*)\n(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """An entry, its place, and the proof that a checkpoint covers it."""

    index: int
    entry: Entry
    proof: tuple[bytes, ...]
    note: Note
    """The checkpoint, as it was signed and cosigned."""

    def to_bytes(self) -> bytes:
        """Return the file."""
        lines = [_FIRST, f"extra {_base64(self.entry.content())}", f"index {self.index}", *map(_base64, self.proof)]
        return "\n".join([*lines, "", ""]).encode() + self.note.to_bytes()

    def verify(self, origin: str, *keys: VerifyKey) -> Checkpoint:
        """Return the checkpoint that covers the entry.

        Args:
            origin: Which log it must be of.
            keys: The keys of the log's owner that may have signed the checkpoint.

        Raises:
            AuditError: The checkpoint is not of this log or not signed by it, or does not cover the entry.
        """
        checkpoint, _ = open_checkpoint(self.note.to_bytes(), origin, *keys)
        verify_inclusion(self.entry.leaf(), self.index, checkpoint.size, checkpoint.root, list(self.proof))
        return checkpoint


def read_proven_entry(content: bytes) -> ProvenEntry:
    """Read a proof file without verifying it; raises AuditError if the bytes are not one."""
    if len(content) > LARGEST_PROOF:
        raise AuditError("entry_proof_malformed")
    found = _FORM.fullmatch(content.decode(errors="replace"))
    hashes = found[3].split() if found else []
    if found is None or len(hashes) > MOST_NODES:
        raise AuditError("entry_proof_malformed")
    entry, *proof = map(_octets, (found[1], *hashes))
    return ProvenEntry(int(found[2]), read_entry(entry), tuple(proof), parse_note(found[4].encode()))


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _octets(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise AuditError("entry_proof_malformed") from None
