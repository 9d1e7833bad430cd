"""What all tests share: a group, a stage for rounds, and fresh stores on SQLite and on PostgreSQL.

The process that hands tests to others reads this file too: what takes long to load is imported where it is needed.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from sqlalchemy import URL

    from aquila.crypto.group import Group
    from services.kit.storage.store import Store
    from tests.support.exported import Exported
    from tests.support.staged_round import StagedRound

# Speed is measured in benchmarks, not in tests: a busy machine makes no test red. Nor does luck: Hypothesis tries the
# same examples each time, and `make explore` tries others, many more of them.
settings.register_profile("aquila", deadline=None, derandomize=True, max_examples=20)
settings.register_profile("explore", deadline=None, max_examples=2_000)
settings.load_profile("explore" if "AQUILA_EXPLORE" in os.environ else "aquila")

_FILES = "database_files"  # the marker of tests that look into the files of a SQLite database

# What is imported and collected stays until the end, so that there is no garbage to look for.
gc.disable()


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what stays until the end: a tenth of the time of whole rounds."""
    from tests.support.compiled_once import share_compiled_statements

    gc.freeze()
    gc.enable()
    share_compiled_statements()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    from tests.support.postgres_databases import running_postgres

    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: URL) -> Iterator[URL]:
    from sqlalchemy import make_url

    from tests.support.postgres_databases import PostgresDatabases

    with PostgresDatabases(postgres_server) as databases:
        yield make_url(databases.make())


@pytest.fixture(scope="session")
def group() -> Group:
    """The backend of this machine, on one thread: batches here are too small to share."""
    from aquila.crypto.backend import load_group

    return load_group(1)


@pytest.fixture(scope="session")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Homes of a matcher and three nodes after a round of lists with a query, and the logs of all, exported."""
    from tests.support.exported import play
    from tests.support.made_once import made_once

    with made_once(tmp_path_factory, "audited") as (path, is_new):
        if is_new:
            asyncio.run(play(path))
        return path


@pytest.fixture(scope="session")
def matchers_log(audited: Path) -> Exported:
    from tests.support.exported import exported

    return exported(audited, "matcher")


@pytest.fixture
def log(matchers_log: Exported) -> Exported:
    return matchers_log.copy()


@pytest.fixture
def staged(group: Group, tmp_path: Path) -> Callable[..., StagedRound]:
    from tests.support.played_stages import PlayedStage

    return partial(PlayedStage, group, tmp_path)


@pytest.fixture
def stage(staged: Callable[..., StagedRound]) -> StagedRound:
    return staged()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=["sqlite", "postgresql"], default="sqlite", help="what services run on")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # The round that is audited takes long to play: one process begins with it, and the others need not wait.
    first = next((one for one in items if "audited" in _fixtures(one)), None)
    items.sort(key=lambda one: one is not first)
    if config.getoption("--database") == "sqlite":
        return
    left_out = [one for one in items if "database_server" not in _fixtures(one) or one.get_closest_marker(_FILES)]
    items[:] = [one for one in items if one not in left_out]
    config.hook.pytest_deselected(items=left_out)


def _fixtures(test: pytest.Item) -> Sequence[str]:
    assert isinstance(test, pytest.Function)
    return test.fixturenames


@pytest.fixture
def new_postgres_database(postgres_server: URL) -> Iterator[Callable[[], str]]:
    """Make fresh, empty PostgreSQL databases, which go with the test; their URLs as a settings file takes them."""
    from tests.support.postgres_databases import PostgresDatabases

    with PostgresDatabases(postgres_server) as databases:
        yield databases.make


@pytest.fixture
def database_server(request: pytest.FixtureRequest) -> URL | None:
    if request.config.getoption("--database") == "sqlite":
        return None
    url: URL = request.getfixturevalue("postgres_server")
    return url


@pytest.fixture
def service_database(database_server: URL | None, request: pytest.FixtureRequest) -> Callable[[], str]:
    if database_server is None:
        return lambda: ""
    make: Callable[[], str] = request.getfixturevalue("new_postgres_database")
    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    from services.kit.settings import DatabaseSettings
    from services.kit.storage.store import database_url

    if request.param == "sqlite":
        return database_url(DatabaseSettings(), tmp_path / "aquila.db")
    url: URL = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def store(store_url: URL) -> Iterator[Store]:
    """A store on a fresh, empty database, once of each kind."""
    from services.kit.storage.store import Store

    opened = Store(store_url, wait_seconds=5)
    yield opened
    opened.close()
