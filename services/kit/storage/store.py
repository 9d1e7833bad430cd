"""The store: SQLite by default, PostgreSQL by URL, the same models and the same rules on both.

One writer at a time, on both databases: SQLite by BEGIN IMMEDIATE, PostgreSQL by an advisory lock that a writing
transaction holds. So "read, decide, write" is safe without thought for isolation levels, and a test on SQLite tells the
truth about PostgreSQL. The rows of a service are few and small (content lies in files), so a writer's turn is
milliseconds. Readers see one snapshot and wait for nobody.

The store is synchronous and used from threads: handlers and drivers call it in threads
(`services.kit.work.threads`).

States that rows keep are stored as the text of their value, so that a column looks the same on both databases and in
every release. A table of transitions has, for each state, the states that can follow it.
"""

import contextlib
import sqlite3
import time
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session
from sqlalchemy.pool import ConnectionPoolEntry

from services.kit.errors import StoreConflictError, StoreError, StoreFullError
from services.kit.logging import Log
from services.kit.settings import DatabaseSettings
from services.kit.storage.files import check_private, make_private, read_secret
from services.kit.storage.row_seals import ROW_KEY, RowKey, SealedRow, SealedSession

_LOG = Log("kit.store")
_WRITER_LOCK = 0x617175696C61  # "aquila": the advisory lock of a database's one writer
_MORE_CONNECTIONS = 45  # besides the pool's five, while there are callers of all kinds at once
_SLOW_MILLISECONDS = 1_000
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "XX001", "XX002")
_LONGEST_REASON = 300  # characters of what libpq says
_TRY_SECONDS = 0.25  # for which writers wait while SQLite's log is emptied, and between two tries

# Names that Alembic can refer to on every database.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Rows(DeclarativeBase):
    """The base of the bases of a service's tables.

    A service makes its own base with its own metadata and gives every column a comment. Numbers have 64 bits:

        class MatcherRows(Rows):
            __abstract__ = True
            metadata = new_metadata()
    """

    __abstract__ = True
    type_annotation_map: ClassVar[dict[Any, Any]] = {int: sa.BigInteger, str: sa.Text}


def new_metadata() -> sa.MetaData:
    """Return the metadata for one service's tables."""
    return sa.MetaData(naming_convention=NAMING)


def declare(metadata: sa.MetaData, *parts: sa.MetaData) -> None:
    """Declare the tables of parts of the kit in a service's metadata."""
    for part in parts:
        for table in part.sorted_tables:
            table.to_metadata(metadata)


class Store:
    """A database, its pool of connections, and transactions by name. Making one connects to nothing.

    Attributes:
        row_key: The key of the seals of its rows, as soon as the service has read it (`row_seals`).
    """

    def __init__(self, url: sa.URL, wait_seconds: int = 30) -> None:
        self._wait_seconds = wait_seconds
        self.row_key: RowKey | None = None
        self.engine = _engine(url, wait_seconds)
        self._snapshot = self.engine.execution_options(aquila_access="reading")

    @property
    def is_sqlite(self) -> bool:
        """Return whether the database is a SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @contextlib.contextmanager
    def transaction(self, name: str) -> Iterator[Session]:
        """Write: the block's changes are committed together when it ends, or none of them.

        When the block has been left without an exception, the changes survive a power cut. An exception of the
        block's own rolls back and goes on.

        Raises:
            StoreConflictError: A constraint forbids the change; another writer may have been first.
            StoreFullError: The disk is full.
            StoreError: The database failed or is away, or the commit did not succeed.
        """
        started = time.monotonic()
        with _mapped(name, self.engine.url), self._session(self.engine) as session, session.begin():
            # A session begins with its first statement; the writer's turn begins here, so that it can fail here.
            session.connection()
            yield session
        spent = round(1000 * (time.monotonic() - started))
        if spent > _SLOW_MILLISECONDS:
            _LOG.warning("slow_transaction", transaction=name, milliseconds=spent)

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[Session]:
        """Read one snapshot; nothing that the block does to rows is kept.

        Raises:
            StoreError: The database failed or is away, or the block tried to write.
        """
        with _mapped(name, self.engine.url), self._session(self._snapshot, autoflush=False) as session:
            session.connection()
            yield session

    def _session(self, engine: sa.Engine, *, autoflush: bool = True) -> Session:
        return SealedSession(engine, expire_on_commit=False, autoflush=autoflush, info={ROW_KEY: self.row_key})

    def erase_deleted(self, *tables: sa.Table) -> None:
        """Remove the bytes of deleted rows from the database's files, as far as the database can.

        SQLite overwrites deleted rows at once (`secure_delete`); this empties the write-ahead log too. PostgreSQL
        writes the given tables anew without them; its own write-ahead log and backups keep them for as long as its
        administrator lets them, so nothing secret is ever put into a row unencrypted.

        Raises:
            StoreError: The database failed, or a reader held on to an old snapshot for too long.
        """
        with _mapped("store.erase_deleted", self.engine.url), self.engine.connect() as connection:
            if self.is_sqlite:
                self._empty_log(_raw(connection))
                return
            settled = connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in tables:
                settled.execute(sa.text(f"VACUUM (FULL) {settled.dialect.identifier_preparer.format_table(table)}"))

    def _empty_log(self, raw: sqlite3.Connection) -> None:
        """Empty SQLite's write-ahead log; raises StoreError where a reader of an old snapshot does not end in time.

        All writers wait while SQLite waits for such a reader. So each try is short, and writers have a turn before the
        next.
        """
        ends = time.monotonic() + self._wait_seconds
        raw.execute(f"PRAGMA busy_timeout = {_TRY_SECONDS * 1000:.0f}")
        try:
            while raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()[0][0]:
                if time.monotonic() > ends:
                    raise StoreError("write_ahead_log_in_use")
                time.sleep(_TRY_SECONDS)
        finally:
            raw.execute(f"PRAGMA busy_timeout = {self._wait_seconds * 1000}")

    def remove(self, name: str, row: type[DeclarativeBase], which: sa.ColumnElement[bool]) -> bool:
        """Remove such rows, and return whether there were any: without them no writer takes a turn."""
        with self.reading(name) as session:
            found = session.scalar(sa.select(sa.exists(sa.select(row).where(which)))) is True
        if found:
            with self.transaction(name) as session:
                session.execute(sa.delete(row).where(which))
        return found

    def check(self) -> None:
        """Ask the database for an answer; raises StoreError if there is none."""
        with self.reading("store.check") as session:
            session.execute(sa.text("SELECT 1"))

    def close(self) -> None:
        self.engine.dispose()


def database_url(settings: DatabaseSettings, file: Path) -> sa.URL:
    """Return the URL of the settings, with the password from its file; without one SQLite's in this file.

    Raises:
        KeyMaterialError: The password file cannot be read, or is open to others.
    """
    if not settings.url:
        return sa.URL.create("sqlite", database=str(file))
    url = sa.make_url(settings.url)
    if settings.password_file is None:
        return url
    return url.set(password=read_secret(settings.password_file).decode().strip())


def private_store(settings: DatabaseSettings, file: Path) -> Store:
    """Return the store of a service; a SQLite file is made for this user alone, and refused where others can read it.

    Raises:
        KeyMaterialError: The database or the file with its password is open to others, or the latter cannot be read.
    """
    url = database_url(settings, file)
    if url.get_backend_name() == "sqlite" and url.database:
        path = Path(url.database)
        make_private(path)
        for part in ("", "-wal", "-shm"):
            check_private(path.with_name(path.name + part))
    return Store(url, settings.wait_seconds)


@contextlib.contextmanager
def schema_change(store: Store) -> Iterator[sa.Connection]:
    """Open one writing transaction in which tables may change; raises as `Store.transaction` does.

    SQLite rebuilds a table to change it, and would then act on the foreign keys to the old one. So they are off
    within, and checked as a whole before the commit (https://sqlite.org/lang_altertable.html section 7).
    """
    with _mapped("store.migrate", store.engine.url), store.engine.connect() as connection:
        if not store.is_sqlite:
            with connection.begin():
                yield connection
            return
        _raw(connection).execute("PRAGMA foreign_keys = OFF")
        try:
            with connection.begin():
                yield connection
                if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                    raise StoreError("migration_breaks_reference")
        finally:
            _raw(connection).execute("PRAGMA foreign_keys = ON")


def _engine(url: sa.URL, wait_seconds: int) -> sa.Engine:
    """Make an engine whose transactions begin as the module describes."""
    # Parameters are rows: they stay out of every exception's text.
    # The connection that came back last goes out first: its cache is warm, and those of the others need not fill.
    options: dict[str, Any] = {
        "hide_parameters": True,
        "pool_timeout": wait_seconds,
        "max_overflow": _MORE_CONNECTIONS,
        "pool_use_lifo": True,
    }
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(url, connect_args={"timeout": wait_seconds}, **options)
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    else:
        # lock_timeout ends the wait for the writer's lock; statement texts stay out of errors that a client sees.
        arguments = {"connect_timeout": wait_seconds, "options": f"-c lock_timeout={wait_seconds * 1000}"}
        engine = sa.create_engine(url, connect_args=arguments, pool_pre_ping=True, **options)
        sa.event.listen(engine, "begin", _begin_postgresql)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Set what SQLite keeps per connection (https://sqlite.org/pragma.html).

    The sqlite3 module begins transactions by itself, late and never for reading; `isolation_level = None` switches
    that off, and `_begin_sqlite` begins them (SQLAlchemy's documentation, "Transactions with SQLite and the sqlite3
    driver").
    """
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",  # readers do not wait for the writer
        "synchronous = FULL",  # a commit is on the disk when it returns
        "foreign_keys = ON",
        "secure_delete = ON",  # deleted rows are overwritten
        "temp_store = MEMORY",  # no sorted rows in files that nobody deletes
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    """Begin for reading, or as the one writer."""
    reading = connection.get_execution_options().get("aquila_access") == "reading"
    # The connection may come back from a reader: what it may do is set again each time. SQLite opens no file for these
    # two, so they go to it at once: this runs at the beginning of all that is read.
    raw = _raw(connection)
    raw.execute(f"PRAGMA query_only = {'ON' if reading else 'OFF'}")
    if reading:
        raw.execute("BEGIN")
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # may have to wait, and fail


def _begin_postgresql(connection: sa.Connection) -> None:
    """Begin with one snapshot for reading, or wait for the writer's lock."""
    if connection.get_execution_options().get("aquila_access") == "reading":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    else:
        # READ COMMITTED: each statement after the lock sees what the writer before committed.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")


@contextlib.contextmanager
def _mapped(name: str, url: sa.URL) -> Iterator[None]:
    """Turn an error of the database into ours, also one of SQLite's own connection, which SQLAlchemy does not wrap.

    The cause is cut off: PostgreSQL quotes rows in its messages. The class and the code say enough.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise store_error(error, name, url) from None


def store_error(error: SQLAlchemyError | sqlite3.Error, name: str, url: sa.URL) -> StoreError:
    """Return the error of ours for one of the database's.

    What libpq says of a connection that it could not make or lost is told: it has seen no rows.
    """
    code = _code(error)
    fields: dict[str, str | int] = {"transaction": name, "cause": type(error).__name__, "code": code}
    sqlite = url.get_backend_name() == "sqlite"
    place = url.database if sqlite else "the database server"
    if code in {"SQLITE_FULL", "53100"}:
        return StoreFullError("database_disk_full", **fields, place=place)
    if code.startswith(_DAMAGED):
        return StoreError("database_damaged", **fields, place=place)
    if isinstance(error, OperationalError) and not sqlite and not code:
        return StoreError("database_unreachable", **fields, reason=" ".join(str(error.orig).split())[:_LONGEST_REASON])
    if isinstance(error, IntegrityError):
        return StoreConflictError("stored_rows_conflict", **fields)
    return StoreError("database_failed", **fields)


def _code(error: SQLAlchemyError | sqlite3.Error) -> str:
    """Return the database's own code: SQLite's name of it, or PostgreSQL's SQLSTATE."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    name = "sqlite_errorname" if isinstance(cause, sqlite3.Error) else "sqlstate"
    return getattr(cause, name, None) or ""


def _raw(connection: sa.Connection) -> sqlite3.Connection:
    """Return the sqlite3 connection, for what must run outside a transaction."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


StateT = TypeVar("StateT", bound=StrEnum)


def state_text(states: type[StrEnum], length: int) -> sa.Enum:
    """Return the type of a text column that holds one of these states; reading any other text raises LookupError."""
    return sa.Enum(
        states,
        native_enum=False,
        create_constraint=False,
        length=length,
        values_callable=lambda kind: [state.value for state in kind],
    )


def following(transitions: Mapping[StateT, frozenset[StateT]], before: StateT, after: StateT) -> StateT:
    """Return the state that follows another, or the same again.

    Raises:
        ValueError: The table has no such transition, which is a fault of the caller.
    """
    if after is not before and after not in transitions[before]:
        raise ValueError(f"{type(before).__name__} {before.value} is not followed by {after.value}")
    return after


def enter_all(
    session: Session,
    column: InstrumentedAttribute[StateT] | InstrumentedAttribute[StateT | None],
    transitions: Mapping[StateT, frozenset[StateT]],
    before: Collection[StateT],
    after: StateT,
    *where: sa.ColumnElement[bool],
) -> None:
    """Let all rows that are in some states enter another one, in one statement.

    Args:
        column: The column of the state, made by `state_text`.
        transitions: The table of transitions.
        before: The states of the rows that enter it; rows in any other state stay as they are.
        after: The state that they enter.
        where: Further conditions.

    Raises:
        ValueError: One of the states is not followed by it, or the column is sealed and so changes row by row. Both are
            faults of the caller.
    """
    of = column.class_
    if isinstance(of, type) and issubclass(of, SealedRow) and column.key in of.sealed():
        raise ValueError(f"{column} is sealed: change each row by itself")
    for state in before:
        following(transitions, state, after)
    session.execute(sa.update(column.class_).where(column.in_(before), *where).values({column: after}))
