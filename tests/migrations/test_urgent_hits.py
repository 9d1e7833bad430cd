"""The node's migration to hits of urgent queries takes no earlier hit for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from services.kit.storage.migrate import migrate

if TYPE_CHECKING:
    from services.kit.storage.store import Store


def test_no_earlier_hit_is_urgent(store: Store) -> None:
    """The column is there, and false where nothing else is known."""
    migrate(store, "services.node.storage", "0031")
    assert migrate(store, "services.node.storage", "0032") == "0032"
    assert "urgent" in {column["name"] for column in inspect(store.engine).get_columns("hit_life")}
    with store.reading("test.after") as session:
        assert session.execute(text("SELECT count(*) FROM hit_life WHERE urgent")).scalar_one() == 0
