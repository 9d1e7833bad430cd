"""The order in which a thread of a node takes what others wait for: first a round's record, then the writer's turn.

A handler lends a record and then waits to write. A driver that is the writer, and then asks for that record, waits for
the handler until the database gives up, half a minute later.
"""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from services.kit.storage.store import Store
from services.node.round_memory import RoundMemory

_TAKEN = threading.local()


@pytest.fixture(autouse=True)
def records_before_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a thread that writes to a node's database takes a record that it does not have yet."""
    transaction, reading, secrets = Store.transaction, RoundMemory.reading, RoundMemory.secrets

    @contextlib.contextmanager
    def writes(store: Store, name: str) -> Iterator[Any]:
        with transaction(store, name) as session, _taken(name):
            yield session

    @contextlib.contextmanager
    def reads(memory: RoundMemory) -> Iterator[Any]:
        _check(memory)
        with reading(memory) as round_, _taken(memory):
            yield round_

    def opens(memory: RoundMemory) -> Any:
        _check(memory)
        return secrets(memory)

    monkeypatch.setattr(Store, "transaction", writes)
    monkeypatch.setattr(RoundMemory, "reading", reads)
    monkeypatch.setattr(RoundMemory, "secrets", opens)


@contextlib.contextmanager
def _taken(what: object) -> Iterator[None]:
    _TAKEN.by_thread = [*_in_order(), what]
    try:
        yield
    finally:
        _TAKEN.by_thread = _in_order()[:-1]


def _check(memory: RoundMemory) -> None:
    names = [what for what in _in_order() if isinstance(what, str)]
    assert not names or memory in _in_order(), f"the transaction {names[-1]} asks for a round's record"


def _in_order() -> list[object]:
    found: list[object] = getattr(_TAKEN, "by_thread", [])
    return found
