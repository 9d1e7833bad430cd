"""What a program asks for since a cursor: every change once, in the order of commits, and what was erased."""

from typing import Any

import httpx
import pytest

from aquila.audit.roles import Role
from aquila.errors import RestoredBackupError
from services.node.steps.verify_logs import alarm_over_own_log
from services.node.storage.high_water import RESTORED
from services.node.storage.tables import HitRow, HitStatusRow, RoundRow
from tests.support.node_steps import hit_path
from tests.support.node_world import PartyNode, World
from tests.support.stored_hits import StoredHit, store_hits

pytestmark = pytest.mark.parties("AL", "RS")


@pytest.fixture
async def al(world: World) -> PartyNode:
    """A node to which three hits have come, as a report stores them."""
    party_node, round_id = world.nodes["AL"], await world.propose()
    store = party_node.node.store
    store_hits(store, round_id, [StoredHit(number, "RS") for number in range(3)], world.clock.time)
    with store.transaction("test.arrival") as session:
        for kind in (HitRow, HitStatusRow):
            for row in session.query(kind).order_by(kind.hit_id):
                row.seal = b""  # written anew, as at its arrival
    return party_node


class Mirror:
    """A program that asks for what is new, a few changes at a time, until there is nothing more."""

    def __init__(self, client: httpx.AsyncClient, limit: int = 2) -> None:
        self.client, self.limit, self.cursor = client, limit, ""

    async def read(self) -> list[dict[str, Any]]:
        """Return what changed since the last time."""
        found = []
        while True:
            query: dict[str, Any] = {"cursor": self.cursor, "limit": self.limit}
            answer = await self.client.get("/v1/changes", params=query)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            assert len(page["changes"]) <= self.limit
            found += page["changes"]
            self.cursor = page["cursor"]
            if not page["more"]:
                return found


async def test_a_program_misses_nothing(al: PartyNode) -> None:
    """Each hit comes with its state, again when it changes, and last of all when its record is erased."""
    async with al.person(Role.ANALYST) as analyst:
        mirror = Mirror(analyst)
        first = await mirror.read()
        assert [(one["kind"], one["stage"]) for one in first] == [("round", None)] + [("hit", "new")] * 3
        assert await mirror.read() == []
        hits = (await analyst.get("/v1/hits")).json()["hits"]
        assert {hit["hit_id"] for hit in hits} == {one["subject"] for one in first[1:]}
        assert await mirror.read() == []  # a look changes nothing, though the log has grown
        for hit in (hits[2], hits[0], hits[2]):
            decided = await analyst.post(f"/v1{hit_path(hit, '/decision')}", json={"decision": "same", "remark": "x"})
            assert decided.status_code == 204
        assert [(one["subject"], one["stage"], one["decision"], one["erased"]) for one in await mirror.read()] == [
            (hit["hit_id"], "decided", "same", False) for hit in (hits[0], hits[2])
        ]
        asked = await al.post("/erasure-requests", json={"record_id": hits[1]["record_id"], "reason": "not needed"})
        assert asked.status_code == 202, asked.text
        gone = await mirror.read()
        assert [(one["subject"], one["stage"], one["erased"]) for one in gone if one["kind"] == "hit"] == [
            (hits[1]["hit_id"], None, True)
        ]


async def test_a_round_whose_hits_are_erased_says_so(al: PartyNode) -> None:
    """As at the end of their time, when retention leaves nothing else of the round."""
    async with al.person(Role.ANALYST) as analyst:
        mirror = Mirror(analyst)
        round_id = (await mirror.read())[0]["round_id"]
        with al.node.store.transaction("test.retention") as session:
            session.get_one(RoundRow, round_id).hits_erased_at = 1
        assert [(one["kind"], one["round_id"], one["erased"]) for one in await mirror.read()] == [
            ("round", round_id, True)
        ]


async def test_who_may_see_no_hits_is_told_of_none(al: PartyNode) -> None:
    async with al.person(Role.OFFICER) as officer, al.person(Role.AUDITOR) as auditor:
        assert [one["kind"] for one in await Mirror(officer).read()] == ["round"]
        assert (await auditor.get("/v1/changes")).status_code == 403


async def test_a_cursor_of_another_history_is_refused(al: PartyNode, world: World) -> None:
    """As after a restore of an older copy, whose log goes on otherwise."""
    async with al.person(Role.ANALYST) as analyst, world.nodes["RS"].person(Role.ANALYST) as other:
        mirror = Mirror(analyst)
        await mirror.read()
        answer = await other.get("/v1/changes", params={"cursor": mirror.cursor})
        assert (answer.status_code, answer.json()["code"]) == (409, "changes_cursor_of_another_history")
        number, size, leaf = mirror.cursor.split("-")
        later = f"{number}-{int(size) + 9}-{leaf}"
        assert (await analyst.get("/v1/changes", params={"cursor": later})).status_code == 409
        assert (await analyst.get("/v1/changes", params={"cursor": "yesterday"})).status_code == 422


async def test_a_cursor_from_before_a_restore_is_refused(al: PartyNode) -> None:
    """Also one of as many log entries as the copy has: numbers of changes that made no entry come again."""
    async with al.person(Role.ANALYST) as analyst:
        mirror = Mirror(analyst)
        await mirror.read()
        alarm_over_own_log(al.node, RestoredBackupError(RESTORED))
        answer = await analyst.get("/v1/changes", params={"cursor": mirror.cursor})
        assert (answer.status_code, answer.json()["code"]) == (409, "changes_cursor_of_another_history")
        mirror.cursor = ""
        assert len(await mirror.read()) == 4
        assert await mirror.read() == []
