"""The end-to-end tests' worlds."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text

sys.path.insert(0, str(Path(__file__).parent))  # the tests of this folder share world.py, and folders are no packages

from world import World, lists

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import URL


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Three small lists with known common persons."""
    return lists(tmp_path)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A matcher and three nodes on SQLite."""
    (tmp_path / "world").mkdir()
    made = World(tmp_path / "world")
    try:
        made.make(["AL", "MK", "RS"])
        yield made
    finally:
        made.stop()


@pytest.fixture
def new_postgres_database(postgres_server: URL) -> Iterator[Callable[[], str]]:
    """Make fresh, empty PostgreSQL databases; their URLs as a settings file takes them."""
    engine = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    names: list[str] = []

    def make() -> str:
        names.append(f"e2e_{secrets.token_hex(6)}")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {names[-1]}"))
        return postgres_server.set(database=names[-1]).render_as_string(hide_password=False)

    yield make
    with engine.connect() as connection:
        for name in names:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()
