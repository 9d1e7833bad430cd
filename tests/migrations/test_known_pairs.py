"""The node's migration to known pairs leaves earlier hits as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from services.kit.storage.migrate import migrate
from services.node.storage.tables import HitStatusRow
from tests.support.early_rows import store_early_hit

if TYPE_CHECKING:
    from services.kit.storage.store import Store


def test_earlier_hits_carry_nothing(store: Store) -> None:
    """What was there before is in its stage, and no earlier hit's decision."""
    migrate(store, "services.node.storage", "0022")
    store_early_hit(store)
    assert migrate(store, "services.node.storage", "0023") == "0023"
    with store.reading("test.after") as session:
        columns = HitStatusRow.stage, HitStatusRow.known, HitStatusRow.earlier_round_id, HitStatusRow.earlier_hit_id
        assert session.execute(select(*columns)).one() == ("decided", None, None, None)
