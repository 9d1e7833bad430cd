"""Both services' migrations to statements on the registry make tables that hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import inspect

from services.kit.storage.migrate import migrate
from services.kit.storage.registry import stored_statements
from tests.support.registering import NOW, registry_of, stated

if TYPE_CHECKING:
    from services.kit.storage.store import Store


@pytest.mark.parametrize(
    ("package", "before", "after"),
    [("services.node.storage", "0032", "0033"), ("services.matcher.storage", "0019", "0020")],
)
def test_it_makes_the_tables(store: Store, package: str, before: str, after: str) -> None:
    """In addition to those that were there; a statement is stored once, and two of one number are both kept."""
    migrate(store, package, before)
    tables = set(inspect(store.engine).get_table_names())
    assert migrate(store, package, after) == after
    added = {"registry_statement", "registry_acceptance"}
    assert set(inspect(store.engine).get_table_names()) == tables | added
    first, other = stated(registry_of("SI")), stated(registry_of("RS"))
    with store.transaction("test.store") as session:
        new = [stored_statements.store_statement(session, one, NOW) for one in (first, other, first)]
        stored_statements.mark_accepted(session, first, NOW, "p-000000000000")
    assert new == [True, True, False]
    with store.reading("test.read") as session:
        found = stored_statements.statements_from(session, registry_of())
        assert sorted(one.digest for one in found) == sorted(one.digest for one in (first, other))
        assert stored_statements.in_force(session, registry_of()) == first
        assert stored_statements.newest_number(session) == 1
