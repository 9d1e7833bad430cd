"""The memory of a node's rounds: records of rounds in which nothing is to be done go once nobody reads them."""

import pytest

from aquila.protocol.rounds.round_state import Phase
from tests.support.node_world import World

pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.more_rounds]


async def test_the_record_of_a_round_at_rest_is_forgotten(world: World) -> None:
    """While a round goes on its record stays; after its end a step forgets it until somebody asks for it."""
    al = world.nodes["AL"]
    memories = al.node.rounds
    memories.kept_seconds = 0.0
    round_id = await world.begin()
    await world.settle()
    assert memories.of(round_id).has_record
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle()
    world.clock.time += 301  # by when counterparts are told of the hits
    await world.settle()
    assert not memories.of(round_id).has_record
    assert not memories.of(round_id).taken
    assert memories.of(round_id).record().phase is Phase.CLOSED
    assert (await al.round(round_id))["entry"]["phase"] == "closed"
