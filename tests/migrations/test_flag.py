"""The matcher's migration to flags makes a table that holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, text

from services.kit.storage.migrate import migrate
from services.matcher.storage.tables import FlagRow

if TYPE_CHECKING:
    from services.kit.storage.store import Store

ROUND = (
    "INSERT INTO \"round\" (round_id, manifest, phase, created_at, evaluation_bytes) VALUES (:id, :manifest, '', 1, 0)"
)


def test_it_holds_several_flags_of_a_submission(store: Store) -> None:
    """Beside the rounds that were there before."""
    migrate(store, "services.matcher.storage", "0003")
    with store.transaction("test.round") as session:
        session.execute(text(ROUND), {"id": "0" * 32, "manifest": b"{}"})
    assert migrate(store, "services.matcher.storage", "0004") == "0004"
    rows = [{"round_id": "0" * 32, "submission_id": "1" * 32, "number": number, "sentence": "s"} for number in range(2)]
    with store.transaction("test.flags") as session:
        session.execute(insert(FlagRow), rows)
    with store.reading("test.read") as session:
        assert len(session.scalars(select(FlagRow)).all()) == 2
