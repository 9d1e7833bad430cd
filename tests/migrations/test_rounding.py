"""The matcher's migration to rounded numbers: a key, and the counts that rounds which ended before are published by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from services.kit.storage.migrate import migrate
from tests.migrations.test_flag import ROUND

if TYPE_CHECKING:
    from services.kit.storage.store import Store

ENDED, OPEN = "0" * 32, "1" * 32
_HITS = 'INSERT INTO hit_count (round_id, submission_id, "left", "right", certainty, hits) VALUES '
COUNTS = (
    f"{_HITS} (:id, '', 'AL', 'RS', 'high', 90)",
    "INSERT INTO known_count (round_id, certainty, parties, persons) VALUES (:id, 'high', 2, 70)",
)


def test_rounds_that_ended_stay_published(store: Store) -> None:
    """By the counts that they have; those of a round that goes on come with its end, and the key is random and one."""
    migrate(store, "services.matcher.storage", "0012")
    with store.transaction("test.rounds") as session:
        for round_id in (ENDED, OPEN):
            session.execute(text(ROUND), {"id": round_id, "manifest": b"{}"})
            for counts in COUNTS:
                session.execute(text(counts), {"id": round_id})
        session.execute(text("UPDATE round SET ended_at = 7 WHERE round_id = :id"), {"id": ENDED})
    assert migrate(store, "services.matcher.storage", "0013") == "0013"
    with store.reading("test.read") as session:
        hits, persons = (
            {row[0]: row[1] for row in session.execute(text(f"SELECT round_id, published FROM {table}"))}
            for table in ("hit_count", "known_count")
        )
        keys = [(number, key) for number, key in session.execute(text("SELECT key_id, key FROM rounding_key"))]
    assert (hits, persons) == ({ENDED: 90, OPEN: None}, {ENDED: 70, OPEN: None})
    [(number, key)] = keys
    assert number == 1
    assert len(set(bytes(key))) > 16
