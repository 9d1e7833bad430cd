"""Context of the use cases about people, made once from a service's settings, and their log entries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, EntryKind, Word
from aquila.audit.roles import Service
from services.kit.actor import Actor
from services.kit.log.entries import append
from services.kit.people.keys import PeopleKey, key_at_start
from services.kit.people.oidc import Provider
from services.kit.people.passwords import Passwords
from services.kit.people.tables import AccountRow, PeopleRows
from services.kit.settings import PeopleSettings, ServiceSettings
from services.kit.storage.store import Rows, Store

_PRODUCT = "aquila"

Revoke: TypeAlias = Callable[[Session, "People", AccountRow, Actor | None], None]
"""Called with the changed account and the person who changed it, or None where the provider did."""


@dataclass(frozen=True, slots=True)
class People:
    """The people of a service."""

    service: Service
    party: str
    store: Store
    settings: PeopleSettings
    key: PeopleKey
    passwords: Passwords
    clock: Callable[[], int]
    revoke: Revoke
    """Takes back, in the transaction in which an account loses rights, what the account asked for by them."""
    names: tuple[str, ...]
    """Those of product, service and party, which count for nothing in a password."""
    provider: Provider | None = None

    @classmethod
    def of(
        cls,
        service: Service,
        party: str,
        store: Store,
        settings: ServiceSettings,
        clock: Callable[[], int],
        revoke: Revoke,
        tables: Sequence[type[Rows]],
        name: str = "",
    ) -> "People":
        """Put the parts together at the start of a service with such other tables; raises as `key_at_start` does."""
        key = key_at_start(settings.home, store, (PeopleRows, *tables))
        names = tuple(sorted({_PRODUCT, service.value, party.lower(), name.lower(), *name.lower().split()} - {""}))
        provider = None if settings.provider is None else Provider(settings.provider)
        passwords = Passwords(settings.people)
        return cls(service, party, store, settings.people, key, passwords, clock, revoke, names, provider)


def log_entry(session: Session, people: People, kind: EntryKind, actor: Actor | str | None, **fields: object) -> int:
    """Append an entry of what somebody did, in the caller's transaction, and return its index.

    Args:
        actor: Who did it, the pseudonymous id where no role is at play, or None for the service itself.
    """
    person, role = (actor, None) if actor is None or isinstance(actor, str) else (actor.person, actor.role)
    return append(session, Entry.of(kind, people.clock(), people.party, person=person, role=role, **fields))


def log_change(session: Session, people: People, row: AccountRow, actor: Actor | str | None, what: Word) -> None:
    """Append the entry that an account was changed, and let its row name it: an older row does not count any more."""
    ids = {"account": row.person, "what": what}
    row.changed_by = log_entry(session, people, EntryKind.ACCOUNT_CHANGED, actor, ids=ids)
