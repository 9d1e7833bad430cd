"""The node's migration to assigned hits leaves earlier hits to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, text

from services.kit.storage.migrate import migrate
from services.node.storage.tables import HitStatusRow
from tests.support.early_rows import HIT, LIFE, ROUND

if TYPE_CHECKING:
    from services.kit.storage.store import Store


def test_earlier_hits_are_nobodys(store: Store) -> None:
    """What was there before is in its stage, and nobody looks after it."""
    migrate(store, "services.node.storage", "0025")
    with store.transaction("test.before") as session:
        for statement in (ROUND, HIT, LIFE):
            session.execute(text(statement), {"id": "0" * 32, "manifest": b"{}", "no": False})
    assert migrate(store, "services.node.storage", "0026") == "0026"
    with store.reading("test.after") as session:
        assert session.execute(select(HitStatusRow.stage, HitStatusRow.assignee)).one() == ("decided", None)
