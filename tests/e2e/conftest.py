"""The end-to-end tests' worlds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bundles import make_bundle
from tests.support.loaded_program import LOADED
from tests.support.process_world import World, lists


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    return lists(tmp_path)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A matcher and three nodes on SQLite; tests play rounds of their own there, and leave services as they were."""
    made = World(tmp_path_factory.mktemp("world"), program=LOADED, frugal=True)
    try:
        made.make(["AL", "MK", "RS"])
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("bundle"))
