"""Sealed rows: write access to the database alone changes nothing that people decided.

A row of a sealed table carries an HMAC-SHA256 (RFC 2104) over the names and values of its sealed columns, its primary
key among them, under a key that lies in the home and not in the database. The seal is made when a row is stored and
checked when it is read, by events of the mapper: no use case can forget it. What is written past the mapper leaves a
sealed column as it is, or breaks the seal.

A row whose seal is wrong is left out of what a query finds, as if it had been deleted, which nobody can prevent either;
a session that is asked for this very row refuses (`SealedSession`). Each is remembered for the report on the service's
health. A seal does not tell a row from an older one of the same key, but where the log says when rows were changed last
(`Changes`), and misses none that is deleted (docs/THREAT_MODEL.md, *An administrator of the database*). A store without
a key, such as that of a restore, neither seals nor checks.
"""

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import LargeBinary, event, inspect, orm, select
from sqlalchemy.engine import Connection, Result

from services.kit.errors import ForgedRowError
from services.kit.logging import Log

_LOG = Log("kit.row_seals")
ROW_KEY = "row_key"
"""Under which a session has the key of its store's rows."""
REFUSED = "aquila_refused"
"""The execution option of a query that refuses a row that this service did not write, and leaves none out."""
_RUNNING = "rows left out of the query"
_NEWEST = "newest changes"
_LEFT_OUT = "rows left out"
_MOST_KEPT = 1_000


class RowKey:
    """The key of the seals, which does not show itself, and what was found of rows that somebody else changed.

    Attributes:
        missing: By round, hits that were stored once and are gone.
    """

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._forged: dict[tuple[str, object], None] = {}
        self.missing: dict[str, int] = {}

    def __repr__(self) -> str:
        return "RowKey()"

    def seal(self, table: str, values: Iterable[object]) -> bytes:
        """Return the seal of a row, 32 bytes."""
        text = json.dumps([table, *map(_plain, values)], separators=(",", ":"), sort_keys=True)
        return hmac.digest(self._octets, text.encode(), hashlib.sha256)

    def fits(self, table: str, key: object, values: Iterable[object], seal: bytes | None) -> bool:
        """Return whether this service wrote a row with these values; one that it did not is remembered."""
        if seal is not None and hmac.compare_digest(self.seal(table, values), bytes(seal)):
            return True
        self.distrust(table, key)
        return False

    def distrust(self, table: str, key: object) -> None:
        """Remember a row that this service did not write so, for the report on its health."""
        if (table, key) not in self._forged:
            _LOG.error("row_not_authentic", problem=table)
            if len(self._forged) < _MOST_KEPT:
                self._forged[table, key] = None

    def note_missing(self, hits: Mapping[str, int], *, every: bool = False) -> None:
        """Remember how many hits of rounds are gone."""
        known = {} if every else self.missing
        found = {round_id: count for round_id, count in (known | dict(hits)).items() if count}
        for round_id in found.keys() - self.missing.keys():
            _LOG.error("hits_missing", round=round_id, count=found[round_id])
        self.missing = found

    def check(self, table: str, key: object, values: Iterable[object], seal: bytes | None) -> None:
        """Refuse a row that this service did not write, or not with these values."""
        if not self.fits(table, key, values, seal):
            raise ForgedRowError("row_not_authentic", table=table)

    def forged(self) -> Counter[str]:
        """Return by table how many rows were met since the start that this service did not write, 1,000 at most."""
        return Counter(table for table, _ in list(self._forged))


class Changes(NamedTuple):
    """What the log has of the changes of a table's rows: one sealed before the newest change no longer counts."""

    place: str
    """The column of the row's key."""
    by: str
    """The column with the index of the newest entry about the row."""
    newest: Callable[[orm.Session], Mapping[str, int]]
    """Returns that from the log, by key."""


class SealedRow:
    """A row with a seal over all of its columns but those that it names."""

    unsealed: ClassVar[tuple[str, ...]] = ()
    """Columns that the database numbers, or that are changed in many rows at once."""
    changes: ClassVar[Changes | None] = None
    """The changes of its rows that the log has, if any."""
    seal: orm.Mapped[bytes | None] = orm.mapped_column(
        LargeBinary, sort_order=1_000, comment="HMAC of what of it counts, under a key of the home."
    )

    @classmethod
    @cache
    def sealed(cls) -> tuple[str, ...]:
        """Return the names of the sealed columns, in the order in which the seal has them."""
        columns: orm.Mapper[Any] = inspect(cls)
        return tuple(one.key for one in columns.column_attrs if one.key not in {"seal", *cls.unsealed})


def sealed_classes(bases: Iterable[type[orm.DeclarativeBase]]) -> Iterator[type[orm.DeclarativeBase]]:
    """Yield the classes of sealed rows of a service, by the bases of its tables."""
    for base in bases:
        for mapper in base.registry.mappers:
            if issubclass(mapper.class_, SealedRow) and issubclass(mapper.class_, base):
                yield mapper.class_


def seal_again(
    session: orm.Session, bases: Iterable[type[orm.DeclarativeBase]], old: RowKey | None, new: RowKey
) -> None:
    """Seal every row under another key, in a session of a store without a key.

    Args:
        bases: Of the service's tables.
        old: The earlier key: a row that is not sealed under it stays as it is. None accepts all rows as they are.
    """
    for one in sealed_classes(bases):
        for row in session.scalars(select(one)):
            assert isinstance(row, SealedRow)
            if old is None or is_sealed(row, old):
                row.seal = seal_of(row, new)


def count_forged(session: orm.Session, bases: Iterable[type[orm.DeclarativeBase]], key: RowKey) -> Counter[str]:
    """Return by table how many rows are older ones, or not sealed under a key, in a session of a store without one."""
    found: Counter[str] = Counter()
    for one in sealed_classes(bases):
        newest = _newest(session, one)
        for row in session.scalars(select(one).execution_options(yield_per=_MOST_KEPT)):
            assert isinstance(row, SealedRow)
            found[str(one.__tablename__)] += not is_sealed(row, key) or _is_older(row, newest)
    return found


def seal_of(row: SealedRow, key: RowKey) -> bytes:
    """Return the seal of a row under a key."""
    return key.seal(*_parts(row))


def is_sealed(row: SealedRow, key: RowKey) -> bool:
    """Return whether a row is sealed under a key."""
    return row.seal is not None and hmac.compare_digest(bytes(row.seal), seal_of(row, key))


def _parts(row: SealedRow) -> tuple[str, list[object]]:
    """Return the table of a row, and the values of its sealed columns with their names."""
    return str(row.__tablename__), [[name, getattr(row, name)] for name in row.sealed()]  # type: ignore[attr-defined]  # every row has one


def _plain(value: object) -> object:
    """Return a column's value as JSON has it, the same before it is stored and after it was read."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


def _key_of(session: orm.Session | None) -> RowKey | None:
    return None if session is None else session.info.get(ROW_KEY)


@event.listens_for(SealedRow, "before_insert", propagate=True)
def _before_insert(mapper: orm.Mapper[Any], _connection: Connection, row: SealedRow) -> None:
    """Seal a new row, with the defaults that it will have."""
    for name in row.sealed():
        default = mapper.columns[name].default
        if getattr(row, name) is None and default is not None and default.is_scalar:
            setattr(row, name, default.arg)  # type: ignore[attr-defined]  # a scalar default has one
    _before_update(mapper, _connection, row)


@event.listens_for(SealedRow, "before_update", propagate=True)
def _before_update(_mapper: orm.Mapper[Any], _connection: Connection, row: SealedRow) -> None:
    key = _key_of(orm.object_session(row))
    if key is not None:
        row.seal = seal_of(row, key)


@event.listens_for(SealedRow, "load", propagate=True)
def _loaded(row: SealedRow, context: orm.QueryContext) -> None:
    """Check a row that was read: it is noted where the query leaves it out, and refused otherwise."""
    key, leaving_out = _key_of(context.session), context.session.info.get(_RUNNING)
    if key is None:
        return
    (table, values), place = _parts(row), inspect(row).identity
    if key.fits(table, place, values, row.seal):
        if not _is_older(row, context.session.info.get(_NEWEST, {})):
            return
        key.distrust(table, place)
    if leaving_out is None:
        raise ForgedRowError("row_not_authentic", table=table)
    leaving_out.append(row)


@event.listens_for(SealedRow, "refresh", propagate=True)
def _refreshed(row: SealedRow, context: orm.QueryContext, attributes: Iterable[str] | None) -> None:
    if attributes is None:
        _loaded(row, context)


class SealedSession(orm.Session):
    """A session whose queries leave out rows that this service did not write; `get` and `get_one` refuse one."""

    def get(self, *asked: Any, **options: Any) -> Any:
        """Return a row by its primary key, or None; raises ForgedRowError if the service did not write it."""
        return super().get(*asked, **options | {"execution_options": {REFUSED: True}})


def left_out(session: orm.Session) -> list[SealedRow]:
    """Return the rows that queries of a session have left out, with the values that somebody else wrote."""
    found: list[SealedRow] = session.info.get(_LEFT_OUT, [])
    return found


@event.listens_for(SealedSession, "do_orm_execute")
def _executing(state: orm.ORMExecuteState) -> Result[Any] | None:
    """Leave rows that this service did not write out of a query's result."""
    info = state.session.info
    if not state.is_select or not state.is_orm_statement or not (kinds := _sealed_kinds(state.statement)):
        return None
    # Before the rows are read: one that is changed meanwhile is newer, and never taken for an older one.
    info[_NEWEST] = {place: at for kind in kinds for place, at in _newest(state.session, kind).items()}
    if state.execution_options.get(REFUSED):
        return None
    forged: list[SealedRow] = []
    info[_RUNNING] = forged
    try:
        found = state.invoke_statement().freeze()
    finally:
        del info[_RUNNING]
    if not forged:
        return found()
    for row in forged:
        state.session.expunge(row)
    info.setdefault(_LEFT_OUT, []).extend(forged)
    wrong = set(map(id, forged))
    return found.with_new_rows([row for row in found().all() if wrong.isdisjoint(map(id, row))])()


def _sealed_kinds(statement: object) -> list[type[SealedRow]]:
    """Return the classes of which a query loads sealed rows, and not only columns of them."""
    kinds = (one["expr"] for one in getattr(statement, "column_descriptions", ()))
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, SealedRow)]


def _newest(session: orm.Session, kind: type[Any]) -> Mapping[str, int]:
    """Return the newest changes of a class of rows, by key."""
    return {} if kind.changes is None else kind.changes.newest(session)


def _is_older(row: SealedRow, newest: Mapping[str, int]) -> bool:
    """Return whether a row was changed since, by what the log said before it was read."""
    changes = row.changes
    return changes is not None and getattr(row, changes.by) < newest.get(getattr(row, changes.place), 0)
