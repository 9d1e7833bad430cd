"""Rows of a node as they were before the review of hits, for tests of its migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from services.kit.storage.store import Store

_ROUND = (
    'INSERT INTO "round" (round_id, manifest, manifest_digest, discovered_at, cursor, phase, state, consent_wished, '
    "close_wished) VALUES (:id, :manifest, '', 1, 0, 'closed', 'destroyed', :no, :no)"
)
_HIT = (
    "INSERT INTO hit (round_id, hit_id, import_id, position, record_id, counterpart, certainty, families, canary) "
    "VALUES (:id, :id, :id, 0, 'r', 'RS', 'high', '[]', :no)"
)
_LIFE = "INSERT INTO hit_life (round_id, hit_id, arrived_at, stage) VALUES (:id, :id, 1, 'decided')"


def store_early_hit(store: Store) -> None:
    """Store a round with one hit that was decided on."""
    with store.transaction("test.before") as session:
        for statement in (_ROUND, _HIT, _LIFE):
            session.execute(text(statement), {"id": "0" * 32, "manifest": b"{}", "no": False})
