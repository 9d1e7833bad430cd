"""A party and a matcher together propose round after round, abort and repeat them, to pass a node's caps by day."""

from __future__ import annotations

import pytest

from aquila.records.rules import InputClass
from services.node.storage.tables import DAY
from tests.support.clock import Clock
from tests.support.node_steps import limit, problems, spent
from tests.support.node_world import HEADER, World

GUESSES = "".join(
    f"g-{number},Arben,Hoxha,19{60 + number}-0{1 + number % 9}-{10 + number % 17},\n" for number in range(6)
)


pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.rounds]


async def _guess(world: World) -> int:
    """Let RS guess in a round that the matcher aborts after the evaluations; return what AL gave today."""
    victim, rival = world.nodes["AL"], world.nodes["RS"]
    round_id = await world.propose(chunk_elements=4)
    for node in world.nodes.values():
        await node.post(f"/rounds/{round_id}/consent")
    await rival.submit(round_id, await rival.load(HEADER + GUESSES))
    await world.settle()
    await world.operator.post(f"/v1/operator/rounds/{round_id}/abort", json={"reason": "once more"})
    await world.settle()
    return spent(victim, "RS", InputClass.FULL)[0]


async def test_aborted_and_repeated_rounds_share_one_cap(world: World, clock: Clock) -> None:
    """Each round keeps to its own cap; all of them together keep to the node's."""
    victim = world.nodes["AL"]
    limit(victim, day_full=20, window_full=30)
    first = await _guess(world)
    assert 10 < first < 20  # two such rounds pass the cap of a day
    assert first < await _guess(world) <= 20
    refused = [await problems(victim, one["round_id"]) for one in (await victim.get("/rounds"))["rounds"]]
    assert any("the class full for RS as its own caps allow: 20 in a day, 30 in 30 days" in words for words in refused)
    # The next day gives room again, but never more than the longer window has.
    clock.time += DAY
    assert 0 < await _guess(world) <= 10
    assert spent(victim, "RS", InputClass.FULL)[1] <= 30
    clock.time += DAY
    assert await _guess(world) == 0
