"""Entries of replaced identity keys: they bound for an auditor the time in which a key counted (PROTOCOL.md 11.9)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, EntryKind, read_entry
from aquila.protocol.registry import Registry
from services.kit.log.entries import append, contents_of_kind


def log_replaced(session: Session, registry: Registry, holder: str, logged_by: str, now: int) -> bool:
    """Append the entry that a holder's key was replaced, once; return whether it is new.

    Args:
        session: The transaction.
        registry: The registry in force from now on.
        holder: Whose key was replaced.
        logged_by: Whose log it is.
        now: Seconds since 1970.
    """
    keys = registry.keys_of(holder)
    known = {entry.digests["key"] for entry in _logged(session) if entry.recipient == holder}
    if keys[-1].fingerprint in known:
        return False
    before = max((place for place, key in enumerate(keys[:-1]) if key.fingerprint in known), default=0)
    digests = {"former": keys[before].fingerprint, "key": keys[-1].fingerprint}
    append(session, Entry.of(EntryKind.KEY_REPLACED, now, logged_by, recipient=holder, digests=digests))
    return True


def _logged(session: Session) -> list[Entry]:
    return [read_entry(content) for content in contents_of_kind(session, EntryKind.KEY_REPLACED)]
