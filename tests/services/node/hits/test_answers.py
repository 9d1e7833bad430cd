"""A record without a hit is a no-hit only once its submission is answered: not before, and not after an abort."""

import json
from typing import Any

import pytest

from aquila.interface.rounds import Hits
from tests.support.node_world import HEADER, PartyNode, World

pytestmark = pytest.mark.rounds

NOBODY = HEADER + "al-9,Nobody,Anywhere,1950-05-05,\n"


async def states(node: PartyNode, round_id: str) -> list[tuple[str, str]]:
    found: dict[str, Any] = await node.get(f"/rounds/{round_id}/hits")
    return [(one["kind"], one["state"]) for one in found["answers"]]


async def awaited(node: PartyNode, round_id: str) -> set[tuple[str | None, str]]:
    found: dict[str, Any] = await node.get(f"/rounds/{round_id}/hits")
    return {(one["party"], one["step"]) for one in found["awaited"]}


async def test_before_consent_nothing_is_answered(world: World) -> None:
    round_id = await world.propose()
    await world.settle()
    al = world.nodes["AL"]
    found = await al.get(f"/rounds/{round_id}/hits")
    assert (found["phase"], found["hits"]) == ("proposed", [])
    assert await states(al, round_id) == [("list", "awaited")]
    assert await awaited(al, round_id) == {("AL", "consent"), ("RS", "consent"), ("SI", "consent")}


async def test_an_open_round_waits_for_lists(world: World) -> None:
    round_id = await world.begin(lists=False)
    al = world.nodes["AL"]
    await al.submit(round_id, await al.load(NOBODY))
    await world.settle()
    assert await states(al, round_id) == [("list", "awaited")]
    assert await awaited(al, round_id) == {("RS", "list"), ("SI", "list")}
    assert (await al.get("/hits"))["unanswered"] == 1
    world.clock.time = (await al.round(round_id))["manifest"]["window"]["submit_by"] + 1
    assert await states(al, round_id) == [("list", "never")]
    # No token is counted on where a list is missing.
    standing = {(one["awaited"], one["tokens"]["of"]) for one in (await al.round(round_id))["parties"]}
    assert standing == {("nothing", 0)}


async def test_a_list_that_was_matched_is_answered(world: World) -> None:
    round_id = await world.begin(lists=False, mode="lists_and_queries")
    al = world.nodes["AL"]
    await al.submit(round_id, await al.load(NOBODY))
    for code in ("RS", "SI"):
        await world.nodes[code].submit(
            round_id, await world.nodes[code].load(HEADER + f"{code}-1,Ana,Only,1960-01-01,\n")
        )
    await world.settle()
    found = await al.get(f"/rounds/{round_id}/hits")
    assert Hits.model_validate_json(json.dumps(found)).complete
    assert (found["awaited"], await states(al, round_id)) == ([], [("list", "answered")])
    assert (await al.get("/hits"))["unanswered"] == 0
    await al.submit(round_id, await al.load(NOBODY, "query"), "query")
    assert await states(al, round_id) == [("list", "answered"), ("query", "awaited")]
    await world.settle()
    assert await states(al, round_id) == [("list", "answered"), ("query", "answered")]


async def test_an_aborted_round_never_answers(world: World) -> None:
    """What ended before it was matched is no no-hit, however long one waits."""
    round_id = await world.begin(lists=False)
    await world.settle()
    await world.operator.post(f"/v1/operator/rounds/{round_id}/abort", json={"reason": "a party is not ready"})
    await world.settle()
    assert await states(world.nodes["AL"], round_id) == [("list", "never")]
    assert await awaited(world.nodes["AL"], round_id) == set()
    assert (await world.nodes["AL"].get(f"/hits?round_id={round_id}"))["unanswered"] == 1
