"""A party that is stopped holds up its own pairs alone; when it comes back before the end, they finish too."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from services.matcher.steps import matches
from services.node.storage.tables import PairCheckRow
from tests.services.node.records.test_queries import MIRA, NOBODY, asked
from tests.services.node.test_whole_round import pairs
from tests.support.node_steps import round_for_queries
from tests.support.node_world import PartyNode, World
from tests.support.played_worlds import WorldAfter
from tests.support.sentence_texts import texts

pytestmark = pytest.mark.rounds
_MORE = pytest.mark.more_rounds

ALL_PAIRS = {
    "AL": {("al-list-1", "RS"), ("al-list-2", "SI")},
    "RS": {("rs-1", "AL"), ("rs-2", "SI")},
    "SI": {("si-1", "RS"), ("si-3", "AL")},
}


@dataclass
class StoppedNode(httpx.AsyncBaseTransport):
    """The network of a node that is stopped before it sends its first statement of a kind."""

    honest: httpx.AsyncBaseTransport
    kind: str = "never"
    stopped: bool = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.stopped |= f"vnd.aquila.{self.kind}+json".encode() in await request.aread()
        if self.stopped:
            raise httpx.ConnectError("stopped", request=request)
        return await self.honest.handle_async_request(request)

    def come_back(self) -> None:
        self.kind, self.stopped = "never", False


def stoppable(party_node: PartyNode, kind: str = "never") -> StoppedNode:
    network = party_node.transport = StoppedNode(party_node.transport, kind)
    party_node.restart()
    return network


async def found(world: World, round_id: str, *codes: str) -> dict[str, set[tuple[str, str]]]:
    """Return the hits of some nodes, none of which has anything to complain of."""
    hits = {code: pairs(await world.nodes[code].get(f"/rounds/{round_id}/hits")) for code in codes}
    for code in codes:
        assert texts((await world.nodes[code].round(round_id))["problems"]) == []
    return hits


def checked(party_node: PartyNode) -> list[tuple[str, str]]:
    """Return with whom, and of which query, a node agrees that nothing was left out."""
    with party_node.node.store.reading("test.checks") as session:
        found = session.scalars(select(PairCheckRow)).all()
    return sorted((row.counterpart, row.submission_id) for row in found if row.agreed and row.fault is None)


@pytest.mark.parametrize(
    "kind", ["tokens", *(pytest.param(kind, marks=_MORE) for kind in ("locks", "submission", "evaluation", "receipt"))]
)
async def test_the_others_finish_and_it_finishes_when_it_is_back(world: World, kind: str) -> None:
    """A node is stopped before its first statement of each kind: the two others have their hits, checked by both."""
    network = stoppable(world.nodes["SI"], kind)
    round_id = await world.begin()
    await world.settle()
    assert network.stopped
    for code, hits in (await found(world, round_id, "AL", "RS")).items():
        assert {hit for hit in ALL_PAIRS[code] if hit[1] != "SI"} <= hits
        (other,) = {"AL", "RS"} - {code}
        assert (other, "") in checked(world.nodes[code])
    network.come_back()
    await world.settle()
    assert await found(world, round_id, *world.nodes) == ALL_PAIRS
    for code, party_node in world.nodes.items():
        assert checked(party_node) == [(other, "") for other in sorted(world.nodes) if other != code]
        assert (await party_node.round(round_id))["submissions"][0]["state"] == "tokens_sent"


@_MORE
async def test_it_never_comes_back(world: World) -> None:
    """The others' time is over before the matcher ends the round: they wait for that, and it is closed."""
    stoppable(world.nodes["SI"], "submission")
    round_id = await world.begin()
    await world.settle()
    window = world.nodes["AL"].node.rounds.of(round_id).record().manifest.window
    world.clock.time, world.held = window.closes_at + 1, set(world.steps())
    await world.settle("AL", "RS")
    assert [(await world.nodes[code].round(round_id))["keys_present"] for code in ("AL", "RS")] == [False, False]
    world.held.clear()
    await world.settle("AL", "RS")
    assert await world.phase(round_id) == "closed"
    view = (await world.operator.get(f"/v1/operator/rounds/{round_id}")).json()
    assert {one["party"]: one["closed"] for one in view["parties"]} == {"AL": True, "RS": True, "SI": False}
    assert (await found(world, round_id, "AL", "RS"))["AL"] == {("al-list-1", "RS")}


@_MORE
async def test_a_pair_that_the_matcher_leaves_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sides have signed, and the round is closed without their pair: both tell their people, and nobody else."""
    every = matches._due_lists
    monkeypatch.setattr(matches, "_due_lists", lambda turn: [one for one in every(turn) if one[:2] != ("AL", "SI")])
    round_id = await world.begin()
    await world.settle()
    world.clock.time = world.nodes["AL"].node.rounds.of(round_id).record().manifest.window.closes_at + 1
    await world.settle()
    assert await world.phase(round_id) == "closed"
    told = {code: texts((await one.round(round_id))["problems"]) for code, one in world.nodes.items()}
    text = "the lists of AL-SI were never compared, though both sides signed their tokens"
    assert told == {"AL": [text], "RS": [], "SI": [text]}


async def states(party_node: PartyNode, query: str) -> dict[str, tuple[str, str]]:
    """Return what is known of each party's answer to a query, and what is awaited from it."""
    answer: dict[str, Any] = await party_node.get(f"/queries/{query}")
    return {one["party"]: (one["state"], one["awaited"]) for one in answer["parties"]}


@_MORE
async def test_queries_are_answered_by_those_who_are_there(world_after: WorldAfter) -> None:
    """One after the other by each party: a second query overtakes the first nowhere, and waits for nobody else."""
    world, round_id = await world_after(round_for_queries)
    al, network = world.nodes["AL"], stoppable(world.nodes["SI"])
    await world.settle()
    network.stopped = True
    first, second = await asked(al, round_id, MIRA), await asked(al, round_id, NOBODY)
    await world.settle()
    for query in (first, second):
        assert await states(al, query) == {"RS": ("answered", "nothing"), "SI": ("awaited", "evaluations")}
        assert (await al.get(f"/queries/{query}"))["entry"]["state"] == "submitted"
    (mira,) = (await al.get(f"/queries/{first}"))["persons"]
    assert [hit["party"] for hit in mira["hits"]] == ["RS"]
    network.come_back()
    await world.settle()
    for query in (first, second):
        assert set((await states(al, query)).values()) == {("answered", "nothing")}
        entry = (await al.get(f"/queries/{query}"))["entry"]
        assert (entry["state"], entry["answer"]) == ("tokens_sent", "answered")
    assert texts((await al.round(round_id))["problems"]) == []
    assert checked(al) == sorted((other, query) for other in ("RS", "SI") for query in ("", first, second))
