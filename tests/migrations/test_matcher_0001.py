"""The matcher's first migration makes the tables of the models, with a comment for every column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect

from services.kit.storage.migrate import migrate
from services.matcher.storage.tables import MatcherRows
from tests.support.schema_checks import differences, uncommented

if TYPE_CHECKING:
    from services.kit.storage.store import Store

TABLES = {"round", "event", "chunk", "held_report", "hit_count", "evidence", "spent_nonce"}


def test_it_makes_the_tables(store: Store) -> None:
    """On both databases, and once."""
    assert migrate(store, "services.matcher.storage", "0001") == "0001"
    assert set(inspect(store.engine).get_table_names()) == TABLES | {"alembic_version"}


def test_the_newest_schema_is_that_of_the_models(store: Store) -> None:
    """Whoever changes a model adds a migration."""
    migrate(store, "services.matcher.storage")
    assert differences(store, MatcherRows.metadata) == []


def test_every_column_has_a_comment() -> None:
    """A person who looks into the database finds what each one is."""
    assert uncommented(MatcherRows.metadata) == []
