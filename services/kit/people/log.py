"""Log entries about people: pseudonymous ids, roles and words, never a login."""

from __future__ import annotations

from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, EntryKind
from services.kit.actor import Actor
from services.kit.log.entries import append
from services.kit.people.context import People

__all__ = ["EntryKind", "log_entry"]


def log_entry(session: Session, people: People, kind: EntryKind, actor: Actor | str | None, **fields: object) -> None:
    """Append an entry of what somebody did, in the caller's transaction.

    Args:
        session: The transaction.
        people: The service's people.
        kind: What was done.
        actor: Who did it, the pseudonymous id where no role is at play, or None for the service itself.
        **fields: The entry's other fields.
    """
    person, role = (actor, None) if actor is None or isinstance(actor, str) else (actor.person, actor.role)
    append(session, Entry.of(kind, people.clock(), people.party, person=person, role=role, **fields))
