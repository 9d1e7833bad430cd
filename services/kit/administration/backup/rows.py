"""Rows of a service's database, out of one snapshot and into an empty database, the same for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, LargeBinary, MetaData, Table, inspect, select, text
from sqlalchemy.orm import Session

from aquila.errors import InputError
from services.kit.administration.backup.archive import Row, TableHead

_AT_ONCE = 200
_LOG = ("log_checkpoint", "log_edge", "log_entry")
_VERSION = "alembic_version"


def tables_of(metadata: MetaData, left_out: frozenset[str]) -> list[Table]:
    """Return the tables of a backup, those first that others refer to; checkpoints before the entries they cover."""
    kept = [table for table in metadata.sorted_tables if table.name not in left_out | set(_LOG)]
    return [*kept, *(metadata.tables[name] for name in _LOG)]  # nothing refers to these


def head_of(table: Table) -> TableHead:
    """Return the head of a table's rows."""
    binary = tuple(index for index, column in enumerate(table.columns) if isinstance(column.type, LargeBinary))
    return TableHead(table=table.name, columns=tuple(table.columns.keys()), binary=binary)


def rows_of(session: Session, table: Table) -> Iterator[Sequence[Any]]:
    """Yield the rows of a table by primary key, some at a time."""
    query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_AT_ONCE)
    with session.execute(query) as found:
        yield from found


class RowWriter:
    """Writes rows into tables that are there and empty, within the caller's transaction."""

    def __init__(self, connection: Connection) -> None:
        """Empty every table of the schema: some migrations put a row into a new table."""
        self._connection = connection
        found = MetaData()
        found.reflect(connection)
        self._tables = {name: table for name, table in found.tables.items() if name != _VERSION}
        for table in reversed(found.sorted_tables):
            if table.name != _VERSION:
                connection.execute(table.delete())
        self._table: Table | None = None
        self._waiting: list[dict[str, Any]] = []

    def begin(self, head: TableHead) -> None:
        """Begin a table.

        Raises:
            InputError: The schema of the backup's revision has no such table or column.
        """
        self.flush()
        table = self._tables.get(head.table)
        if table is None or not set(head.columns) <= set(table.columns.keys()):
            raise InputError("backup_table_unknown", table=head.table)
        self._table = table

    def put(self, row: Row) -> None:
        """Write a row of the table that was begun."""
        self._waiting.append(row.values)
        if len(self._waiting) >= _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Write the rows that wait."""
        if self._waiting and self._table is not None:
            self._connection.execute(self._table.insert(), self._waiting)
            self._waiting = []

    def finish(self) -> None:
        """Write the rows that wait, and let PostgreSQL's sequences go on behind them."""
        self.flush()
        if self._connection.dialect.name != "postgresql":
            return
        for table in self._tables.values():
            for column in table.primary_key.columns:
                name = self._connection.dialect.identifier_preparer.format_table(table)
                sequence = self._connection.execute(
                    text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": name, "column": column.name}
                ).scalar()
                if sequence is not None:
                    last = self._connection.execute(select(column).order_by(column.desc()).limit(1)).scalar()
                    values = {"sequence": sequence, "last": last or 1, "used": last is not None}
                    self._connection.execute(text("SELECT setval(:sequence, :last, :used)"), values)


def is_empty(connection: Connection) -> bool:
    """Return whether a database has no table."""
    return not inspect(connection).get_table_names()
