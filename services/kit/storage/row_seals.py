"""Sealed rows: write access to the database alone changes nothing that people decided.

A row of a sealed table carries an HMAC-SHA256 (RFC 2104) over the names and values of its sealed columns, its primary
key among them, under a key that lies in the home and not in the database. The seal is made when a row is stored and
checked when it is read, by events of the mapper: no use case can forget it. What is written past the mapper leaves a
sealed column as it is, or breaks the seal.

A seal does not tell a row from an older one of the same key, and misses none that is deleted (docs/THREAT_MODEL.md, *An
administrator of the database*). A store without a key, such as that of a restore, neither seals nor checks.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import LargeBinary, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, object_session

from services.kit.errors import ForgedRowError
from services.kit.logging import Log

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy.engine import Connection
    from sqlalchemy.orm import Mapper, QueryContext, Session

_LOG = Log("kit.row_seals")
ROW_KEY = "row_key"
"""Under which a session has the key of its store's rows."""


class RowKey:
    """The key of the seals, which does not show itself."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def __repr__(self) -> str:
        return "RowKey()"

    def seal(self, table: str, values: Iterable[object]) -> bytes:
        """Return the seal of a row, 32 bytes.

        Args:
            table: Its table.
            values: Of its sealed columns, in an order that is always the same.
        """
        text = json.dumps([table, *map(_plain, values)], separators=(",", ":"), sort_keys=True)
        return hmac.digest(self._octets, text.encode(), hashlib.sha256)

    def check(self, table: str, values: Iterable[object], seal: bytes | None) -> None:
        """Refuse a row that this service did not write.

        Raises:
            ForgedRowError: It did not, or not with these values.
        """
        if seal is None or not hmac.compare_digest(self.seal(table, values), bytes(seal)):
            _LOG.error("row_not_authentic", problem=table)
            raise ForgedRowError("row_not_authentic", table=table)


class SealedRow:
    """A row with a seal.

    Attributes:
        sealed: The names of the sealed columns, in the order in which the seal has them.
    """

    sealed: ClassVar[tuple[str, ...]]
    seal: Mapped[bytes | None] = mapped_column(
        LargeBinary, sort_order=1_000, comment="HMAC of what of it counts, under a key of the home."
    )


def sealed_classes(bases: Iterable[type[DeclarativeBase]]) -> Iterator[type[DeclarativeBase]]:
    """Yield the classes of sealed rows of a service, by the bases of its tables."""
    for base in bases:
        for mapper in base.registry.mappers:
            if issubclass(mapper.class_, SealedRow) and issubclass(mapper.class_, base):
                yield mapper.class_


def seal_again(session: Session, bases: Iterable[type[DeclarativeBase]], old: RowKey | None, new: RowKey) -> None:
    """Seal every row under another key, in a session of a store without a key.

    Args:
        session: The transaction.
        bases: Of the service's tables.
        old: The key of before: a row that is not sealed under it stays as it is. None accepts all rows as they are.
        new: The key from now on.
    """
    for one in sealed_classes(bases):
        for row in session.scalars(select(one)):
            assert isinstance(row, SealedRow)
            if old is None or is_sealed(row, old):
                row.seal = seal_of(row, new)


def seal_of(row: SealedRow, key: RowKey) -> bytes:
    """Return the seal of a row under a key."""
    return key.seal(*_parts(row))


def is_sealed(row: SealedRow, key: RowKey) -> bool:
    """Return whether a row is sealed under a key."""
    return row.seal is not None and hmac.compare_digest(bytes(row.seal), seal_of(row, key))


def _parts(row: SealedRow) -> tuple[str, list[object]]:
    """Return the table of a row, and the values of its sealed columns with their names."""
    return str(row.__tablename__), [[name, getattr(row, name)] for name in row.sealed]  # type: ignore[attr-defined]  # every row has one


def _plain(value: object) -> object:
    """Return a column's value as JSON has it, the same before it is stored and after it was read."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


def _key_of(session: Session | None) -> RowKey | None:
    return None if session is None else session.info.get(ROW_KEY)


@event.listens_for(SealedRow, "before_insert", propagate=True)
def _before_insert(mapper: Mapper[Any], _connection: Connection, row: SealedRow) -> None:
    """Seal a new row, with the defaults that it will have."""
    for name in row.sealed:
        default = mapper.columns[name].default
        if getattr(row, name) is None and default is not None and default.is_scalar:
            setattr(row, name, default.arg)  # type: ignore[attr-defined]  # a scalar default has one
    _before_update(mapper, _connection, row)


@event.listens_for(SealedRow, "before_update", propagate=True)
def _before_update(_mapper: Mapper[Any], _connection: Connection, row: SealedRow) -> None:
    key = _key_of(object_session(row))
    if key is not None:
        row.seal = seal_of(row, key)


@event.listens_for(SealedRow, "load", propagate=True)
def _loaded(row: SealedRow, context: QueryContext) -> None:
    key = _key_of(context.session)
    if key is not None:
        key.check(*_parts(row), row.seal)


@event.listens_for(SealedRow, "refresh", propagate=True)
def _refreshed(row: SealedRow, context: QueryContext, attributes: Iterable[str] | None) -> None:
    if attributes is None:
        _loaded(row, context)
