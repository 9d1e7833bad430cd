"""The last call of each party, and the release it runs: kept over restarts, written once a minute; and its silences."""

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import select

from services.kit.errors import StoreConflictError
from services.kit.storage.outages import log_outage
from services.kit.storage.store import Store
from services.matcher.storage.tables import ContactRow

_WRITE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Contact:
    """The last call of a party, and the release that it reported; None if it reported none."""

    at: int
    release: str


class StoredContacts:
    """Implements `services.kit.http.signed_calls.Contacts` on the matcher's database."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock
        self._newest: dict[str, Contact] = {}
        self._written: dict[str, int] = {}
        self._lock = threading.Lock()
        self._began = clock()

    def heard(self, at: int | None) -> int | None:
        """Return since when a party that was heard of at a time is silent, as far as this process can tell."""
        return None if at is None else max(at, self._began)

    def record(self, party: str, release: str) -> None:
        """Keep that a party called; what a crash loses of it is the last minute.

        Raises:
            StoreError: The store failed.
        """
        contact = Contact(self._clock(), release)
        with self._lock:
            before, self._newest[party] = self._newest.get(party), contact
            is_same = before is not None and before.release == release
            if is_same and contact.at - self._written.get(party, 0) < _WRITE_SECONDS:
                return
            self._written[party] = contact.at
        # Another process may write the first call of the same party: then its row is as good.
        with contextlib.suppress(StoreConflictError), self._store.transaction("contact.note") as session:
            row = session.get(ContactRow, party)
            if row is None:
                session.add(ContactRow(party=party, called_at=contact.at, release=release))
            else:
                if before is not None:
                    log_outage(session, party, max(before.at, row.called_at), contact.at)
                row.called_at, row.release = contact.at, release

    def record_sign_of_life(self, party: str) -> None:
        """Keep that a party is still there while it holds a call; the next call that it makes is written."""
        with self._lock:
            known = self._newest.get(party)
            if known is not None:
                self._newest[party] = replace(known, at=self._clock())

    def by_party(self) -> dict[str, Contact]:
        """Return each party's last contact: the newest that this process or any other one wrote saw."""
        with self._store.reading("contact.list") as session:
            found = {row.party: Contact(row.called_at, row.release) for row in session.scalars(select(ContactRow))}
        with self._lock:
            newest = dict(self._newest)
        for party, contact in newest.items():
            if party not in found or found[party].at <= contact.at:
                found[party] = contact
        return found
