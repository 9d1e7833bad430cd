"""The contents of a log's files, once an audit has found them consistent (PROTOCOL.md 10.6)."""

from __future__ import annotations

from dataclasses import dataclass, field

from aquila.audit.checkpoint import Checkpoint
from aquila.audit.entries import Entry
from aquila.audit.left_out import LeftOutEntries
from aquila.audit.merkle import tree_root
from aquila.crypto.keys import VerifyKey
from aquila.protocol.auditing.key_periods import KeyPeriods
from aquila.protocol.auditing.unproven import UnprovenClaim


@dataclass(slots=True)
class LogRecord:
    """A log whose files hold together.

    Attributes:
        holder: Whose log it is: a party's code, or `matcher`.
        checkpoint: What it claims.
        entries: Its entries; None where retention erased the content, and where this copy leaves it out.
        statements: For each entry the envelope of the statement that it is about, or nothing.
        saved: Sizes of all saved checkpoints.
        cosigned: For each witness the sizes that it cosigned, with the time of each.
        left_out: What this copy leaves out by its owner's word: nothing but the leaves of it was checked.
        leaves: The hashes of all leaves.
        seen: The newest checkpoint of each other log that this one's owner has seen.
        unproven: What nothing proves or refutes.
        keys: Which key was valid when; set once the entries are read.
        signed_by: For each saved checkpoint's size the holders and keys that signed or cosigned it.
    """

    holder: str
    checkpoint: Checkpoint
    entries: list[Entry | None] = field(default_factory=list)
    statements: list[bytes] = field(default_factory=list)
    saved: list[int] = field(default_factory=list)
    cosigned: dict[str, dict[int, int]] = field(default_factory=dict)
    left_out: LeftOutEntries = field(default_factory=LeftOutEntries)
    leaves: list[bytes] = field(default_factory=list)
    seen: dict[str, Checkpoint] = field(default_factory=dict)
    unproven: list[UnprovenClaim] = field(default_factory=list)
    keys: KeyPeriods | None = None
    signed_by: list[tuple[int, str, VerifyKey]] = field(default_factory=list)

    def head(self, size: int) -> bytes:
        """Return the head of the first entries."""
        return tree_root(self.leaves[:size])

    @property
    def newest(self) -> int:
        """The latest time that an entry or a witness names, in seconds since 1970."""
        seen = [at for sizes in self.cosigned.values() for at in sizes.values()]
        return max(*seen, *(entry.time for entry in self.entries if entry is not None), 0, 0)

    @property
    def erased(self) -> int:
        """Return the number of entries whose content is erased."""
        return self.entries.count(None) - self.left_out.count
