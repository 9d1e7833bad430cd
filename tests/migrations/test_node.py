"""The node's migrations, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from services.kit.migrate import differences, migrate
from services.kit.store import uncommented
from services.node.tables import NodeRows, RoundRow

if TYPE_CHECKING:
    from services.kit.store import Store

PACKAGE = "services.node"


def test_the_newest_schema_is_that_of_the_models(store: Store) -> None:
    """After all migrations nothing differs between database and models."""
    migrate(store, PACKAGE)
    assert differences(store, NodeRows.metadata) == []


def test_the_first_migration_makes_tables_that_hold_rows(store: Store) -> None:
    """Migration 0001 takes a round with its defaults, and running it again changes nothing."""
    assert migrate(store, PACKAGE, "0001") == "0001"
    row = {
        "round_id": "0" * 32,
        "manifest": b"{}",
        "manifest_digest": "0" * 64,
        "discovered_at": 1,
        "phase": "proposed",
    }
    with store.transaction("test.insert") as session:
        session.execute(insert(RoundRow).values(**row))
    migrate(store, PACKAGE, "0001")
    with store.reading("test.read") as session:
        assert session.scalars(select(RoundRow)).one().state == "active"


def test_every_column_is_commented() -> None:
    """Whoever opens the database finds what each column means."""
    assert uncommented(NodeRows.metadata) == []
