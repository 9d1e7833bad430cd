"""The proof of each kind of entry of a log (PROTOCOL.md 10.2.2): one table, for the audit and for its reader.

Every kind of entry has its place here. Cosignatures show of each entry alone that it was there at a time.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

from aquila.audit.entries import Entry, EntryKind


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
        EntryKind.SUBMISSION,
        EntryKind.EVALUATION,
        EntryKind.AMENDMENT,
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
