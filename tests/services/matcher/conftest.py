"""Worlds for the matcher's tests, on fresh databases."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aquila.crypto.group import Group
from tests.support.matcher_world import World


@pytest.fixture
def worlds(tmp_path: Path, group: Group, service_database: Callable[[], str]) -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(codes: str = "AL RS", **changes: Any) -> World:
        made.append(World(tmp_path / "matcher", service_database(), group, codes, **changes))
        return made[-1]

    yield make
    for world in made:
        world.context.close()


@pytest.fixture
def world(worlds: Callable[..., World]) -> World:
    return worlds()


@pytest.fixture
def three(worlds: Callable[..., World]) -> World:
    return worlds("AL RS SI")
