"""Where the parties of a round stand, as one node can tell."""

from typing import Any

import pytest

from tests.services.node.test_stopped_party import stoppable
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
    # The pair of the two that are there is compared.
    assert found["RS"]["tokens"] == {"done": 1, "of": 1}
    assert found["AL"]["tokens"] == {"done": 1, "of": 2}
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
    assert {party: one["tokens"]["done"] for party, one in found.items()} == {"AL": 2, "RS": 1, "SI": 1}
    assert found["AL"]["has_hits"]


async def test_marks_are_awaited_from_whoever_has_not_sent_them(world: World) -> None:
    """When the list and the evaluations of a pair are there, the party whose marks are missing is named."""
    stoppable(world.nodes["SI"], "tokens")
    round_id = await world.begin()
    await world.settle()
    assert awaited(await parties(world, round_id)) == {"AL": "nothing", "RS": "nothing", "SI": "tokens"}


async def test_marks_of_a_query_are_not_awaited_before_the_lists_are_compared(world: World) -> None:
    round_id = await world.begin(mode="lists_and_queries")
    al = world.nodes["AL"]
    await al.submit(round_id, await al.load(HEADER + "q-1,Mira,Janković,1988-08-08,\n", "query"), "query")

    async def compared() -> bool:
        found = await parties(world, round_id)
        record = al.node.rounds.of(round_id).record()
        checked = {report.counterpart for report in record.checked if report.party == "AL"}
        lists_sent = {to for one, to in record.tokens if one == record.list_of("AL")}
        assert awaited(found)["AL"] != "tokens" or checked or lists_sent < {"RS", "SI"}
        return found["AL"]["tokens"] == {"done": 4, "of": 4}

    await world.until(compared)
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


async def test_what_came_stays_after_the_close(world: World) -> None:
    round_id = await world.begin()
    await world.settle()
    before = await parties(world, round_id)
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle()
    after = await parties(world, round_id)
    assert {party: one["evaluated"] for party, one in before.items()} == {p: o["evaluated"] for p, o in after.items()}
    assert set(awaited(after).values()) == {"nothing"}
