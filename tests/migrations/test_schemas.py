"""The migrations of both services, from an empty database and from one of 1.0.0 to the models, on both databases."""

import lzma
import shutil
from pathlib import Path

import pytest
from sqlalchemy import MetaData, select, update

from services.kit.storage.migrate import head_revision, known_revisions, lay, migrate, revision_of
from services.kit.storage.store import Store, schema_change
from services.matcher.storage.tables import MatcherRows, RoundingKeyRow
from services.node.storage.tables import NodeRows, SubmissionRow
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


def store_what_1_0_0_left(store: Store, package: str, folder: Path) -> None:
    """Give a store what a service of 1.0.0 had: SQLite's file, and PostgreSQL's dump with the same rows."""
    kind = package.split(".")[1]
    if store.is_sqlite:
        unpack("1.0.0", folder / "homes")
        home = {"node": "AL", "matcher": "matcher"}[kind]
        shutil.copy(folder / "homes" / home / f"{kind}.db", str(store.engine.url.database))
    else:
        with schema_change(store) as connection:
            connection.exec_driver_sql(lzma.decompress((HOMES / f"1.0.0.{kind}.sql.xz").read_bytes()).decode())
        store.engine.dispose()  # the dump empties the search path of its connection


@pytest.mark.parametrize(("package", "metadata"), SERVICES)
def test_a_stored_database_is_brought_up_to_the_models(
    store: Store, package: str, metadata: MetaData, tmp_path: Path
) -> None:
    store_what_1_0_0_left(store, package, tmp_path)
    with store.reading("test.before") as session:
        assert revision_of(session.connection()) == "0001"
    assert migrate(store, package) == head_revision(package)
    assert differences(store, metadata) == []


def test_a_list_that_1_0_0_blinded_in_part_is_blinded_from_its_beginning(store: Store, tmp_path: Path) -> None:
    """1.0.0 blinded by multiplying; what it had signed stays as it was blinded (ADR 84)."""
    store_what_1_0_0_left(store, "services.node.storage", tmp_path)
    with store.transaction("test.before") as session:
        first, *others = session.scalars(select(SubmissionRow.submission_id).order_by(SubmissionRow.wished_at)).all()
        session.execute(update(SubmissionRow).values(prepared=2))
        session.execute(update(SubmissionRow).where(SubmissionRow.submission_id == first).values(state="preparing"))
    migrate(store, "services.node.storage")
    with store.reading("test.after") as session:
        prepared = dict(session.execute(select(SubmissionRow.submission_id, SubmissionRow.prepared)).all())
    assert others
    assert prepared == {first: 0} | dict.fromkeys(others, 2)


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
