"""The store: the same rules on SQLite and on PostgreSQL."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import URL, ForeignKey, String, delete, func, insert, select, text, update
from sqlalchemy.orm import Mapped, mapped_column

from aquila.errors import KeyMaterialError
from services.kit.errors import StoreConflictError, StoreError, StoreFullError
from services.kit.settings import DatabaseSettings
from services.kit.storage.files import write_secret
from services.kit.storage.store import Rows, Store, database_url, new_metadata, schema_change
from tests.support import small_disks
from tests.support.schema_checks import uncommented

REPOSITORY = Path(__file__).parents[4]
SECRET = "Muhamed Petrović 1971-02-03"


class _Base(Rows):
    __abstract__ = True
    metadata = new_metadata()


class Counter(_Base):
    __tablename__ = "counter"
    name: Mapped[str] = mapped_column(String(100), primary_key=True, comment="Which.")
    value: Mapped[int] = mapped_column(comment="How many.")


class Child(_Base):
    __tablename__ = "child"
    id: Mapped[int] = mapped_column(primary_key=True, comment="Number.")
    counter: Mapped[str] = mapped_column(ForeignKey("counter.name"), comment="Which counter.")


@pytest.fixture
def filled(store: Store) -> Store:
    with schema_change(store) as connection:
        _Base.metadata.create_all(connection)
    with store.transaction("test.fill") as session:
        session.add(Counter(name="a", value=0))
    return store


def _value(store: Store) -> int:
    with store.reading("test.value") as session:
        return session.execute(select(Counter.value).where(Counter.name == "a")).scalar_one()


def test_a_transaction_commits_everything_or_nothing(filled: Store) -> None:
    """An exception of the block's own rolls back and goes on."""
    with filled.transaction("test") as session:
        session.get_one(Counter, "a").value = 1
    assert _value(filled) == 1
    with pytest.raises(ZeroDivisionError), filled.transaction("test") as session:
        session.get_one(Counter, "a").value = 2
        session.flush()
        _ = 1 // 0
    assert _value(filled) == 1


def test_read_decide_write_is_safe_among_threads(filled: Store) -> None:
    def count() -> None:
        for _ in range(10):
            with filled.transaction("test.count") as session:
                counter = session.get_one(Counter, "a")
                counter.value += 1

    threads = [threading.Thread(target=count) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _value(filled) == 60


def test_a_reader_sees_one_snapshot_and_does_not_wait(filled: Store) -> None:
    """A writer in the middle neither blocks a reader nor shows it half of its work."""
    with filled.reading("test") as before:
        assert before.execute(select(Counter.value)).scalar_one() == 0
        with filled.transaction("test") as session:
            session.execute(update(Counter).values(value=5))
            session.flush()
            assert _value(filled) == 0
        assert before.execute(select(Counter.value)).scalar_one() == 0
    assert _value(filled) == 5


def test_a_reader_cannot_write(filled: Store) -> None:
    """The database itself refuses, and the next writer is not affected."""
    with pytest.raises(StoreError), filled.reading("test") as session:
        session.execute(update(Counter).values(value=9))
    with filled.transaction("test") as session:
        session.execute(update(Counter).values(value=3))
    assert _value(filled) == 3


def test_a_duplicate_is_a_conflict_and_quotes_nothing(filled: Store) -> None:
    """PostgreSQL's message would quote the row; nothing of it is in ours, nor in a cause."""
    with filled.transaction("test") as session:
        session.add(Counter(name=SECRET, value=0))
    with pytest.raises(StoreConflictError) as caught, filled.transaction("test.again") as session:
        session.add(Counter(name=SECRET, value=0))
    assert caught.value.fields["transaction"] == "test.again"
    assert "Muhamed" not in f"{caught.value.message}{caught.value.hint}{caught.value.fields}"
    assert caught.value.__suppress_context__


def test_a_failed_commit_is_no_success(filled: Store) -> None:
    """A check that is deferred to the commit fails there, and the block's end raises."""
    with pytest.raises(StoreError), filled.transaction("test") as session:
        if filled.is_sqlite:
            session.execute(text("PRAGMA defer_foreign_keys = ON"))
        else:
            session.execute(text("CREATE TABLE late (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
            session.execute(text("INSERT INTO late VALUES (1), (1)"))
        session.execute(update(Counter).values(value=9))
        if filled.is_sqlite:
            session.add(Child(id=1, counter="nothing"))
    assert _value(filled) == 0


def test_a_writer_that_waits_too_long_is_told(store_url: URL) -> None:
    first, second = Store(store_url, wait_seconds=1), Store(store_url, wait_seconds=1)
    started = time.monotonic()
    with first.transaction("test.first"), pytest.raises(StoreError), second.transaction("test.second"):
        pass
    assert 0.5 < time.monotonic() - started < 30
    with second.transaction("test.after"):
        pass
    first.close()
    second.close()


def test_statements_that_fail_say_the_class_alone(filled: Store) -> None:
    with pytest.raises(StoreError) as caught, filled.transaction("test") as session:
        session.execute(text(f"SELECT * FROM nothing WHERE name = '{SECRET}'"))
    assert "Muhamed" not in caught.value.message


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("127.0.0.1:1", "Connection refused"),
        ("/nowhere/at/all", "No such file or directory"),
        ("nowhere.invalid", "nowhere.invalid"),
    ],
)
def test_a_server_that_is_away_is_named_with_what_libpq_says(tmp_path: Path, host: str, said: str) -> None:
    """A missing socket, a name that nobody knows and a port where nobody listens have the hint about the server."""
    where = f"u@{host}/x" if ":" in host else f"u@/x?host={host}&sslmode=verify-full&sslrootcert={tmp_path}"
    settings = DatabaseSettings(url=f"postgresql+psycopg://{where}")
    away = Store(database_url(settings, tmp_path), wait_seconds=1)
    with pytest.raises(StoreError) as caught:
        away.check()
    assert caught.value.sentence.code == "database_unreachable"
    assert said in caught.value.message
    assert "whether it runs" in caught.value.hint


@pytest.mark.parametrize("offset", [0, 4_096])
def test_a_damaged_file_is_named(tmp_path: Path, offset: int) -> None:
    file = tmp_path / "aquila.db"
    store = Store(database_url(DatabaseSettings(), file))
    with schema_change(store) as connection:
        _Base.metadata.create_all(connection)
    store.close()
    file.write_bytes(file.read_bytes()[:offset] + b"\xd5" * 20_000)
    store = Store(database_url(DatabaseSettings(), file))
    with pytest.raises(StoreError) as caught, store.reading("test") as session:
        session.scalar(select(func.count()).select_from(Counter))
    assert caught.value.message == f"the database {file} is damaged"
    assert "restore its newest backup" in caught.value.hint


def test_the_password_comes_from_its_file(tmp_path: Path) -> None:
    """A trailing newline is not part of it, and a missing file is an error of the tree."""
    write_secret(tmp_path / "pw", b"geheim\n")
    settings = DatabaseSettings(url="postgresql+psycopg://u@localhost/d", password_file=tmp_path / "pw")
    url = database_url(settings, tmp_path)
    assert url.password == "geheim"
    assert "geheim" not in repr(url)
    assert "geheim" not in repr(Store(url).engine)
    with pytest.raises(KeyMaterialError, match="cannot be read"):
        database_url(settings.model_copy(update={"password_file": tmp_path / "no"}), tmp_path)


def test_sqlite_is_set_as_the_module_says(tmp_path: Path) -> None:
    store = Store(database_url(DatabaseSettings(), tmp_path / "aquila.db"))
    with store.transaction("test") as session:
        found = {
            name: session.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "temp_store", "busy_timeout")
        }
    store.close()
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "temp_store": 2,
        "busy_timeout": 30_000,
    }


def test_deleted_rows_are_gone_from_the_files_after_scrubbing(store: Store, tmp_path: Path) -> None:
    """SQLite's database file and journals hold none of a deleted row's bytes."""
    with schema_change(store) as connection:
        _Base.metadata.create_all(connection)
    with store.transaction("test") as session:
        session.execute(insert(Counter), [{"name": f"{SECRET} {number}", "value": number} for number in range(500)])
    with store.transaction("test") as session:
        session.execute(delete(Counter))
    store.erase_deleted(Counter.__table__)  # type: ignore[arg-type]  # a table
    with store.reading("test") as session:
        assert session.execute(select(func.count()).select_from(Counter)).scalar_one() == 0
    if store.is_sqlite:
        assert [path.name for path in tmp_path.iterdir() if b"Muhamed" in path.read_bytes()] == []


def test_scrubbing_under_a_reader_is_told(tmp_path: Path) -> None:
    """SQLite: a snapshot that still needs the log keeps it, and the caller must try again; PostgreSQL waits."""
    store = Store(database_url(DatabaseSettings(), tmp_path / "aquila.db"), wait_seconds=1)
    with schema_change(store) as connection:
        _Base.metadata.create_all(connection)
    with store.reading("test") as reader:
        assert reader.execute(select(Counter)).all() == []
        with store.transaction("test") as writer:
            writer.add(Counter(name="a", value=1))
        with pytest.raises(StoreError, match="reader"):
            store.erase_deleted()
    store.erase_deleted()
    store.close()


def test_writers_have_turns_while_scrubbing_waits_for_a_reader(tmp_path: Path) -> None:
    """A reader that takes long holds up the scrubbing alone: who writes meanwhile waits for much less."""
    url = database_url(DatabaseSettings(), tmp_path / "aquila.db")
    store, other = Store(url, wait_seconds=60), Store(url, wait_seconds=5)
    with schema_change(store) as connection:
        _Base.metadata.create_all(connection)
    with ThreadPoolExecutor(1) as pool:
        with store.reading("test") as reader:
            assert reader.execute(select(Counter)).all() == []
            with store.transaction("test") as writer:
                writer.add(Counter(name="a", value=1))
            scrubbing = pool.submit(store.erase_deleted)
            for name in "bcd":
                with other.transaction("test") as writer:
                    writer.add(Counter(name=name, value=1))
                time.sleep(0.2)
            assert not scrubbing.done()
        scrubbing.result()
    store.close()
    other.close()


def test_a_column_without_a_comment_is_found() -> None:
    assert uncommented(_Base.metadata) == []
    metadata = new_metadata()

    class Silent(Rows):
        __abstract__ = False
        __tablename__ = "silent"
        metadata = new_metadata()
        id: Mapped[int] = mapped_column(primary_key=True)

    assert uncommented(metadata) == []
    assert uncommented(Silent.metadata) == ["silent.id"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB, where the test may mount one."""
    with small_disks.small_disk(tmp_path / "small", "1m") as folder:
        yield folder


def test_a_full_disk_is_told_and_nothing_is_lost(small_disk: Path) -> None:
    """A real file system without room: the transaction fails as a whole, and goes on when there is room again."""
    store = Store(database_url(DatabaseSettings(), small_disk / "aquila.db"))
    with schema_change(store) as connection:
        _Base.metadata.create_all(connection)
    with store.transaction("test") as session:
        session.add(Counter(name="a", value=7))
    (small_disk / "fill").write_bytes(bytes(500_000))
    with pytest.raises(StoreFullError) as caught, store.transaction("test") as session:
        session.execute(insert(Counter), [{"name": f"{number:090}", "value": 1} for number in range(8_000)])
    assert str(small_disk) in caught.value.message
    with store.reading("test") as session:
        assert session.execute(select(func.count()).select_from(Counter)).scalar_one() == 1
    (small_disk / "fill").unlink()
    with store.transaction("test") as session:
        session.add(Counter(name="b", value=7))
    store.close()


def test_scrubbing_on_a_full_disk_is_told(small_disk: Path) -> None:
    """SQLite writes the log's pages into the database first; without room for them the caller must try again."""
    store = Store(database_url(DatabaseSettings(), small_disk / "aquila.db"))
    with schema_change(store) as connection:
        _Base.metadata.create_all(connection)
    store.erase_deleted()
    with store.transaction("test") as session:
        session.execute(insert(Counter), [{"name": f"{number:090}", "value": 1} for number in range(1_000)])
    with pytest.raises(OSError, match="space"):
        small_disks.fill(small_disk / "fill")
    with pytest.raises(StoreFullError) as caught:
        store.erase_deleted()
    assert caught.value.fields["code"] == "SQLITE_FULL"
    (small_disk / "fill").unlink()
    store.erase_deleted()
    store.close()


def test_a_full_postgresql_is_told(postgres_url: URL) -> None:
    """SQLSTATE 53100 is what PostgreSQL says of a full disk; a server function raises it here."""
    store = Store(postgres_url)
    with pytest.raises(StoreFullError), store.transaction("test") as session:
        session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END $$"))
    store.close()


def test_a_connection_that_breaks_before_the_commit_is_no_success(postgres_url: URL) -> None:
    store = Store(postgres_url)
    with schema_change(store) as connection:
        _Base.metadata.create_all(connection)
    other = Store(postgres_url)
    with pytest.raises(StoreError), store.transaction("test") as session:
        session.add(Counter(name="a", value=1))
        session.flush()
        number = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with other.reading("test") as killer:
            killer.execute(text(f"SELECT pg_terminate_backend({number}, 5000)"))
    with store.transaction("test") as session:
        session.add(Counter(name="a", value=2))
    assert _value(store) == 2
    store.close()
    other.close()


def test_a_killed_writer_leaves_nothing_half_done(store: Store, store_url: URL) -> None:
    """Killed within its transaction: nothing of it is there, and the next writer gets its turn."""
    with schema_change(store) as connection:
        _Base.metadata.create_all(connection)
    program = f"""
import time
from sqlalchemy import make_url, text
from services.kit.storage.store import Store
with Store(make_url({store_url.render_as_string(hide_password=False)!r})).transaction("test") as session:
    session.execute(text("INSERT INTO counter VALUES ('a', 1)"))
    print("inside", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=REPOSITORY) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"inside\n"
        writer.kill()
    with store.transaction("test") as session:
        session.add(Counter(name="a", value=2))
    assert _value(store) == 2
