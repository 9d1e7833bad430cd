"""SQL that is compiled once: all engines of SQLite in a test process share what SQLAlchemy has compiled.

A service has one engine, which compiles each of its statements once. Tests start services by the hundred, and to
compile all statements anew for each of them takes a third of a test's time.
"""

from typing import Any

import sqlalchemy
from sqlalchemy import Dialect, Engine
from sqlalchemy.util import LRUCache

_MOST_STATEMENTS = 5_000

_make_engine = sqlalchemy.create_engine
_compiled: LRUCache[Any, Any] = LRUCache(_MOST_STATEMENTS)
_dialects: dict[str, Dialect] = {}


def share_compiled_statements() -> None:
    """Have engines that are made from now on share the dialect, by which SQLAlchemy keeps statements, and these."""
    sqlalchemy.create_engine = _create_engine  # type: ignore[assignment]  # it is called by this name


def _create_engine(*args: Any, **options: Any) -> Engine:
    made = _make_engine(*args, **options)
    if made.dialect.name == "sqlite":
        made.dialect = made.pool._dialect = _dialects.setdefault(made.dialect.driver, made.dialect)
        made._compiled_cache = _compiled
    return made
