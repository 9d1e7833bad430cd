"""The node's migration to queries takes every stored list for a list of the party."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, text

from services.kit.storage.migrate import migrate
from services.node.storage.tables import ImportRow

if TYPE_CHECKING:
    from services.kit.storage.store import Store

_INSERT = (
    "INSERT INTO import (import_id, name, format, records, refused, imported_at, complete, normalizer)"
    " VALUES (:id, 'list', 'csv', 1, 0, 5, :complete, 1)"
)


def test_earlier_lists_are_lists(store: Store) -> None:
    """What was imported before is no query."""
    migrate(store, "services.node.storage", "0029")
    with store.transaction("test.before") as session:
        session.execute(text(_INSERT), {"id": "ab" * 16, "complete": True})
    assert migrate(store, "services.node.storage", "0030") == "0030"
    with store.reading("test.after") as session:
        assert session.execute(select(ImportRow.import_id, ImportRow.for_query)).one() == ("ab" * 16, False)
