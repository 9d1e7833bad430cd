"""Who looks after a hit: names inside the node, pseudonyms in the log and towards others."""

import json
from typing import Any

import httpx
import pytest

from aquila.audit.roles import Role
from tests.support import stored_log
from tests.support.node_steps import hit_path
from tests.support.node_world import PartyNode, World
from tests.support.stored_hits import StoredHit, store_hits

pytestmark = pytest.mark.parties("AL", "RS")


@pytest.fixture
async def al(world: World) -> PartyNode:
    party_node, round_id = world.nodes["AL"], await world.propose()
    store_hits(party_node.node.store, round_id, [StoredHit(0, "RS"), StoredHit(1, "RS")], world.clock.time)
    return party_node


async def hits(person: httpx.AsyncClient, **wanted: Any) -> list[dict[str, Any]]:
    answer = await person.post("/v1/hits/search", json=wanted)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["hits"]
    return found


def key(hit: dict[str, Any]) -> dict[str, str]:
    return {"round_id": hit["round_id"], "hit_id": hit["hit_id"]}


async def test_a_hit_is_handed_over_by_name(al: PartyNode) -> None:
    """Colleagues are named to each other; lists are cut by mine and nobody's; remarks are a thread with names."""
    first, second = al.person(Role.ANALYST), al.person(Role.ANALYST, Role.OFFICER)
    async with first, second:
        mine, other = await hits(first)
        people = {one["name"]: one["person"] for one in (await first.get("/v1/hits/colleagues")).json()["colleagues"]}
        assert {"person-analyst", "person-analyst-officer"} <= set(people)
        decided = {"hits": [key(mine)], "decision": "same"}
        assert (await first.post("/v1/hits/decisions", json=decided)).status_code == 200
        assert [hit["assignee_name"] for hit in await hits(first, whose="mine")] == ["person-analyst"]
        assert [hit["hit_id"] for hit in await hits(first, whose="nobody")] == [other["hit_id"]]
        to = people["person-analyst-officer"]
        handed = {"hits": [key(mine), key(other)], "person": to, "remark": "please ask RS"}
        assert (await first.post("/v1/hits/assignments", json=handed)).status_code == 204
        assert await hits(first, whose="mine") == []
        assert len(await hits(second, whose="mine")) == 2
        words = {"remark": "asked by telephone"}
        assert (await second.post(f"/v1{hit_path(mine, '/remarks')}", json=words)).status_code == 204
        view = (await second.get(f"/v1{hit_path(mine)}")).json()
        assert view["entry"]["assignee_name"] == "person-analyst-officer"
        assert [(step["kind"], step["name"], step["to"], step["remark"]) for step in view["history"]] == [
            ("decided", "person-analyst", "", ""),
            ("assigned", "person-analyst", "person-analyst-officer", "please ask RS"),
            ("remarked", "person-analyst-officer", "", "asked by telephone"),
        ]
        assert (await second.post("/v1/hits/assignments", json={"hits": [key(mine)]})).status_code == 204
        assert len(await hits(second, whose="mine")) == 1
    # The log has pseudonyms, and neither names nor words.
    with al.node.store.reading("test.log") as session:
        log = json.dumps(
            [entry.model_dump(mode="json") for _, entry in stored_log.entries(session) if entry is not None]
        )
    assert people["person-analyst-officer"] in log
    for word in ("person-analyst", "telephone", "please"):
        assert word not in log


async def test_who_cannot_look_after_a_hit(al: PartyNode) -> None:
    async with al.person(Role.ANALYST) as first, al.person(Role.OFFICER) as officer:
        found = await hits(first)
        me = (await officer.get("/v1/people/me")).json()["person"]
        for person in (me, "p-000000000001"):
            body = {"hits": [key(hit) for hit in found], "person": person}
            assert (await first.post("/v1/hits/assignments", json=body)).status_code == 422
        assert [hit["assignee"] for hit in await hits(first)] == ["", ""]
