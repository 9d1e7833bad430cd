"""A node with many open rounds: one with work holds up no other, and a look costs what has happened in them."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from aquila.errors import AquilaError
from aquila.sentences import quoted
from services.kit.errors import NotFoundError, PeerFailedError, PeerFullError
from services.node.rounds import work
from services.node.steps.driver import Listener
from tests.support.database_work import DatabaseWork
from tests.support.node_world import HEADER, LISTS, PartyNode, World

_IN_PATH = re.compile(r"/v1/rounds/([0-9a-f]{32})/")
FEW, MANY = 5, 7
"""Numbers of open rounds that are more than a node is at work in at once."""


pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.more_rounds]


class Watched(httpx.AsyncBaseTransport):
    def __init__(self, party_node: PartyNode) -> None:
        self._transport = party_node.node.peer._client._transport
        party_node.node.peer._client._transport = self
        self.calls: Counter[str] = Counter()
        self.before: Callable[[httpx.Request, str], Any] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        found = _IN_PATH.match(request.url.path)
        round_id = found[1] if found else ""
        self.calls[round_id] += 1
        if self.before is not None:
            await self.before(request, round_id)
        return await self._transport.handle_async_request(request)


async def two_submitted_rounds(world: World) -> tuple[PartyNode, list[str]]:
    rounds = []
    for _ in range(2):
        rounds.append(await world.begin(lists=False))
        await world.settle()
    party_node = world.nodes["AL"]
    for round_id in rounds:
        await party_node.submit(round_id, await party_node.load(HEADER + LISTS["AL"]))
    return party_node, rounds


async def test_a_round_that_waits_holds_up_no_other(world: World) -> None:
    """While the matcher does not answer an upload of one round, another round's list is sent."""
    party_node, rounds = await two_submitted_rounds(world)
    watched, other_sent, held = Watched(party_node), asyncio.Event(), list[str]()

    async def before(request: httpx.Request, round_id: str) -> None:
        """Hold what is sent of the round that comes first, until something of the other one is sent."""
        if request.method == "GET" or not round_id:
            return
        if not held:
            held.append(round_id)
        if round_id != held[0]:
            other_sent.set()
        elif not other_sent.is_set():
            await asyncio.wait_for(other_sent.wait(), 300)  # ends the test where the other round is never taken

    watched.before = before
    while not other_sent.is_set() and await party_node.step():
        pass
    assert other_sent.is_set()
    await world.settle()
    assert {(await party_node.round(one))["submissions"][0]["state"] for one in rounds} == {"submitted"}


@pytest.mark.parametrize(
    "error",
    [
        NotFoundError("round_unknown", round="test"),
        PeerFullError(quoted("no room"), retry_after=30),
        PeerFailedError(quoted("a row is damaged")),
    ],
)
async def test_a_round_that_cannot_go_on_holds_up_no_other(world: World, error: AquilaError) -> None:
    """The matcher cannot do anything in one round, or not now: the other goes on, and a person's call ends the wait."""
    party_node, (first, second) = await two_submitted_rounds(world)
    watched, is_known = Watched(party_node), asyncio.Event()

    async def before(_: httpx.Request, round_id: str) -> None:
        if round_id == first and not is_known.is_set():
            raise error

    async def is_sent(round_id: str) -> bool:
        return bool((await party_node.round(round_id))["submissions"][0]["state"] == "submitted")

    watched.before = before
    driver = party_node.rounds.driver()
    driver.start()
    async with asyncio.timeout(300):
        while not await is_sent(second):
            await world.step("RS")
        failing = await party_node.round(first)
        assert not await is_sent(first)
        assert driver.state.failures == 0
        assert len(failing["problems"]) == 1
        is_known.set()
        with party_node.node.store.transaction("test.wake") as session:
            work.wake(session, first)
        party_node.node.wake()
        while not await is_sent(first):
            await world.step("RS")
    await driver.stop()
    assert (await party_node.round(first))["problems"] == []


async def with_open_rounds(world: World, count: int) -> list[str]:
    """Propose rounds until so many go on, open one of them, which is the last of the list, and come to rest."""
    known = [one["round_id"] for one in (await world.nodes["AL"].get("/rounds"))["rounds"]]
    for _ in range(count - len(known) - 1):
        known.append(await world.propose())
        await world.settle()
    known.append(await world.begin(lists=False))
    await world.settle()
    return known


async def news_of_a_list(world: World, round_id: str) -> tuple[Counter[str], int]:
    """Let the other party submit a list, and return the node's calls by round and statements of SQL until it rests."""
    party_node, other = world.nodes["AL"], world.nodes["RS"]
    counted = DatabaseWork(party_node.node.store)
    await other.submit(round_id, await other.load(HEADER + LISTS["RS"]))
    while await other.step():
        pass
    watched = Watched(party_node)
    party_node.node.contact.held = await Listener(party_node.node)._hold(work.open_rounds(party_node.node.store))
    counted.taken()
    await party_node.rounds.step()
    return watched.calls, counted.taken()[0]


async def test_news_of_one_round_touch_no_other(world: World) -> None:
    """With twice as many open rounds, news of one costs as many statements of SQL, and no call about another."""
    taken = []
    for count in (FEW, MANY):
        rounds = await with_open_rounds(world, count)
        calls, count_of_sql = await news_of_a_list(world, rounds[-1])
        assert set(calls) <= {"", rounds[-1]}
        taken.append(count_of_sql)
        await world.settle()
    assert taken[0] == taken[1]


async def test_a_person_wakes_the_round_and_a_wait_without_news_all(world: World) -> None:
    """A person's request in one round is followed by a look at that one; a wait that brought nothing by one at all."""
    rounds = await with_open_rounds(world, FEW)
    party_node = world.nodes["AL"]
    watched = Watched(party_node)
    await party_node.rounds.step()
    assert not set(watched.calls) & set(rounds)
    await party_node.submit(rounds[-1], await party_node.load(HEADER + LISTS["AL"]))
    await party_node.rounds.step()
    assert set(watched.calls) & set(rounds) == {rounds[-1]}
    while await party_node.rounds._turn():
        pass
    watched.calls.clear()
    hears = Listener(party_node.node)
    hears._patience = 0
    await hears.wait(0)
    await party_node.rounds.step()
    assert set(watched.calls) >= set(rounds)
