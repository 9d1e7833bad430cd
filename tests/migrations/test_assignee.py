"""The node's migration to assigned hits leaves earlier hits to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from services.kit.storage.migrate import migrate
from services.node.storage.tables import HitStatusRow
from tests.support.early_rows import store_early_hit

if TYPE_CHECKING:
    from services.kit.storage.store import Store


def test_earlier_hits_are_nobodys(store: Store) -> None:
    """What was there before is in its stage, and nobody looks after it."""
    migrate(store, "services.node.storage", "0025")
    store_early_hit(store)
    assert migrate(store, "services.node.storage", "0026") == "0026"
    with store.reading("test.after") as session:
        assert session.execute(select(HitStatusRow.stage, HitStatusRow.assignee)).one() == ("decided", None)
