"""The node's migration to refused answers leaves earlier alarms undecided or released, as they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, text

from services.kit.storage.migrate import migrate
from services.node.storage.tables import AlarmRow
from tests.support.early_rows import store_early_hit

if TYPE_CHECKING:
    from services.kit.storage.store import Store

_ALARM = (
    "INSERT INTO alarm (round_id, submission_id, asker, hits, stored, expected, raised_at, acknowledged) "
    "VALUES (:id, :id, 'RS', 40, 40, 1500, 7, :no)"
)


def test_earlier_alarms_were_not_refused(store: Store) -> None:
    """What was there before is as it was, and no refusal of it is to be signed."""
    migrate(store, "services.node.storage", "0027")
    store_early_hit(store)
    with store.transaction("test.before") as session:
        session.execute(text(_ALARM), {"id": "0" * 32, "no": False})
    assert migrate(store, "services.node.storage", "0028") == "0028"
    with store.reading("test.after") as session:
        row = session.scalars(select(AlarmRow)).one()
        assert (row.hits, row.raised_at, row.released_at) == (40, 7, None)
        assert (row.refused_at, row.refused_by, row.refused_because, row.refusal_signed) == (None, None, None, False)
