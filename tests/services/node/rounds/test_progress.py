"""Where the parties of a round stand, as one node can tell."""

from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.node_world import HEADER, LISTS, World

pytestmark = pytest.mark.soak  # seven rounds; the stories of the pages show the progress of one


async def parties(world: World, round_id: str, code: str = "AL") -> dict[str, dict[str, Any]]:
    return {one["party"]: one for one in (await world.nodes[code].round(round_id))["parties"]}


def awaited(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {party: one["awaited"] for party, one in found.items()}


async def submit(world: World, round_id: str, code: str) -> None:
    party_node = world.nodes[code]
    assert (await party_node.submit(round_id, await party_node.load(HEADER + LISTS[code]))).status_code == 202


async def test_each_step_names_who_is_awaited(world: World) -> None:
    """Consents, lists, evaluations and marks: the node says from whom the next one has to come, and what came."""
    round_id = await world.propose()
    await world.nodes["AL"].post(f"/rounds/{round_id}/consent")
    await world.settle()
    assert awaited(await parties(world, round_id)) == {"AL": "nothing", "RS": "consent", "SI": "consent"}
    for code in ("RS", "SI"):
        await world.nodes[code].post(f"/rounds/{round_id}/consent")
    await world.settle()
    found = await parties(world, round_id)
    assert awaited(found) == dict.fromkeys(LISTS, "list")
    assert all(one["consented"] and one["takes_part"] for one in found.values())
    await submit(world, round_id, "AL")
    await world.settle("AL")
    found = await parties(world, round_id)
    assert awaited(found) == {"AL": "nothing", "RS": "list", "SI": "list"}
    await submit(world, round_id, "RS")
    await world.settle("AL", "RS")
    found = await parties(world, round_id)
    assert found["RS"]["listed"]
    assert found["RS"]["evaluated"]["done"] == found["RS"]["evaluated"]["of"] > 0
    assert found["SI"]["evaluated"]["done"] == 0 < found["SI"]["evaluated"]["of"]
    assert found["AL"]["evaluated"]["done"] == found["AL"]["evaluated"]["of"] > 0
    assert awaited(found) == {"AL": "nothing", "RS": "nothing", "SI": "list"}


async def test_whoever_owes_evaluations_is_named(world: World) -> None:
    """A node that sent its list and is away owes evaluations of later lists, and the nodes that wait for it say so."""
    round_id = await world.begin(lists=False)
    await world.settle()
    await submit(world, round_id, "SI")
    await world.settle("SI")
    for code in ("AL", "RS"):
        await submit(world, round_id, code)
    await world.settle("AL", "RS")
    found = await parties(world, round_id)
    assert found["SI"]["listed"]
    assert found["SI"]["evaluated"]["done"] < found["SI"]["evaluated"]["of"]
    assert awaited(found)["SI"] == "evaluations"
    await world.settle()
    found = await parties(world, round_id)
    assert awaited(found) == dict.fromkeys(LISTS, "nothing")
    assert all(one["tokens"] == {"done": 1, "of": 1} for one in found.values())
    assert found["AL"]["has_hits"]


async def test_marks_are_awaited_from_whoever_has_not_sent_them(world: World) -> None:
    """When all lists and evaluations are there, the party whose marks are missing is named."""
    round_id = await world.begin()

    async def evaluated() -> bool:
        found = (await parties(world, round_id)).values()
        return all(one["evaluated"]["done"] == one["evaluated"]["of"] > 0 for one in found)

    await world.until(evaluated)
    await world.settle("AL", "RS")
    assert awaited(await parties(world, round_id)) == {"AL": "nothing", "RS": "nothing", "SI": "tokens"}


async def test_marks_of_a_query_are_not_awaited_before_the_lists_are_compared(world: World) -> None:
    round_id = await world.begin(mode="lists_and_queries")
    al = world.nodes["AL"]
    await al.submit(round_id, await al.load(HEADER + "q-1,Mira,Janković,1988-08-08,\n", "query"), "query")
    phases = set()

    async def compared() -> bool:
        found = await parties(world, round_id)
        phase = (await al.round(round_id))["entry"]["phase"]
        phases.add(phase)
        assert phase != "matching" or awaited(found)["AL"] != "tokens"
        return found["AL"]["tokens"] == {"done": 2, "of": 2}

    async def looked_after_each_step_of_the_matcher() -> bool:
        for step in world.steps().values():
            step()
            await al.step()
            if await compared():
                return True
        return False

    await world.until(looked_after_each_step_of_the_matcher, "RS", "SI")
    assert "matching" in phases
    assert (await parties(world, round_id))["AL"]["queries"] == 1


async def test_what_was_checked_tells_who_has_its_report(world: World) -> None:
    round_id = await world.begin()

    async def sent_by_si() -> bool:
        (found,) = [one for one in await parties_at_matcher() if one["party"] == "SI"]
        return bool(found["tokens"]["done"])

    async def parties_at_matcher() -> list[dict[str, Any]]:
        answer = await world.operator.get(f"/v1/operator/rounds/{round_id}")
        return list(answer.json()["parties"])

    await world.until(sent_by_si, "AL", "RS", "SI")
    await world.settle("AL", "RS")
    found = await parties(world, round_id)
    assert {party: one["has_hits"] for party, one in found.items()} == {"AL": True, "RS": True, "SI": False}
    assert awaited(found) == {"AL": "nothing", "RS": "nothing", "SI": "receipt"}
    await world.settle()
    found = await parties(world, round_id)
    assert all(one["has_hits"] for one in found.values())
    assert set(awaited(found).values()) == {"nothing"}


async def test_whoever_is_left_out_is_awaited_no_more(world: World, clock: Clock) -> None:
    round_id = await world.begin(lists=False)
    await world.settle()
    for code in ("AL", "RS"):
        await submit(world, round_id, code)
    await world.settle("AL", "RS")
    clock.time = (await world.nodes["AL"].round(round_id))["manifest"]["window"]["submit_by"] + 1
    await world.settle("AL", "RS")
    found = await parties(world, round_id)
    assert (found["SI"]["takes_part"], found["SI"]["awaited"]) == (False, "nothing")
    assert found["SI"]["evaluated"] == {"done": 0, "of": 0}


async def test_what_came_stays_after_the_close(world: World) -> None:
    round_id = await world.begin()
    await world.settle()
    before = await parties(world, round_id)
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle()
    after = await parties(world, round_id)
    assert {party: one["evaluated"] for party, one in before.items()} == {p: o["evaluated"] for p, o in after.items()}
    assert set(awaited(after).values()) == {"nothing"}
