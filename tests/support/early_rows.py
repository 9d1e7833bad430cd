"""Rows of a node as they were before the review of hits, for tests of its migrations."""

from __future__ import annotations

ROUND = (
    'INSERT INTO "round" (round_id, manifest, manifest_digest, discovered_at, cursor, phase, state, consent_wished, '
    "close_wished) VALUES (:id, :manifest, '', 1, 0, 'closed', 'destroyed', :no, :no)"
)
HIT = (
    "INSERT INTO hit (round_id, hit_id, import_id, position, record_id, counterpart, certainty, families, canary) "
    "VALUES (:id, :id, :id, 0, 'r', 'RS', 'high', '[]', :no)"
)
LIFE = "INSERT INTO hit_life (round_id, hit_id, arrived_at, stage) VALUES (:id, :id, 1, 'decided')"
