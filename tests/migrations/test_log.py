"""The migrations that make the log's tables, at the matcher and at a node, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import inspect

from aquila.audit.entries import Entry, EntryKind
from services.kit.log import entries
from services.kit.storage.migrate import migrate

if TYPE_CHECKING:
    from services.kit.storage.store import Store

TABLES = {"log_entry", "log_edge", "log_node", "log_checkpoint", "log_witnessed", "log_alarm"}


@pytest.mark.parametrize("service", ["matcher", "node"])
def test_it_makes_the_tables_of_the_log(store: Store, service: str) -> None:
    """After it a log can be appended to, beside what was there before."""
    before = migrate(store, f"services.{service}.storage", BEFORE[service])
    assert before == BEFORE[service]
    had = set(inspect(store.engine).get_table_names())
    assert not TABLES & had
    migrate(store, f"services.{service}.storage", REVISION[service])
    assert set(inspect(store.engine).get_table_names()) == had | TABLES
    with store.transaction("test.append") as session:
        assert entries.append(session, Entry.of(EntryKind.IMPORT, 1, "SI")) == 0


REVISION = {"matcher": "0002", "node": "0002"}
BEFORE = {"matcher": "0001", "node": "0001"}
