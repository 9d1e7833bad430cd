"""The node's migration to caps by day takes over what earlier rounds spent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, text

from services.kit.storage.migrate import migrate
from services.node.storage.tables import DailyEvaluationRow

if TYPE_CHECKING:
    from services.kit.storage.store import Store

ROUND = (
    'INSERT INTO "round" (round_id, manifest, manifest_digest, discovered_at, cursor, phase, state, consent_wished, '
    "close_wished) VALUES (:round_id, :manifest, '', 172799, 0, 'closed', 'destroyed', :no, :no)"
)
SPENT = "INSERT INTO spent (round_id, origin, input_class, elements) VALUES (:round_id, 'RS', 'full', 7)"


def test_earlier_rounds_count_on_the_day_on_which_they_came(store: Store) -> None:
    """What was spent before days were counted is not given back."""
    migrate(store, "services.node.storage", "0002")
    with store.transaction("test.insert") as session:
        session.execute(text(ROUND), {"round_id": "0" * 32, "manifest": b"{}", "no": False})
        session.execute(text(SPENT), {"round_id": "0" * 32})
    migrate(store, "services.node.storage", "0003")
    with store.reading("test.read") as session:
        row = session.scalars(select(DailyEvaluationRow)).one()
    assert (row.origin, row.input_class, row.day, row.elements, row.round_id) == ("RS", "full", 1, 7, "0" * 32)
