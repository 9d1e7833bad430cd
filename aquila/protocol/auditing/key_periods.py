"""Check 7, which key was valid when: an entry of the log bounds the time of a replaced key (PROTOCOL.md 10.6 and 11.9).

The registry says which keys a holder had, in their order. From the entry `key_replaced` on, nothing counts in this log
under the replaced key. What a later key signs for an earlier place harms nobody: a node signs its own statements again
that the matcher had not got yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from aquila.audit.entries import Entry, EntryKind
from aquila.crypto.keys import VerifyKey
from aquila.errors import AuditError
from aquila.protocol.registry import Registry


@dataclass(frozen=True, slots=True)
class KeyPeriods:
    """The keys of all holders, and from which entry on each is the oldest that is valid.

    Attributes:
        registry: The auditor's registry.
        begins: By holder the entries that replaced a key, as (index, place of the new key among the holder's keys).
    """

    registry: Registry
    begins: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Sequence[Entry | None], registry: Registry) -> KeyPeriods:
        """Read the entries of a log that replace keys.

        Raises:
            AuditError: One of them is none that the registry knows, or comes out of turn.
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
