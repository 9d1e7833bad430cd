"""Entries of the matcher's log that name a party and that no statement of it proves, for its node (PROTOCOL.md 10.5.3).

A node knows what it signed, what it was told, and which rounds it was shown. It asks for these entries, so that it
hears of a second proposal, of hits that are not those of its report, and of statements that it never signed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, EntryKind, read_entry
from aquila.protocol.log_entries import REFUSED
from aquila.protocol.messages.feed import MOST_ENTRIES
from services.kit.log.entries import ENTRIES
from services.kit.rounds import manifest_in
from services.matcher.storage.tables import RoundRow

_KINDS = frozenset({EntryKind.PROPOSAL, EntryKind.MATCH, EntryKind.REPORT, EntryKind.DISCLOSURE, *REFUSED})
_LOOKED_THROUGH = 5_000


def entries_naming(
    undisclosed: Callable[[Session], Mapping[str, frozenset[str]]], session: Session, caller: str, start: int, size: int
) -> tuple[dict[int, bytes], int]:
    """Return the contents of the entries that name a party, by index, and up to which index these are all.

    What tells the hits of a query is left out until its asker has its report (PROTOCOL.md 10.9). While that may still
    come, all is told up to there; of a round that has ended it never comes.

    Args:
        undisclosed: Gives the queries of which nothing may be told, by round.
        session: A session.
        caller: The party.
        start: From which entry on.
        size: How many entries the checkpoint covers.
    """
    end = min(size, start + _LOOKED_THROUGH)
    rows = select(ENTRIES.c.index, ENTRIES.c.content).where(
        ENTRIES.c.index >= start,
        ENTRIES.c.index < end,
        ENTRIES.c.kind.in_(sorted(_KINDS)),
        ENTRIES.c.content.is_not(None),
    )
    found: dict[int, bytes] = {}
    whole = end
    untold: Mapping[str, frozenset[str]] | None = None
    for index, content in session.execute(rows.order_by(ENTRIES.c.index)):
        entry = read_entry(bytes(content))
        if not _names(session, entry, caller):
            continue
        if len(found) == MOST_ENTRIES:
            return found, min(whole, index)
        if "submission" in entry.ids:
            untold = undisclosed(session) if untold is None else untold
            if entry.ids["submission"] in untold.get(entry.round or "", ()):
                whole = whole if _is_over(session, entry) else min(whole, index)
                continue
        found[index] = bytes(content)
    return found, whole


def _names(session: Session, entry: Entry, caller: str) -> bool:
    """Return whether an entry names a party: as one of its pair, as sender or receiver, or as one of the round."""
    if entry.kind is not EntryKind.PROPOSAL:
        return caller in {entry.party, entry.recipient, entry.ids.get("left"), entry.ids.get("right")}
    manifest = session.scalar(select(RoundRow.manifest).where(RoundRow.round_id == entry.round))
    return manifest is not None and manifest_in(manifest).fingerprint_of(caller) is not None


def _is_over(session: Session, entry: Entry) -> bool:
    return session.scalar(select(RoundRow.ended_at).where(RoundRow.round_id == entry.round)) is not None
