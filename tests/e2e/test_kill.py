"""Processes are killed at random moments of a round and started again: the same hits."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.process_world import World, paired_hits, rehearsed_hits

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.soak]

KILLS = 20


def test_twenty_kills_lose_nothing_and_do_nothing_twice(world: World, files: dict[str, Path], tmp_path: Path) -> None:
    """Any process may die at any moment of a round; started again it goes on, and the hits are the rehearsal's."""
    seed = random.SystemRandom().randrange(1 << 32)
    dice = random.Random(seed)
    expected = rehearsed_hits(files, tmp_path)
    kills = 0
    while kills < KILLS:
        round_id = begin(world, files)
        while kills < KILLS and not world.has_hits(round_id):
            time.sleep(dice.uniform(0.0, 0.5))
            victim = dice.choice(list(world.services.values()))
            victim.kill()
            time.sleep(dice.uniform(0.0, 0.2))
            victim.start()
            kills += 1
        world.wait_for_hits(round_id)
        assert paired_hits(world, round_id) == expected, f"seed of the kills: {seed}"
        world.close(round_id)


def begin(world: World, files: dict[str, Path]) -> str:
    """Start a round of many small chunks, so that there are many moments to die in."""
    round_id = world.propose(chunk_elements=8)
    world.consent(round_id)
    for node in world.nodes:
        world.submit(node, round_id, world.import_list(node, files[node.name]))
    return round_id
