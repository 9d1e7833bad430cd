"""The node's migration to notifications makes a table that holds persons' choices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect

from services.kit.storage.migrate import migrate

if TYPE_CHECKING:
    from services.kit.storage.store import Store


def test_it_makes_the_table(store: Store) -> None:
    """Beside what was there before."""
    migrate(store, "services.node.storage", "0024")
    before = set(inspect(store.engine).get_table_names())
    assert migrate(store, "services.node.storage", "0025") == "0025"
    assert set(inspect(store.engine).get_table_names()) == before | {"notification"}
