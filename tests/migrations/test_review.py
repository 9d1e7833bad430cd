"""The node's migration to the review of hits leaves earlier hits without a person, and with nothing to undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, text

from services.kit.storage.migrate import migrate
from services.node.storage.tables import HitRow, HitStatusRow

if TYPE_CHECKING:
    from services.kit.storage.store import Store

ROUND = (
    'INSERT INTO "round" (round_id, manifest, manifest_digest, discovered_at, cursor, phase, state, consent_wished, '
    "close_wished) VALUES (:id, :manifest, '', 1, 0, 'closed', 'destroyed', :no, :no)"
)
HIT = (
    "INSERT INTO hit (round_id, hit_id, import_id, position, record_id, counterpart, certainty, families, canary) "
    "VALUES (:id, :id, :id, 0, 'r', 'RS', 'high', '[]', :no)"
)
LIFE = "INSERT INTO hit_life (round_id, hit_id, arrived_at, stage) VALUES (:id, :id, 1, 'decided')"


def test_earlier_hits_stay(store: Store) -> None:
    """What was there before has neither a digest of its person nor a decision that could be undone."""
    migrate(store, "services.node.storage", "0021")
    values = {"id": "0" * 32, "manifest": b"{}", "no": False}
    with store.transaction("test.before") as session:
        for statement in (ROUND, HIT, LIFE):
            session.execute(text(statement), values)
    assert migrate(store, "services.node.storage", "0022") == "0022"
    with store.reading("test.after") as session:
        assert session.scalars(select(HitRow.person)).one() is None
        assert session.execute(select(HitStatusRow.undo_person, HitStatusRow.undo_number)).one() == (None, None)
