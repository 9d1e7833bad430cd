"""A party that vanishes: before tokens the others go on, after tokens they cannot."""

from __future__ import annotations

import pytest

from services.node.steps.exclude_absent import exclude_absent
from tests.services.node.test_whole_round import pairs
from tests.support.node_steps import open_round
from tests.support.node_world import World
from tests.support.played_worlds import WorldAfter
from tests.support.sentence_texts import texts

pytestmark = [pytest.mark.more_rounds, pytest.mark.postgresql]


async def test_the_others_go_on_without_a_party_that_never_submits(world_after: WorldAfter) -> None:
    """After the deadline by their own clocks AL and RS sign an amendment, and find what they share."""
    world, round_id = await world_after(open_round)
    others = ("AL", "RS")
    await world.settle(*others)
    window = (await world.nodes["AL"].round(round_id))["manifest"]["window"]
    assert (await world.nodes["AL"].round(round_id))["hits"] is None
    world.clock.time = window["submit_by"] + 1
    await world.settle(*others)
    view = await world.nodes["AL"].round(round_id)
    assert view["participants"] == ["AL", "RS"]
    assert pairs(await world.nodes["AL"].get(f"/rounds/{round_id}/hits")) == {("al-list-1", "RS")}
    assert pairs(await world.nodes["RS"].get(f"/rounds/{round_id}/hits")) == {("rs-1", "AL")}
    # The one that was left out destroys its keys when it comes back.
    await world.settle()
    left_out = await world.nodes["SI"].round(round_id)
    assert not left_out["keys_present"]
    assert any("go on without" in problem for problem in texts(left_out["problems"]))
    assert await world.phase(round_id) == "reporting"


async def test_the_others_go_on_without_a_party_that_submitted_and_vanished(world: World) -> None:
    """What the absent party contributed is left out; its list and evaluations do not count any more."""
    round_id = await open_round(world)

    async def submitted() -> bool:
        submissions = (await world.nodes["SI"].round(round_id))["submissions"]
        return bool(submissions) and submissions[0]["sent"]["done"] == 2

    await world.until(submitted, "SI")  # before the others: it has evaluated nothing
    others = ("AL", "RS")
    await world.settle(*others)
    window = (await world.nodes["AL"].round(round_id))["manifest"]["window"]
    assert await world.phase(round_id) == "open"
    world.clock.time = window["evaluate_by"] + 1
    await world.settle(*others)
    assert pairs(await world.nodes["AL"].get(f"/rounds/{round_id}/hits")) == {("al-list-1", "RS")}


async def test_nobody_is_left_out_before_the_deadline_by_our_own_clock(world_after: WorldAfter) -> None:
    """The matcher's word that a party is late is not enough."""
    world, round_id = await world_after(open_round)
    al = world.nodes["AL"]
    await al.step()
    al.node.rounds.of(round_id).late = ("SI",)
    assert not exclude_absent(al.node, round_id)
