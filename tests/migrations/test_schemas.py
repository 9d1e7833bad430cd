"""The migrations of both services, from an empty database and from one of 1.0.0 to the models, on both databases."""

import lzma
import shutil
from pathlib import Path

import pytest
from sqlalchemy import MetaData, select

from services.kit.storage.migrate import head_revision, known_revisions, lay, migrate, revision_of
from services.kit.storage.store import Store, schema_change
from services.matcher.storage.tables import MatcherRows, RoundingKeyRow
from services.node.storage.tables import NodeRows
from tests.migrations.stored_home import HOMES, unpack
from tests.support.schema_checks import differences, uncommented

SERVICES = [
    pytest.param("services.node.storage", NodeRows.metadata, id="node"),
    pytest.param("services.matcher.storage", MatcherRows.metadata, id="matcher"),
]


@pytest.mark.parametrize(("package", "metadata"), SERVICES)
def test_tables_of_an_older_backup_are_brought_up_to_the_models(store: Store, package: str, metadata: MetaData) -> None:
    """Tables of each revision, in which a backup is restored, end without a difference of table, column or comment."""
    for revision in sorted(known_revisions(package)):
        with schema_change(store) as connection:
            found = MetaData()
            found.reflect(connection)
            found.drop_all(connection)
            lay(connection, package, revision)
            assert revision_of(connection) == revision
        assert migrate(store, package) == head_revision(package)
        assert differences(store, metadata) == []


@pytest.mark.parametrize(("package", "metadata"), SERVICES)
def test_a_stored_database_is_brought_up_to_the_models(
    store: Store, package: str, metadata: MetaData, tmp_path: Path
) -> None:
    """A node's and the matcher's database of 1.0.0: SQLite's file, and PostgreSQL's dump with the same rows."""
    kind = package.split(".")[1]
    if store.is_sqlite:
        unpack("1.0.0", tmp_path / "homes")
        home = {"node": "AL", "matcher": "matcher"}[kind]
        shutil.copy(tmp_path / "homes" / home / f"{kind}.db", str(store.engine.url.database))
    else:
        with schema_change(store) as connection:
            connection.exec_driver_sql(lzma.decompress((HOMES / f"1.0.0.{kind}.sql.xz").read_bytes()).decode())
        store.engine.dispose()  # the dump empties the search path of its connection
    with store.reading("test.before") as session:
        assert revision_of(session.connection()) == "0001"
    assert migrate(store, package) == head_revision(package)
    assert differences(store, metadata) == []


def test_the_matcher_begins_with_a_rounding_key(store: Store) -> None:
    """Its first migration draws the key that published numbers are rounded with."""
    migrate(store, "services.matcher.storage")
    with store.reading("test.key") as session:
        (key,) = session.scalars(select(RoundingKeyRow.key))
    assert len(set(key)) > 1
    assert len(key) == 32


@pytest.mark.parametrize("metadata", [NodeRows.metadata, MatcherRows.metadata], ids=["node", "matcher"])
def test_every_column_has_a_comment(metadata: MetaData) -> None:
    """An administrator who opens the database reads there what each column means."""
    assert uncommented(metadata) == []
