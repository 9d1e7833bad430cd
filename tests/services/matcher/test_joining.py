"""Joining on the matcher's workers: in processes of their own, and only where they see its scratch folder."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from aquila.errors import PolicyError
from aquila.executors import InProcess
from services.kit.errors import StoreError
from services.matcher.steps.join import check_view
from tests.support.matcher_world import World
from tests.support.small_disks import fill, small_disk

pytestmark = pytest.mark.postgresql_soak


async def test_tokens_are_joined_by_processes(worlds: Callable[..., World]) -> None:
    """The hits are those of a join in the service itself, and the scratch folder is empty afterwards."""
    world = worlds("AL RS SI", workers=2)
    await world.acknowledged()
    assert {code: len(node.hits()) for code, node in world.nodes.items()} == {"AL": 1, "RS": 2, "SI": 1}
    assert isinstance(world.context.workers.start().executor, ProcessPoolExecutor)
    assert not (world.context.scratch / "join").exists()


async def test_a_disk_without_room(worlds: Callable[..., World], tmp_path: Path) -> None:
    """The join ends with an error of our own, and starts again when there is room."""
    world = worlds("AL RS")
    await world.evaluated()
    for node in world.nodes.values():
        await node.finalize(node.list)
    with small_disk(tmp_path / "small", "1m") as disk:
        world.context.scratch.symlink_to(disk)
        with suppress(OSError):
            fill(disk / "ballast")
        with pytest.raises(StoreError, match="could not write to"):
            world.steps["matching"]()
        (disk / "ballast").unlink()
        world.advance()
        world.context.scratch.unlink()
    assert (await world.view())["entry"]["phase"] == "reporting"


def test_workers_that_do_not_see_the_scratch_folder(tmp_path: Path) -> None:
    """Those of another machine need it mounted at the same place; the error says so."""
    check_view(InProcess(), tmp_path)
    with pytest.raises(PolicyError, match="scratch folder"):
        check_view(InProcess(), tmp_path / "elsewhere")
