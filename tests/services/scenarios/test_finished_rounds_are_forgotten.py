"""The matcher forgets the record of a finished round that nobody reads, and reads it again for whoever asks."""

import pytest

from aquila.protocol.rounds.round_state import Phase
from tests.support.node_world import World
from tests.support.renewing import play

pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.rounds]


@pytest.mark.more_rounds
async def test_the_record_of_a_finished_round_is_forgotten(world: World) -> None:
    """A look at another round forgets it, and that of a round that goes on stays."""
    cache = world.app.state.context.round_cache
    over = await play(world)
    await world.settle()
    going = await world.begin()
    await world.settle()
    assert {over, going} <= set(cache._known)
    cache.kept_seconds = 0.0
    with cache.reading(going):
        pass
    assert set(cache._known) == {going}
    with cache.reading(over) as turn:
        assert turn.round.phase is Phase.CLOSED
