"""Spent nonces: once only, in every thread and after a restart, and not for ever."""

import threading

import pytest
from sqlalchemy import URL, select

from aquila.errors import ReplayError
from services.kit.errors import StoreError
from services.kit.http.nonces import StoredNonces, nonce_table
from services.kit.http.signatures import Nonces
from services.kit.storage.store import Store, new_metadata, schema_change

_METADATA = new_metadata()
_TABLE = nonce_table(_METADATA)


@pytest.fixture
def ready(store: Store) -> Store:
    with schema_change(store) as connection:
        _METADATA.create_all(connection)
    return store


def _once(nonces: Nonces) -> None:
    nonces.spend("key", "n1", 600, 0)
    nonces.spend("other key", "n1", 600, 0)
    nonces.spend("key", "n2", 600, 0)
    with pytest.raises(ReplayError) as caught:
        nonces.spend("key", "n1", 700, 100)
    assert caught.value.fields["matcher_time"] == 100


def test_a_nonce_is_spent_once_per_key(ready: Store) -> None:
    """The second time is a replay, whose problem has our time."""
    _once(StoredNonces(ready, _TABLE))


def test_a_nonce_is_spent_after_a_restart_too(ready: Store, store_url: URL) -> None:
    StoredNonces(ready, _TABLE).spend("key", "n1", 600, 0)
    later = Store(store_url)
    with pytest.raises(ReplayError):
        StoredNonces(later, _TABLE).spend("key", "n1", 600, 1)
    later.close()


def test_of_many_at_the_same_time_one_gets_through(ready: Store) -> None:
    nonces, passed, refused = StoredNonces(ready, _TABLE), [], []

    def spend() -> None:
        try:
            nonces.spend("key", "n1", 600, 0)
            passed.append(1)
        except ReplayError:
            refused.append(1)

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(passed), len(refused)) == (1, 7)


def test_what_is_no_longer_needed_is_deleted(ready: Store) -> None:
    """The table does not grow with the years; a row stays as long as it was asked to."""
    nonces = StoredNonces(ready, _TABLE)
    for number in range(5):
        nonces.spend("key", f"n{number}", 600 + number, 100)
    nonces.spend("key", "later", 9_000, 602)
    with ready.reading("test") as session:
        kept = set(session.execute(select(_TABLE.c.nonce)).scalars())
    assert kept == {"n2", "n3", "n4", "later"}


def test_a_store_that_fails_refuses_the_call(store: Store) -> None:
    with pytest.raises(StoreError):
        StoredNonces(store, _TABLE).spend("key", "n", 600, 0)
