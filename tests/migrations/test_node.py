"""The node's migrations, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, text

from services.kit.storage.migrate import migrate
from services.node.storage.tables import NodeRows, RoundRow
from tests.support.schema_checks import differences, uncommented

if TYPE_CHECKING:
    from services.kit.storage.store import Store

PACKAGE = "services.node.storage"


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
        assert session.scalars(select(RoundRow.state)).one() == "active"


def test_old_hits_begin_their_lives_as_new(store: Store) -> None:
    """Migration 0005 makes the tables of lives, and every hit of before has one, overdue from 48 hours on."""
    migrate(store, PACKAGE, "0004")
    with store.transaction("test.insert") as session:
        session.execute(
            text(
                "INSERT INTO round (round_id, manifest, manifest_digest, discovered_at, cursor, phase, state,"
                " consent_wished, close_wished) VALUES ('r', :manifest, 'd', 100, 0, 'closed', 'destroyed', :no, :no)"
            ),
            {"manifest": b"{}", "no": False},
        )
        session.execute(
            text(
                "INSERT INTO hit (round_id, hit_id, import_id, position, record_id, counterpart, certainty, families)"
                " VALUES ('r', 'h', 'i', 0, 'si-1', 'RS', 'high', '[]')"
            )
        )
    assert migrate(store, PACKAGE, "0005") == "0005"
    with store.reading("test.read") as session:
        rows = session.execute(text("SELECT hit_id, stage, arrived_at, due_at FROM hit_life")).all()
        assert [tuple(row) for row in rows] == [("h", "new", 100, 100 + 48 * 3600)]
        assert not session.execute(text("SELECT * FROM hit_step, withdrawal, tally, erased")).all()


def test_the_exchange_of_notes(store: Store) -> None:
    """Migration 0010 makes the tables of the exchange; hits of before have none, and stay unconfirmed."""
    assert migrate(store, PACKAGE, "0010") == "0010"
    with store.reading("test.read") as session:
        for table in ("exchange", "note_batch", "note_secret", "prepared_report"):
            assert not session.execute(text(f"SELECT * FROM {table}")).all()


def test_every_column_is_commented() -> None:
    """Whoever opens the database finds what each column means."""
    assert uncommented(NodeRows.metadata) == []
