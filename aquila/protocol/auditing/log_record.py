"""The contents of a log's files once an audit has found them consistent, and which key was valid when (10.6).

The registry says which keys a holder had, in their order; an entry of the log bounds the time of a replaced key (11.9).
From the entry `key_replaced` on, nothing counts in this log under the replaced key. What a later key signs for an
earlier place harms nobody: a node signs its own statements again that the matcher had not got yet.

Points that an audit neither proves nor refutes are printed, and a strict audit fails over them. How the content of an
entry is proved follows from its kind (10.2.2); cosignatures show of each entry alone that it was there at a time.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from aquila.audit.checkpoint import Checkpoint
from aquila.audit.entries import Entry, EntryKind, LeftOutEntries
from aquila.audit.merkle import tree_root
from aquila.crypto.keys import VerifyKey
from aquila.errors import AuditError
from aquila.protocol.registry import Registry
from aquila.sentences import Sentence


@dataclass(frozen=True, slots=True)
class UnprovenClaim:
    """Something that a log claims and that nothing in it proves."""

    what: str
    """A word for machines."""
    sentence: Sentence
    """What it is, and where."""
    shown_by: str | None = None
    """The party whose own log would show it, if any."""
    digest: str | None = None
    """By which statement that log would show it."""


def refuse_unproven(found: Iterable[UnprovenClaim]) -> None:
    """Raise AuditError over the first thing that is not proven, if there is one."""
    for one in found:
        raise AuditError("unproven_in_strict_audit", what=one.what, point=one.sentence)


@dataclass(frozen=True, slots=True)
class KeyPeriods:
    """The keys of all holders, and from which entry on each is the oldest that is valid."""

    registry: Registry
    begins: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """By holder the entries that replaced a key, as (index, place of the new key among the holder's keys)."""

    @classmethod
    def of(cls, entries: Sequence[Entry | None], registry: Registry) -> "KeyPeriods":
        """Read the entries of a log that replace keys.

        Raises:
            AuditError: The registry does not know one of them, or it comes out of turn.
        """
        found = cls(registry)
        for index, entry in enumerate(entries):
            if entry is not None and entry.kind is EntryKind.KEY_REPLACED:
                found._take(index, entry)
        return found

    def check(self, holder: str, key: VerifyKey, index: int) -> None:
        """Check that a key of a holder was valid at an entry, or for a checkpoint of that many entries.

        Raises:
            AuditError: The log had replaced it before; or the log never says that it replaced another one.
        """
        begins = self.begins.get(holder, [])
        place = self.registry.keys_of(holder).index(key)
        if any(start < index and place < oldest for start, oldest in begins):
            raise AuditError("entry_signed_by_replaced_key", what="replaced_key", party=holder, index=index)
        if place > max((oldest for _, oldest in begins), default=0):
            raise AuditError("entry_key_never_introduced", what="key_unknown", party=holder, index=index)

    def _take(self, index: int, entry: Entry) -> None:
        holder = entry.recipient or ""
        known = self.registry.by_fingerprint()
        prints = [print_ for print_, (of, _) in known.items() if of == holder]
        before, after = entry.digests.get("former", ""), entry.digests.get("key", "")
        places = [prints.index(one) if one in prints else -1 for one in (before, after)]
        begins = self.begins.setdefault(holder, [])
        last = begins[-1][1] if begins else 0
        if places[0] < last or places[1] <= places[0]:
            raise AuditError("entry_key_change_unknown", what="key_change", party=holder[:16], index=index)
        begins.append((index, places[1]))


@dataclass(slots=True)
class LogRecord:
    """A log whose files hold together."""

    holder: str
    """Whose log it is: a party's code, or `matcher`."""
    checkpoint: Checkpoint
    """What it claims."""
    entries: list[Entry | None] = field(default_factory=list)
    """Its entries; None where retention erased the content, and where this copy leaves it out."""
    statements: list[bytes] = field(default_factory=list)
    """For each entry the envelope of the statement that it is about, or nothing."""
    saved: list[int] = field(default_factory=list)
    """Sizes of all saved checkpoints."""
    cosigned: dict[str, dict[int, int]] = field(default_factory=dict)
    """For each witness the sizes that it cosigned, with the time of each."""
    left_out: LeftOutEntries = field(default_factory=LeftOutEntries)
    """What this copy leaves out by its owner's word: nothing but the leaves of it was checked."""
    leaves: list[bytes] = field(default_factory=list)
    """The hashes of all leaves."""
    seen: dict[str, Checkpoint] = field(default_factory=dict)
    """The newest checkpoint of each other log that this one's owner has seen."""
    unproven: list[UnprovenClaim] = field(default_factory=list)
    """What nothing proves or refutes."""
    keys: KeyPeriods | None = None
    """Which key was valid when; set once the entries are read."""
    signed_by: list[tuple[int, str, VerifyKey]] = field(default_factory=list)
    """For each saved checkpoint's size the holders and keys that signed or cosigned it."""

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


class ShownBy(StrEnum):
    """The proof of an entry's content."""

    PARTY = "the signature of a party"
    MATCHER = "the signature of the matcher"
    RECEIPTS = "the receipts and checks of the parties"
    CONFIRMATION = "the confirmation of the receiver"
    RECOMPUTATION = "recomputation"
    NOBODY = "nobody but the owner of the log"


_SHOWN: Mapping[ShownBy, tuple[EntryKind, ...]] = {
    ShownBy.PARTY: (
        EntryKind.CONSENT,
        EntryKind.LOCKS,
        EntryKind.SUBMISSION,
        EntryKind.EVALUATION,
        EntryKind.TOKENS,
        EntryKind.RECEIPT,
        EntryKind.REFUSAL,
        EntryKind.CLOSING,
        EntryKind.EVIDENCE,
        EntryKind.STATEMENT_REFUSED,
        EntryKind.NOTE_RECEIVED,
        EntryKind.WITHDRAWAL,
        EntryKind.WITHDRAWAL_ACKNOWLEDGED,
        EntryKind.OUTCOME,
        EntryKind.FOLLOW_UP_TOLD,
        EntryKind.CHECKED,
        EntryKind.FISHING_ALARM,
        EntryKind.ANSWER_WITHHELD,
    ),
    ShownBy.MATCHER: (EntryKind.PROPOSAL, EntryKind.OPENING, EntryKind.ENDING),
    ShownBy.RECEIPTS: (EntryKind.MATCH, EntryKind.REPORT),
    ShownBy.CONFIRMATION: (EntryKind.DISCLOSURE,),
    ShownBy.RECOMPUTATION: (EntryKind.APPROVAL_REQUESTED, EntryKind.APPROVED, EntryKind.KEY_REPLACED),
}

_KINDS = {kind: shown for shown, kinds in _SHOWN.items() for kind in kinds}


def shown_by(kind: EntryKind) -> ShownBy:
    """Return the proof of the content of entries of a kind."""
    return _KINDS.get(kind, ShownBy.NOBODY)


def count_shown(entries: Iterable[Entry | None]) -> dict[str, int]:
    """Return for each proof the number of entries that rest on it, in the order of `ShownBy`."""
    found = Counter(shown_by(entry.kind) for entry in entries if entry is not None)
    return {one.value: found[one] for one in ShownBy}
