"""The migrations to standing queries, at a node and at the matcher."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, inspect, select, text

from services.kit.approvals.tables import ApprovalRow
from services.kit.storage.migrate import migrate
from services.node.storage.tables import StandingQueryRow

if TYPE_CHECKING:
    from services.kit.storage.store import Store

BEFORE = {"matcher": "0018", "node": "0030"}
REVISION = {"matcher": "0019", "node": "0031"}


@pytest.mark.parametrize("service", ["matcher", "node"])
def test_earlier_requests_stay(store: Store, service: str) -> None:
    """What waited still waits, and where the database has comments they speak of standing queries."""
    migrate(store, f"services.{service}.storage", BEFORE[service])
    asked = {"approval_id": "0" * 32, "kind": "consent", "round_id": "1" * 32, "content": b"{}", "digest": "2" * 64}
    with store.transaction("test.before") as session:
        session.execute(insert(ApprovalRow).values(**asked, author="p-0123456789ab", asked_at=1, expires_at=2))
    assert migrate(store, f"services.{service}.storage", REVISION[service]) == REVISION[service]
    with store.reading("test.after") as session:
        assert session.scalars(select(ApprovalRow)).one().round_id == "1" * 32
    comments = {column["name"]: column.get("comment") for column in inspect(store.engine).get_columns("approval")}
    if store.engine.dialect.supports_comments:
        assert "standing_query" in str(comments["kind"])


def test_no_earlier_hit_is_of_a_standing_query(store: Store) -> None:
    """There is no standing query yet, and hits that are there are first of none."""
    migrate(store, "services.node.storage", REVISION["node"])
    with store.reading("test.after") as session:
        assert session.scalars(select(StandingQueryRow)).all() == []
        assert session.execute(text("SELECT count(*) FROM hit_life WHERE first")).scalar_one() == 0
