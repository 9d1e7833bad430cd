"""Databases of a PostgreSQL server of the tests: empty ones, and copies."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Self

from sqlalchemy import URL, NullPool, create_engine, make_url, text

if TYPE_CHECKING:
    from types import TracebackType


class PostgresDatabases:
    """Databases on a server, for a `with` block at whose end they are dropped."""

    def __init__(self, server: URL) -> None:
        self._server = server
        self._engine = create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        self._names: list[str] = []

    def make(self, original: str = "") -> str:
        """Make an empty database, or a copy of the one with this URL, to which nobody is connected.

        Returns:
            Its URL, as a settings file takes it.
        """
        self._names.append(f"made_{secrets.token_hex(6)}")
        template = f" TEMPLATE {make_url(original).database}" if original else ""
        with self._engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {self._names[-1]}{template}"))
        return self._server.set(database=self._names[-1]).render_as_string(hide_password=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._engine.connect() as connection:
            for name in self._names:
                connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
