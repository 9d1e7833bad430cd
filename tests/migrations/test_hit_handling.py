"""The node's migration to handling codes of hits takes them from the records that are still there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from services.kit.storage.migrate import migrate

if TYPE_CHECKING:
    from services.kit.storage.store import Store

ROUND = """
INSERT INTO round (round_id, manifest, manifest_digest, discovered_at, cursor, phase, state, consent_wished,
    close_wished) VALUES ('r', :content, 'd', 1, 0, 'closed', 'destroyed', :no, :no)
"""
IMPORT = """
INSERT INTO "import" (import_id, name, format, records, refused, imported_at, complete, normalizer)
VALUES ('i', 'list', 'csv', 2, 0, 1, :yes, 1)
"""
RECORD = "INSERT INTO record (import_id, position, record_id, content, words) VALUES ('i', :n, 'x', :content, '')"
HIT = """
INSERT INTO hit (round_id, hit_id, import_id, position, record_id, counterpart, certainty, families, canary)
VALUES ('r', :hit, :list, :n, 'x', 'RS', 'high', '[]', :no)
"""


def test_earlier_hits_take_the_codes_of_their_records(store: Store) -> None:
    """Migration 0014 reads them from records that are there; a hit whose list was deleted has none."""
    migrate(store, "services.node.storage", "0013")
    with store.transaction("test.before") as session:
        session.execute(text(ROUND), {"content": b"", "no": False})
        session.execute(text(IMPORT), {"yes": True})
        for number, content in enumerate((b'{"handling_code": "H1"}', b"{}")):
            session.execute(text(RECORD), {"n": number, "content": content})
        for hit, list_, number in (("a", "i", 0), ("b", "i", 1), ("c", "gone", 0)):
            session.execute(text(HIT), {"hit": hit, "list": list_, "n": number, "no": False})
    assert migrate(store, "services.node.storage", "0014") == "0014"
    with store.reading("test.after") as session:
        found = session.execute(text("SELECT hit_id, handling_code FROM hit ORDER BY hit_id")).all()
    assert [tuple(row) for row in found] == [("a", "H1"), ("b", None), ("c", None)]
