"""Spent nonces of signed calls, in the service's database: a replay is refused after a restart too."""

import threading

from sqlalchemy import BigInteger, Column, MetaData, String, Table, delete, insert

from aquila.errors import ReplayError
from services.kit.errors import StoreConflictError
from services.kit.storage.store import Store

_PRUNE_SECONDS = 60


def nonce_table(metadata: MetaData) -> Table:
    """Declare the table of spent nonces in a service's metadata."""
    return Table(
        "spent_nonce",
        metadata,
        Column("key_id", String(64), primary_key=True, comment="Fingerprint of the key that signed the call."),
        Column("nonce", String(64), primary_key=True, comment="Nonce of the call, as signed."),
        Column(
            "keep_until", BigInteger, nullable=False, index=True, comment="Seconds since 1970; may be deleted after."
        ),
        comment="Nonces of signed calls, kept for as long as the call's time would still be accepted.",
    )


class StoredNonces:
    """Implements `services.kit.http.signatures.Nonces` on a store."""

    def __init__(self, store: Store, table: Table) -> None:
        self._store = store
        self._table = table
        self._spend = insert(table)  # made once: every call that a party signs ends in it
        self._pruned_at = 0
        self._lock = threading.Lock()

    def spend(self, key_id: str, nonce: str, keep_until: int, now: int) -> None:
        """Use a nonce; when this returns, the nonce is on the disk.

        Raises:
            StoreError: The store failed; the call must be refused.
        """
        try:
            with self._store.transaction("nonce.spend") as session:
                if self._due(now):
                    session.execute(delete(self._table).where(self._table.c.keep_until < now))
                spent = {"key_id": key_id, "nonce": nonce, "keep_until": keep_until}
                session.connection().execute(self._spend, spent)
        except StoreConflictError:
            raise ReplayError("call_already_seen", matcher_time=now) from None

    def _due(self, now: int) -> bool:
        """Designate one caller a minute to delete expired nonces."""
        with self._lock:
            due = now - self._pruned_at >= _PRUNE_SECONDS
            if due:
                self._pruned_at = now
            return due
