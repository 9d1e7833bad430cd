"""The migrations of both services, from an empty database to the schema of the models, on both databases."""

import pytest
from sqlalchemy import MetaData, select

from services.kit.storage.migrate import known_revisions, migrate
from services.kit.storage.store import Store
from services.matcher.storage.tables import MatcherRows, RoundingKeyRow
from services.node.storage.tables import NodeRows
from tests.support.releases import ROOT
from tests.support.schema_checks import differences, uncommented

SERVICES = [
    pytest.param("services.node.storage", NodeRows.metadata, id="node"),
    pytest.param("services.matcher.storage", MatcherRows.metadata, id="matcher"),
]


@pytest.mark.parametrize(("package", "metadata"), SERVICES)
def test_the_migrations_make_the_tables_of_the_models(store: Store, package: str, metadata: MetaData) -> None:
    """Each migration is applied in its order, and then no table, column, type, default, index or comment differs."""
    for revision in sorted(known_revisions(package)):
        assert migrate(store, package, revision) == revision
    assert differences(store, metadata) == []


def test_the_matcher_begins_with_a_rounding_key(store: Store) -> None:
    """Its first migration draws the key that published numbers are rounded with."""
    migrate(store, "services.matcher.storage", "0001")
    with store.reading("test.key") as session:
        (key,) = session.scalars(select(RoundingKeyRow.key))
    assert len(set(key)) > 1
    assert len(key) == 32


@pytest.mark.parametrize("package", ["services.node.storage", "services.matcher.storage"])
def test_the_first_migration_of_a_release_is_written_out(package: str) -> None:
    """It does not make the tables of the models: a change of a model must not change it."""
    script = (ROOT / package.replace(".", "/") / "migrations" / "0001_first_tables.py").read_text("utf-8")
    assert "create_all" not in script


@pytest.mark.parametrize("metadata", [NodeRows.metadata, MatcherRows.metadata], ids=["node", "matcher"])
def test_every_column_has_a_comment(metadata: MetaData) -> None:
    """An administrator who opens the database reads there what each column means."""
    assert uncommented(metadata) == []
