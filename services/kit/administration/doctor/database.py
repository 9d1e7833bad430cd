"""The doctor's look at a database: whether it answers, its schema, its rights, alarms in it, and the newest backup."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from sqlalchemy import Connection, create_engine, func, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind
from aquila.interface.service.health import Grade
from services.kit.administration.backup.services import BackedService
from services.kit.administration.doctor.findings import Finding, Findings, critical, fine, warning
from services.kit.log.entries import ALARMS, ENTRIES
from services.kit.log.entries import count_forged as count_forged_entries
from services.kit.people.people_key import row_key_of
from services.kit.settings import KeyedSettings
from services.kit.storage.files import check_private
from services.kit.storage.migrate import head_revision, known_revisions, revision_of
from services.kit.storage.row_seals import RowKey, count_forged
from services.kit.storage.store import database_url, store_error

_OLD_BACKUP_DAYS = 7
_DAY = 86_400


def examine_database(service: BackedService, settings: KeyedSettings, now: int) -> Findings:
    """Yield findings about a database, which is opened for reading alone.

    Args:
        service: Which service.
        settings: Its settings.
        now: Seconds since 1970.
    """
    url = database_url(settings.database, settings.home / service.database_file)
    try:
        with reading(service, settings) as connection:
            if connection is None:
                yield warning("database", "doctor_database_missing", file=str(settings.home / service.database_file))
            else:
                yield from _examine(service, connection, now, row_key_of(settings.home))
    except (SQLAlchemyError, sqlite3.Error) as error:
        yield Finding("database", Grade.CRITICAL, store_error(error, "doctor", url).sentence)


@contextlib.contextmanager
def reading(service: BackedService, settings: KeyedSettings) -> Iterator[Connection | None]:
    """Open a service's database for reading alone; None where the file of a SQLite database is missing.

    Raises:
        KeyMaterialError: The file is open to others.
        SQLAlchemyError: The database cannot be opened.
    """
    url = database_url(settings.database, settings.home / service.database_file)
    if url.get_backend_name() == "sqlite":
        path = settings.home / service.database_file if not settings.database.url else None
        path = path or settings.home / str(url.database)
        if not path.exists():
            yield None
            return
        check_private(path)
        # Without a write-ahead log nobody has it open, and `immutable` leaves no file behind.
        mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
        engine = create_engine(f"sqlite:///file:{path}?{mode}&uri=true", hide_parameters=True)
    else:
        arguments = {"connect_timeout": 10, "options": "-c default_transaction_read_only=on"}
        engine = create_engine(url, connect_args=arguments, hide_parameters=True)
    try:
        with contextlib.closing(engine.connect()) as connection:
            yield connection
    finally:
        engine.dispose()


def _examine(service: BackedService, connection: Connection, now: int, key: RowKey | None) -> Iterator[Finding]:
    if connection.dialect.name == "postgresql":
        yield from _postgresql(connection)
    elif connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
        yield critical("database", "database_damaged", place=str(connection.engine.url.database))
        return
    if not inspect(connection).get_table_names():
        yield warning("database", "doctor_database_empty")
        return
    revision = revision_of(connection)
    if revision not in known_revisions(service.package):
        yield critical("database", "database_schema_unknown", revision=revision)
        return
    if revision != head_revision(service.package):
        yield warning("database", "doctor_database_older", revision=revision)
        return
    yield fine("database", "doctor_database_fine", kind=connection.dialect.name, revision=revision)
    alarms = connection.scalar(select(func.count()).select_from(ALARMS).where(ALARMS.c.acknowledged_at.is_(None)))
    if alarms:
        yield critical("log", "doctor_log_alarms", count=alarms)
    if key is not None:
        yield from _forged(service, connection, key)
    newest = connection.scalar(select(func.max(ENTRIES.c.time)).where(ENTRIES.c.kind == EntryKind.BACKUP.value))
    if newest is None:
        yield warning("backup", "doctor_no_backup", service=service.name)
    elif now - newest > _OLD_BACKUP_DAYS * _DAY:
        yield warning("backup", "doctor_backup_old", days=(now - newest) // _DAY, service=service.name)
    else:
        yield fine("backup", "doctor_backup_fine", days=max(0, now - newest) // _DAY)


def _forged(service: BackedService, connection: Connection, key: RowKey) -> Iterator[Finding]:
    """Yield a finding for each table with rows that the service did not write."""
    with Session(connection) as session:
        found = count_forged(session, service.tables, key)
        found[ENTRIES.name] += count_forged_entries(session, key)
    for table, count in sorted((+found).items()):
        yield critical("rows", "health_rows_not_authentic", count=count, table=table)


def _postgresql(connection: Connection) -> Iterator[Finding]:
    rights = connection.execute(
        text(
            "SELECT has_schema_privilege(current_schema(), 'CREATE'), rolsuper "
            "FROM pg_roles WHERE rolname = current_user"
        )
    ).one()
    if not rights[0]:
        yield critical("database", "doctor_database_rights")
    if rights[1]:
        yield warning("database", "doctor_database_superuser")
    if connection.scalar(text("SHOW synchronous_commit")) in {"off", "local"}:
        yield critical("database", "doctor_database_asynchronous")
