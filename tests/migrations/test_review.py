"""The node's migration to the review of hits leaves earlier hits without a person, and with nothing to undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from services.kit.storage.migrate import migrate
from services.node.storage.tables import HitRow, HitStatusRow
from tests.support.early_rows import store_early_hit

if TYPE_CHECKING:
    from services.kit.storage.store import Store


def test_earlier_hits_stay(store: Store) -> None:
    """What was there before has neither a digest of its person nor a decision that could be undone."""
    migrate(store, "services.node.storage", "0021")
    store_early_hit(store)
    assert migrate(store, "services.node.storage", "0022") == "0022"
    with store.reading("test.after") as session:
        assert session.scalars(select(HitRow.person)).one() is None
        assert session.execute(select(HitStatusRow.undo_person, HitStatusRow.undo_number)).one() == (None, None)
