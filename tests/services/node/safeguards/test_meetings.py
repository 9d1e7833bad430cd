"""Many records of one party are hits on one record of a node: its people are told, and where they can look."""

import pytest

from services.node.safeguards.alarms import LEAST_MEETINGS
from tests.support.node_steps import problems
from tests.support.node_world import HEADER, World

ASKED, OTHER = "Besnik,Hoxha,1979-05-06,\n", "Drita,Shehu,1991-01-17,\n"


@pytest.fixture
def codes() -> tuple[str, ...]:
    return ("AL", "RS")


@pytest.mark.rounds
async def test_the_owner_is_told(world: World) -> None:
    """List and query count together; a person with fewer rows is not reported, and the asker reads nothing."""
    round_id = await world.begin(lists=False, mode="lists_and_queries")
    owner, asker = world.nodes["AL"], world.nodes["RS"]
    await owner.submit(round_id, await owner.load(f"{HEADER}al-1,{ASKED}al-2,{OTHER}"))
    several = "".join(f"a-{n},{ASKED}b-{n},{OTHER}" for n in range(LEAST_MEETINGS - 1))
    await asker.submit(round_id, await asker.load(HEADER + several))
    await world.settle()
    assert "different records of" not in await problems(owner, round_id)
    await asker.submit(round_id, await asker.load(f"{HEADER}q-1,{ASKED}", "query"), "query")
    await world.settle()
    hits = (await owner.get(f"/rounds/{round_id}/hits"))["hits"]
    met = [hit["hit_id"] for hit in hits if hit["record_id"] == "al-1"]
    assert len(met) == LEAST_MEETINGS
    told = await problems(owner, round_id)
    assert "1 records of this node are each met by at least 8 different records of RS, one of them by 8" in told
    assert min(met) in told
    assert "different records of" not in await problems(asker, round_id)
