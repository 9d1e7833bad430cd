"""The migrations to indices of what goes on make them, and rounds tell until when they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect

from services.kit.storage.migrate import migrate

if TYPE_CHECKING:
    from services.kit.storage.store import Store


def indices(store: Store, *tables: str) -> set[str]:
    """Return the names of the indices of tables."""
    return {str(one["name"]) for table in tables for one in inspect(store.engine).get_indexes(table)}


def test_a_node_finds_what_goes_on(store: Store) -> None:
    """Rounds by their state and the newest, statements that are unsent, and notes that are unconfirmed."""
    tables = "round", "statement", "note_batch"
    migrate(store, "services.node.storage", "0034")
    before = indices(store, *tables)
    assert migrate(store, "services.node.storage", "0035") == "0035"
    assert indices(store, *tables) - before == {
        "ix_round_state_phase", "ix_round_discovered_at", "ix_round_outcomes_changed_at", "ix_statement_unsent",
        "ix_note_batch_unconfirmed",
    }  # fmt: skip
    assert "kept_until" in {one["name"] for one in inspect(store.engine).get_columns("round")}


def test_a_node_finds_its_receipts(store: Store) -> None:
    """They are in the rounds that have a report, and in no other."""
    migrate(store, "services.node.storage", "0035")
    before = indices(store, "statement")
    assert migrate(store, "services.node.storage", "0036") == "0036"
    assert indices(store, "statement") - before == {"ix_statement_own_receipts"}


def test_a_matcher_finds_what_goes_on(store: Store) -> None:
    """Rounds by their end and the newest, and sealed notes that are here still."""
    tables = "round", "event"
    migrate(store, "services.matcher.storage", "0021")
    before = indices(store, *tables)
    assert migrate(store, "services.matcher.storage", "0022") == "0022"
    assert indices(store, *tables) - before == {"ix_round_ended_at", "ix_round_created_at", "ix_event_notes"}
