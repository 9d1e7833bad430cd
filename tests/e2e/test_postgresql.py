"""The same round with every service on a real PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.process_world import World, paired_hits, rehearsed_hits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.e2e


def test_a_round_on_postgresql(
    new_postgres_database: Callable[[], str], files: dict[str, Path], tmp_path: Path
) -> None:
    """Matcher and nodes on PostgreSQL find the rehearsal's hits, and close."""
    (tmp_path / "world").mkdir()
    world = World(tmp_path / "world", {name: new_postgres_database() for name in ("matcher", "AL", "MK", "RS")})
    try:
        world.make(["AL", "MK", "RS"])
        round_id = world.propose()
        world.consent(round_id)
        for node in world.nodes:
            world.submit(node, round_id, world.import_list(node, files[node.name]))
        world.wait_for_hits(round_id)
        assert paired_hits(world, round_id) == rehearsed_hits(files, tmp_path)
        world.close(round_id)
    finally:
        world.stop()
