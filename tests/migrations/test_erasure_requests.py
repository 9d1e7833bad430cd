"""The migrations after which a request may be for the erasure of a record, at the matcher and at a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, inspect, select

from services.kit.approvals.tables import ApprovalRow
from services.kit.storage.migrate import migrate

if TYPE_CHECKING:
    from services.kit.storage.store import Store

BEFORE = {"matcher": "0017", "node": "0028"}
REVISION = {"matcher": "0018", "node": "0029"}


@pytest.mark.parametrize("service", ["matcher", "node"])
def test_earlier_requests_stay(store: Store, service: str) -> None:
    """What waited still waits, and where the database has comments they speak of erasures."""
    migrate(store, f"services.{service}.storage", BEFORE[service])
    asked = {"approval_id": "0" * 32, "kind": "consent", "round_id": "1" * 32, "content": b"{}", "digest": "2" * 64}
    with store.transaction("test.before") as session:
        session.execute(insert(ApprovalRow).values(**asked, author="p-0123456789ab", asked_at=1, expires_at=2))
    assert migrate(store, f"services.{service}.storage", REVISION[service]) == REVISION[service]
    with store.reading("test.after") as session:
        assert session.scalars(select(ApprovalRow)).one().round_id == "1" * 32
    comments = {column["name"]: column.get("comment") for column in inspect(store.engine).get_columns("approval")}
    if store.engine.dialect.supports_comments:
        assert "erasure" in str(comments["kind"])
