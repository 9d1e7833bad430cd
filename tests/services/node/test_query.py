"""Queries: a justified batch, matched against the lists within the round's window."""

from __future__ import annotations

import pytest

from tests.services.node.test_whole_round import pairs
from tests.support.node_steps import round_for_queries
from tests.support.node_world import HEADER, World
from tests.support.played_worlds import WorldAfter

pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.rounds]


async def test_a_query_after_the_lists_finds_a_person_of_another_list(world_after: WorldAfter) -> None:
    """The asking node and the owner of the record both learn of the hit."""
    world, round_id = await world_after(round_for_queries)
    al = world.nodes["AL"]
    asked = await al.load(HEADER + "q-1,Mira,Janković,1988-08-08,\n", "query")
    answer = await al.submit(round_id, asked, "query")
    assert answer.status_code == 202
    submission_id = answer.json()["submission_id"]
    await world.settle()
    hits = (await al.get(f"/rounds/{round_id}/hits"))["hits"]
    found = [hit for hit in hits if hit["submission_id"] == submission_id]
    assert pairs({"hits": found}) == {("q-1", "RS")}
    owner = (await world.nodes["RS"].get(f"/rounds/{round_id}/hits"))["hits"]
    assert ("rs-3", "AL") in pairs({"hits": owner})


async def test_a_round_of_lists_takes_no_query(world: World) -> None:
    """The wish is refused at once, before anything is blinded."""
    round_id = await world.begin(lists=False)
    al = world.nodes["AL"]
    asked = await al.load(HEADER + "q-1,Mira,Janković,1988-08-08,\n", "query")
    answer = await al.submit(round_id, asked, "query")
    assert answer.status_code == 403
