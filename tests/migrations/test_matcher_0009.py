"""Migration 0009 of the matcher: persons known, by the least level of the hits that join them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from services.kit.storage.migrate import migrate
from tests.migrations.test_flag import ROUND

if TYPE_CHECKING:
    from services.kit.storage.store import Store


def test_old_counts_are_those_of_high_and_medium(store: Store) -> None:
    """What was counted before keeps its number and says by which hits; other levels have a place beside it."""
    migrate(store, "services.matcher.storage", "0008")
    with store.transaction("test.round") as session:
        session.execute(text(ROUND), {"id": "0" * 32, "manifest": b"{}"})
        session.execute(
            text("INSERT INTO known_count (round_id, parties, persons) VALUES (:id, 2, 30)"), {"id": "0" * 32}
        )
    assert migrate(store, "services.matcher.storage", "0009") == "0009"
    with store.transaction("test.counts") as session:
        session.execute(
            text("INSERT INTO known_count (round_id, certainty, parties, persons) VALUES (:id, 'high', 2, 20)"),
            {"id": "0" * 32},
        )
    with store.reading("test.read") as session:
        rows = session.execute(text("SELECT certainty, parties, persons FROM known_count"))
        found = {(certainty, parties): persons for certainty, parties, persons in rows}
    assert found == {("medium", 2): 30, ("high", 2): 20}
