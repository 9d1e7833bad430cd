"""The migrations that make the table of requests, at the matcher and at a node, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import MetaData, Table, insert, text

from services.kit.storage.migrate import migrate

if TYPE_CHECKING:
    from services.kit.storage.store import Store

BEFORE = {"matcher": "0005", "node": "0005"}
REVISION = {"matcher": "0006", "node": "0006"}


@pytest.mark.parametrize("service", ["matcher", "node"])
def test_it_makes_the_table_of_requests(store: Store, service: str) -> None:
    """After it a request can be stored that waits."""
    migrate(store, f"services.{service}.storage", BEFORE[service])
    migrate(store, f"services.{service}.storage", REVISION[service])
    asked = {"approval_id": "0" * 32, "kind": "consent", "round_id": "1" * 32, "content": b"{}", "digest": "2" * 64}
    with store.transaction("test.insert") as session:
        table = Table("approval", MetaData(), autoload_with=session.connection())
        more = {"author": "p-0123456789ab", "asked_at": 1, "expires_at": 2, "state": "waiting"}
        session.execute(insert(table).values(**asked, **more))
    with store.reading("test.read") as session:
        assert session.scalar(text("SELECT state FROM approval")) == "waiting"


def test_an_older_submission_has_the_time_of_its_round(store: Store) -> None:
    """So that its justification is kept for its three years, and not erased at once or never."""
    migrate(store, "services.node.storage", BEFORE["node"])
    with store.transaction("test.insert") as session:
        session.execute(
            text(
                "INSERT INTO round (round_id, manifest, manifest_digest, discovered_at, cursor, phase, state, "
                "consent_wished, close_wished) VALUES ('r', :manifest, 'd', 1700000000, 0, 'closed', 'destroyed', "
                ":no, :no)"
            ),
            {"manifest": b"{}", "no": False},
        )
        session.execute(
            text(
                "INSERT INTO submission (submission_id, round_id, import_id, kind, justification, state, records, "
                "batches, prepared, held_back) VALUES ('s', 'r', 'i', 'list', '{}', 'tokens_sent', 1, 1, 1, '{}')"
            )
        )
    migrate(store, "services.node.storage", REVISION["node"])
    with store.reading("test.read") as session:
        assert session.scalar(text("SELECT wished_at FROM submission")) == 1_700_000_000
