"""Rounds among the last release and this one: twelve ministries do not upgrade on the same day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.last_release import last_release
from tests.support.loaded_program import LOADED
from tests.support.process_world import World, paired_hits, rehearsed_hits

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.process_world import Hit, Service

pytestmark = pytest.mark.e2e


def upgrade(service: Service) -> None:
    """Stop a service and start it again with the code of today."""
    service.stop()
    service.program = LOADED
    service.start()


def play(world: World, files: dict[str, Path], upgraded: Service | None = None) -> set[Hit]:
    """Play a round to its end, and return its hits.

    Args:
        world: Its services.
        files: The lists of the parties.
        upgraded: A service that is upgraded in the middle, when the first list is at the matcher.
    """
    round_id = world.propose()
    world.consent(round_id)
    first, *others = world.nodes
    world.submit(first, round_id, world.import_list(first, files[first.name]))
    if upgraded is not None:
        upgrade(upgraded)
    for node in others:
        world.submit(node, round_id, world.import_list(node, files[node.name]))
    world.wait_for_hits(round_id)
    world.close(round_id)
    return paired_hits(world, round_id)


def test_rounds_go_on_while_parties_upgrade_one_after_another(files: dict[str, Path], tmp_path: Path) -> None:
    """Every round of the way has the hits of the last release's rehearsal: by its rules all can go, and do.

    Hits are of the same records, and as certain where a person is on two lists; levels of others are those of the
    matcher's release, which may promise less.
    """
    earlier = last_release(tmp_path)
    rehearsed = rehearsed_hits(files, tmp_path, earlier)
    shared = {hit for hit in rehearsed if not any("-f" in record for record in hit)}
    assert shared
    (tmp_path / "world").mkdir()
    world = World(tmp_path / "world", program=LOADED, programs={"matcher": earlier, "AL": earlier}, frugal=True)
    try:
        world.make(["AL", "MK", "RS"])
        matcher, old = world.matcher, world.services["AL"]
        # 1. Two nodes of today with a matcher, and a node, of the last release.
        # 2. The matcher is upgraded in the middle of a round; a node of the last release goes on with it.
        # 3. Today's matcher proposes what that node can read, and the node is upgraded in the middle.
        for upgraded in (None, matcher, old):
            found = play(world, files, upgraded)
            assert {hit[:4] for hit in found} == {hit[:4] for hit in rehearsed}
            assert shared <= found
        assert all(service.program == LOADED for service in world.services.values())
    finally:
        world.stop()
