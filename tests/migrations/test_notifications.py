"""The migrations to notifications, of node and matcher, make a table that holds persons' choices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import inspect

from services.kit.storage.migrate import migrate

if TYPE_CHECKING:
    from services.kit.storage.store import Store


@pytest.mark.parametrize(("service", "last"), [("node", 24), ("matcher", 20)])
def test_it_makes_the_table(store: Store, service: str, last: int) -> None:
    """Beside what was there before."""
    migrate(store, f"services.{service}.storage", f"{last:04}")
    before = set(inspect(store.engine).get_table_names())
    assert migrate(store, f"services.{service}.storage", f"{last + 1:04}") == f"{last + 1:04}"
    assert set(inspect(store.engine).get_table_names()) == before | {"notification"}
