"""Worlds that were played once: a test that is not about what was played begins with a copy.

A copy has the homes, databases and time of the world that was played. Its matcher and nodes start anew from them, as
after a power cut of everyone at once, so that whatever a round is in the middle of goes on. Nothing else can matter:
what is not stored is lost with a process, and steps start from the store.

A world on SQLite is played once for all test processes of a run; one on PostgreSQL once in each, which has a server of
its own.
"""

import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest
from sqlalchemy import URL

from tests.support.clock import Clock
from tests.support.made_once import made_once
from tests.support.node_world import World, make_world, open_world
from tests.support.postgres_databases import PostgresDatabases

T = TypeVar("T")


class WorldAfter(Protocol):
    """Return a copy of the world after a function has played in it, and what that function returned."""

    async def __call__(self, play: Callable[[World], Awaitable[T]]) -> tuple[World, T]: ...


@dataclass(frozen=True)
class _Played:
    """A world that was played and stopped; the URLs of its nodes' databases by code, where they are not SQLite's.

    What was found goes from one test process to the others, so it is plain data.
    """

    path: Path
    databases: dict[str, str]
    time: int
    found: Any


async def _played(
    play: Callable[[World], Awaitable[Any]], path: Path, codes: tuple[str, ...], databases: dict[str, str]
) -> _Played:
    clock = Clock()
    world = make_world(path, clock, codes, databases)
    try:
        found = await play(world)
    finally:
        await world.close()
    return _Played(path, databases, clock.time, found)


async def _played_once(
    play: Callable[[World], Awaitable[Any]], factory: pytest.TempPathFactory, codes: tuple[str, ...]
) -> _Played:
    """Play on SQLite, unless a test process of this run has done it."""
    name = ".".join([play.__module__, play.__name__, *codes])
    with made_once(factory, name) as (folder, is_new):
        path, record = folder / "world", folder / "played.json"
        if is_new:
            path.mkdir()
            played = await _played(play, path, codes, {})
            record.write_text(json.dumps([played.time, played.found]))
        return _Played(path, {}, *json.loads(record.read_text()))


def _copy(played: _Played, path: Path, clock: Clock, codes: tuple[str, ...], databases: dict[str, str]) -> World:
    """Copy a world into the folder and onto these copies of its databases, and start it."""
    shutil.copytree(played.path, path, dirs_exist_ok=True)
    for code, url in databases.items():
        settings = path / code / "node.toml"
        settings.write_text(settings.read_text().replace(played.databases[code], url))
    clock.time = played.time
    return open_world(path, clock, codes)


@pytest.fixture(scope="session")
def played_worlds() -> dict[Hashable, _Played]:
    """The worlds that this process has played or looked up so far, by what was played, by whom, and on which server."""
    return {}


@pytest.fixture
async def world_after(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    clock: Clock,
    codes: tuple[str, ...],
    database_server: URL | None,
    played_worlds: dict[Hashable, _Played],
) -> AsyncIterator[WorldAfter]:
    async with AsyncExitStack() as stack:
        databases = None if database_server is None else stack.enter_context(PostgresDatabases(database_server))

        async def after(play: Callable[[World], Awaitable[T]]) -> tuple[World, T]:
            key = play, codes, database_server
            if key not in played_worlds and database_server is None:
                played_worlds[key] = await _played_once(play, tmp_path_factory, codes)
            elif key not in played_worlds:
                # These databases are never dropped: the server goes with this process.
                lasting = PostgresDatabases(database_server)
                urls = {code: lasting.make() for code in codes}
                played_worlds[key] = await _played(play, tmp_path_factory.mktemp("played"), codes, urls)
            played = played_worlds[key]
            copies = {code: databases.make(url) for code, url in played.databases.items()} if databases else {}
            world = _copy(played, tmp_path, clock, codes, copies)
            stack.push_async_callback(world.close)
            return world, played.found

        yield after
