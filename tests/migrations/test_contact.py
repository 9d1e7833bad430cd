"""The matcher's migration to last contacts makes a table that holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect

from services.kit.storage.migrate import migrate

if TYPE_CHECKING:
    from services.kit.storage.store import Store


def test_it_makes_the_table(store: Store) -> None:
    """Beside what was there before."""
    migrate(store, "services.matcher.storage", "0009")
    tables = set(inspect(store.engine).get_table_names())
    assert migrate(store, "services.matcher.storage", "0010") == "0010"
    assert set(inspect(store.engine).get_table_names()) == tables | {"contact"}
