"""Migration 0005 of the matcher: counts for statistics, and the index for news of withdrawals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect

from services.kit.storage.migrate import migrate

if TYPE_CHECKING:
    from services.kit.storage.store import Store

TABLES = {"list_count", "known_count", "outcome_count"}


def test_it_makes_the_tables_of_statistics(store: Store) -> None:
    """On both databases, beside what was there, and events are found by their reader."""
    migrate(store, "services.matcher.storage", "0004")
    before = set(inspect(store.engine).get_table_names())
    assert not TABLES & before
    assert migrate(store, "services.matcher.storage", "0005") == "0005"
    assert set(inspect(store.engine).get_table_names()) == before | TABLES
    indexes = {index["name"] for index in inspect(store.engine).get_indexes("event")}
    assert "ix_event_reader_statement_round_id" in indexes
