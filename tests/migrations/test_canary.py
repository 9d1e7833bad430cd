"""The node's migration to canaries leaves earlier hits as hits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, text

from services.kit.storage.migrate import migrate
from services.node.storage.tables import CanaryRow, HitRow

if TYPE_CHECKING:
    from services.kit.storage.store import Store

ROUND = (
    'INSERT INTO "round" (round_id, manifest, manifest_digest, discovered_at, cursor, phase, state, consent_wished, '
    "close_wished) VALUES (:id, :manifest, '', 1, 0, 'closed', 'destroyed', :no, :no)"
)
HIT = (
    "INSERT INTO hit (round_id, hit_id, import_id, position, record_id, counterpart, certainty, families) "
    "VALUES (:id, :id, :id, 0, 'r', 'RS', 'high', '[]')"
)


def test_earlier_hits_are_no_canaries(store: Store) -> None:
    """What was there before is a hit, and a pair's row takes its defaults."""
    migrate(store, "services.node.storage", "0007")
    with store.transaction("test.before") as session:
        session.execute(text(ROUND), {"id": "0" * 32, "manifest": b"{}", "no": False})
        session.execute(text(HIT), {"id": "0" * 32})
    migrate(store, "services.node.storage", "0008")
    with store.transaction("test.after") as session:
        session.execute(
            insert(CanaryRow), [{"round_id": "0" * 32, "counterpart": "RS", "high": 1, "medium": 0, "low": 0}]
        )
    with store.reading("test.read") as session:
        assert session.scalars(select(HitRow.canary)).one() is False
        assert session.scalars(select(CanaryRow.missing)).one() == 0
