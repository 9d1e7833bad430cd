"""The node's migration to an index of own numbers makes it, beside those that were there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect

from services.kit.storage.migrate import migrate

if TYPE_CHECKING:
    from services.kit.storage.store import Store


def test_it_makes_the_index(store: Store) -> None:
    """Rounds, own statements, numbers: in this order the last own number is found at once."""
    migrate(store, "services.node.storage", "0020")
    before = {str(one["name"]) for one in inspect(store.engine).get_indexes("statement")}
    assert migrate(store, "services.node.storage", "0021") == "0021"
    after = {str(one["name"]): one["column_names"] for one in inspect(store.engine).get_indexes("statement")}
    assert set(after) - before == {"ix_statement_round_id_own_sequence"}
    assert after["ix_statement_round_id_own_sequence"] == ["round_id", "own", "sequence"]
