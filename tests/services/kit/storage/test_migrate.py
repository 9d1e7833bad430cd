"""Migrations: the schema of the models, on both databases, by any number of workers."""

import threading

import pytest
from sqlalchemy import URL, Column, ForeignKey, Integer, String, inspect, select, text
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.errors import StoreError
from services.kit.storage.migrate import lay, migrate, revision_of
from services.kit.storage.store import Rows, Store, declare, new_metadata, schema_change
from tests.support.migration_packages import add_first_tables, add_migration, draft
from tests.support.schema_checks import differences


class _Base(Rows):
    __abstract__ = True
    metadata = new_metadata()


class Round(_Base):
    __tablename__ = "round"
    id: Mapped[str] = mapped_column(String(40), primary_key=True, comment="Id.")
    note: Mapped[str] = mapped_column(String(40), unique=True, comment="Note.")


class Part(_Base):
    __tablename__ = "part"
    id: Mapped[int] = mapped_column(primary_key=True, comment="Number.")
    round: Mapped[str] = mapped_column(ForeignKey("round.id", ondelete="CASCADE"), comment="Round.")


SECOND = '''"""Lengthen the note, which SQLite does by rebuilding the table."""
import sqlalchemy as sa
from alembic import op
revision = "0002"
down_revision = "0001"
def upgrade():
    with op.batch_alter_table("round") as batch:
        batch.alter_column("note", type_=sa.String(80), existing_type=sa.String(40), existing_nullable=False)
'''

BROKEN = '''"""Fail after a change."""
from alembic import op
revision = "0003"
down_revision = "0002"
def upgrade():
    op.execute("CREATE TABLE half (n INTEGER)")
    op.execute("SELECT * FROM nothing")
'''

ORPHANING = BROKEN.replace("CREATE TABLE half (n INTEGER)", "DELETE FROM round").replace(
    "SELECT * FROM nothing", "SELECT 1"
)


def test_a_drafted_migration_makes_the_models(store: Store, package: str) -> None:
    """From changed models to a script to a schema without a difference; and back, as for an older backup."""
    add_first_tables(package, _Base.metadata)
    assert migrate(store, package) == "0001"
    later = new_metadata()
    declare(later, _Base.metadata)
    later.tables["part"].append_column(Column("size", Integer, comment="Bytes."))
    add_first_tables(package, later)
    assert draft(store, package, later, "Say how large").name == "0002_say_how_large.py"
    assert differences(store, later)
    for _ in range(2):
        assert migrate(store, package) == "0002"
        assert differences(store, later) == []
    with schema_change(store) as connection:
        later.drop_all(connection)
        connection.execute(text("DELETE FROM alembic_version"))
        lay(connection, package, "0001")
        assert revision_of(connection) == "0001"
    assert differences(store, _Base.metadata) == []


def test_a_table_can_be_rebuilt_without_losing_what_refers_to_it(store: Store, package: str) -> None:
    add_first_tables(package, _Base.metadata)
    migrate(store, package)
    with store.transaction("test") as session:
        session.add(Round(id="r1", note="n"))
        session.flush()
        session.add(Part(id=1, round="r1"))
    add_migration(package, "0002_second", SECOND)
    assert migrate(store, package) == "0002"
    with store.transaction("test") as session:
        assert session.execute(select(Part.round)).scalars().all() == ["r1"]
        session.execute(text("DELETE FROM round"))
        assert session.execute(select(Part.round)).scalars().all() == []


def test_a_migration_that_fails_leaves_the_old_schema(store: Store, package: str) -> None:
    add_first_tables(package, _Base.metadata)
    migrate(store, package)
    add_migration(package, "0002_second", SECOND)
    assert migrate(store, package) == "0002"
    add_migration(package, "0003_third", BROKEN)
    for _ in range(2):
        with pytest.raises(StoreError):
            migrate(store, package)
        assert "half" not in inspect(store.engine).get_table_names()
    with store.reading("test") as session:
        assert revision_of(session.connection()) == "0002"


def test_a_migration_that_orphans_rows_is_refused(store: Store, package: str) -> None:
    """SQLite's references are checked as a whole before the commit; PostgreSQL's are never off, and cascade."""
    add_first_tables(package, _Base.metadata)
    add_migration(package, "0002_second", SECOND)
    migrate(store, package)
    with store.transaction("test") as session:
        session.add(Round(id="r1", note="n"))
        session.flush()
        session.add(Part(id=1, round="r1"))
    add_migration(package, "0003_third", ORPHANING)
    if store.is_sqlite:
        with pytest.raises(StoreError, match="reference"):
            migrate(store, package)
        with store.reading("test") as session:
            assert session.execute(select(Part.round)).scalars().all() == ["r1"]
    else:
        assert migrate(store, package) == "0003"


def test_workers_that_start_together_wait_for_each_other(store_url: URL, package: str) -> None:
    first = Store(store_url)
    add_first_tables(package, _Base.metadata)
    stores = [Store(store_url) for _ in range(4)]
    found: list[str] = []
    threads = [threading.Thread(target=lambda store=store: found.append(migrate(store, package))) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["0001"] * 4
    assert differences(first, _Base.metadata) == []
    for store in [first, *stores]:
        store.close()


def test_a_schema_from_the_future_is_refused(store: Store, package: str) -> None:
    """An older program does not touch a newer database."""
    add_first_tables(package, _Base.metadata)
    migrate(store, package)
    with store.transaction("test") as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0099'"))
    with pytest.raises(StoreError, match="schema 0099") as caught:
        migrate(store, package)
    assert caught.value.fields["revision"] == "0099"
