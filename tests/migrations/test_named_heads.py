"""The node's migration to heads that others named begins with none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from services.kit.storage.migrate import migrate

if TYPE_CHECKING:
    from services.kit.storage.store import Store


def test_nothing_was_named_before(store: Store) -> None:
    """Migration 0018 makes the table; one head of one size and root stands there once."""
    migrate(store, "services.node.storage", "0017")
    assert migrate(store, "services.node.storage", "0018") == "0018"
    row = "INSERT INTO named_head (size, root, party, round_id, digest) VALUES (5, :root, 'AL', 'r', 'd')"
    with store.transaction("test.insert") as session:
        session.execute(text(row), {"root": "a"})
        session.execute(text(row), {"root": "b"})
    with store.reading("test.read") as session:
        assert session.scalars(text("SELECT root FROM named_head WHERE verified_at IS NULL")).all() == ["a", "b"]
