"""Both services' migrations to suggestions make a table that holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import inspect

from services.kit.storage.migrate import migrate

if TYPE_CHECKING:
    from services.kit.storage.store import Store


@pytest.mark.parametrize(
    ("package", "before", "after"),
    [("services.node.storage", "0011", "0012"), ("services.matcher.storage", "0007", "0008")],
)
def test_it_makes_the_table(store: Store, package: str, before: str, after: str) -> None:
    """Beside what was there before."""
    migrate(store, package, before)
    tables = set(inspect(store.engine).get_table_names())
    assert migrate(store, package, after) == after
    assert set(inspect(store.engine).get_table_names()) == tables | {"suggestion"}
