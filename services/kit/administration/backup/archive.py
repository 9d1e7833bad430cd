"""The content of a backup: JSON lines, compressed, signed by the service's identity key and sealed to a recipient.

The first line is the head; then each file of the home is a line; then each table is a line that begins its rows, each
an array; then a line with the counts; the last line is the signature over all before. Anybody can seal to a public key,
so only the signature says that a backup is the service's own. Nothing is taken from a backup before it was read and
verified to its end. Rows come out of one snapshot and go into an empty database, the same for SQLite and PostgreSQL.
"""

import base64
import contextlib
import gzip
import hashlib
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from sqlalchemy import Connection, LargeBinary, MetaData, Table, inspect, select, text
from sqlalchemy.orm import Session

from aquila.crypto.keys import SealingKey, SigningKey, VerifyKey
from aquila.crypto.sealing import OpeningReader, SealingWriter
from aquila.errors import AquilaError, InputError

CONTEXT = b"backup"
_LABEL = b"aquila/2 backup "
_LARGEST_LINE = 512 << 20
_LEVEL = 6
_BROKEN = (gzip.BadGzipFile, EOFError, zlib.error, ValidationError, ValueError)


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Needed(_Line):
    """A file that the settings name and the backup does not hold."""

    setting: str
    file: str
    secret: bool


class Head(_Line):
    """The head of a backup: whose it is, and from when."""

    backup: Literal[1] = 1
    service: Literal["node", "matcher"]
    party: str
    release: str
    revision: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]
    database: str
    created_at: int
    identity: str
    log_keys: tuple[str, ...] = ()
    """The keys that signed checkpoints of the service's own log, the oldest first (PROTOCOL.md 11.9); none in a backup
    from before keys could be replaced, where the identity key alone did."""
    log_size: int
    log_root: str
    """The root over them, or nothing for an empty log."""
    needed: tuple[Needed, ...] = ()
    """Files that a restored home also needs."""

    @property
    def key(self) -> VerifyKey:
        """The public identity key; raises MalformedError if it is not valid."""
        return VerifyKey.from_hex(self.identity)

    @property
    def keys(self) -> tuple[VerifyKey, ...]:
        """The keys of the own log, the oldest first; raises MalformedError if one is not valid."""
        return tuple(map(VerifyKey.from_hex, self.log_keys or (self.identity,)))


class HomeFile(_Line):
    """A file of the home: its name, relative to it, and its content."""

    file: str
    content: str

    @classmethod
    def of(cls, name: str, content: bytes) -> "HomeFile":
        """Make the line of a file."""
        return cls(file=name, content=base64.b64encode(content).decode())

    def octets(self) -> bytes:
        """Return the content; raises ValueError if it is not base64."""
        return base64.b64decode(self.content, validate=True)


class TableHead(_Line):
    """The beginning of a table's rows: its columns in order, and which of them hold bytes, in base64."""

    table: str
    columns: tuple[str, ...]
    binary: tuple[int, ...] = ()

    def write(self, row: Sequence[Any]) -> list[Any]:
        """Return a row as it is written."""
        values = list(row)
        for index in self.binary:
            if values[index] is not None:
                values[index] = base64.b64encode(bytes(values[index])).decode()
        return values

    def read(self, row: list[Any]) -> dict[str, Any]:
        """Return a written row by column; raises ValueError where it does not fit."""
        if len(row) != len(self.columns):
            raise ValueError("a row does not fit its table")
        for index in self.binary:
            if row[index] is not None:
                row[index] = base64.b64decode(row[index], validate=True)
        return dict(zip(self.columns, row, strict=True))


class Counts(_Line):
    """The rows of each table, at the end."""

    rows: dict[str, int]


class _Signature(_Line):
    signature: str


@dataclass
class ArchiveWriter:
    """Writes the lines of a backup."""

    into: BinaryIO
    digest: Any = field(default_factory=hashlib.sha256)
    rows: Counter[str] = field(default_factory=Counter)

    def put(self, line: _Line | list[Any]) -> None:
        """Write one line."""
        document = line.model_dump(mode="json") if isinstance(line, BaseModel) else line
        octets = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self.digest.update(octets)
        self.into.write(octets)

    def put_rows(self, head: TableHead, rows: Iterator[Sequence[Any]]) -> None:
        """Write a table."""
        self.put(head)
        self.rows[head.table] = 0
        for row in rows:
            self.put(head.write(row))
            self.rows[head.table] += 1

    def sign(self, identity: SigningKey) -> None:
        """Write the counts and the signature."""
        self.put(Counts(rows=dict(self.rows)))
        self.put(_Signature(signature=identity.sign(_LABEL + self.digest.digest()).hex()))


@contextlib.contextmanager
def writing(into: BinaryIO, public: bytes) -> Iterator[ArchiveWriter]:
    """Write a backup; where the block raises, what was written does not open."""
    sealing = SealingWriter(into, public, CONTEXT)
    try:
        with gzip.GzipFile("", "wb", _LEVEL, sealing, mtime=0) as packed:
            yield ArchiveWriter(packed)  # type: ignore[arg-type]  # GzipFile is a BinaryIO in all but name
    except BaseException:
        sealing.abandon()
        raise
    sealing.close()


@dataclass(frozen=True, slots=True)
class Row:
    """A row with the table that it is of."""

    table: str
    values: dict[str, Any]


def read_archive(source: BinaryIO, key: SealingKey) -> Iterator[Head | HomeFile | TableHead | Row | Counts]:
    """Yield the lines of a backup in order; when the last was yielded without an error, all of them are verified.

    Raises:
        SealError: It does not open: another key, changed, or cut.
        SignatureError: It is not signed by the key that its head names.
    """
    try:
        opening = OpeningReader(source, key, CONTEXT)
        with gzip.GzipFile("", "rb", fileobj=io.BufferedReader(opening, 1 << 17)) as packed:
            yield from _lines(packed)  # type: ignore[arg-type]  # GzipFile is a BinaryIO in all but name
    except AquilaError:
        raise
    except _BROKEN:
        raise InputError("backup_content_malformed") from None


def _lines(packed: BinaryIO) -> Iterator[Head | HomeFile | TableHead | Row | Counts]:
    digest, rows, table = hashlib.sha256(), Counter[str](), None
    first = packed.readline(_LARGEST_LINE)
    document = json.loads(first)
    if not isinstance(document, dict) or document.get("backup") != 1:
        raise InputError("backup_form_unknown", got=str(document.get("backup")) if isinstance(document, dict) else "")
    head = Head.model_validate(document)
    digest.update(first)
    yield head
    while line := packed.readline(_LARGEST_LINE):
        document = json.loads(line)
        if isinstance(document, dict) and "signature" in document:
            signature = bytes.fromhex(_Signature.model_validate(document).signature)
            head.key.verify(signature, _LABEL + digest.digest())
            if packed.read(1):
                raise ValueError("something follows the signature")
            return
        digest.update(line)
        if isinstance(document, list):
            if table is None:
                raise ValueError("a row without a table")
            rows[table.table] += 1
            yield Row(table.table, table.read(document))
        elif "table" in document:
            table = TableHead.model_validate(document)
            rows[table.table] += 0
            yield table
        elif "rows" in document:
            counts = Counts.model_validate(document)
            if counts.rows != dict(rows):
                raise ValueError("rows are missing")
            yield counts
        else:
            yield HomeFile.model_validate(document)
    raise ValueError("the signature is missing")


_AT_ONCE = 200
_LOG = ("log_checkpoint", "log_edge", "log_entry")
_VERSION = "alembic_version"


def tables_of(metadata: MetaData, left_out: frozenset[str]) -> list[Table]:
    """Return the tables of a backup, those first that others refer to; checkpoints before the entries they cover."""
    kept = [table for table in metadata.sorted_tables if table.name not in left_out | set(_LOG)]
    return [*kept, *(metadata.tables[name] for name in _LOG)]  # nothing refers to these


def head_of(table: Table) -> TableHead:
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
        """Begin a table; raises InputError if the schema of the backup's revision has no such table or column."""
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
