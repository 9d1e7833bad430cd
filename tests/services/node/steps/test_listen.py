"""A node between two steps: it holds a call at the matcher, falls back to looking, and costs nothing while idle."""

import asyncio
import math
from pathlib import Path

import httpx
import pytest

from aquila.protocol.messages.feed import EventKind
from aquila.sentences import quoted
from services.kit.errors import PeerUnavailableError
from services.node.rounds import statements, work
from services.node.steps import sync
from services.node.steps.advance import take
from services.node.steps.driver import Listener
from services.node.storage.states import Step
from tests.support.node_steps import round_without_lists
from tests.support.node_world import HEADER, LISTS, PartyNode, World
from tests.support.played_worlds import WorldAfter

pytestmark = pytest.mark.parties("AL", "RS")


class Counting(httpx.AsyncBaseTransport):
    """The matcher as a node reaches it: counts calls, and fails or changes what a test says."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport
        self.calls: list[httpx.URL] = []
        self.broken = self.old = self.refuses = self.loses_manifests = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request.url)
        if self.broken and "wait=3600" in str(request.url):
            raise httpx.ReadError("broken")
        if self.loses_manifests and request.url.path.endswith("/manifest"):
            raise httpx.ReadError("broken")
        if self.refuses and request.url.path == "/v1/log/cosignatures":
            return httpx.Response(500, stream=httpx.ByteStream(b""), request=request)
        if self.old and request.url.path == "/v1/rounds":
            return httpx.Response(200, stream=httpx.ByteStream(b'{"rounds":[]}'), request=request)
        return await self._transport.handle_async_request(request)

    @property
    def held(self) -> int:
        return sum("wait=3600" in str(url) for url in self.calls)


def reached(party_node: PartyNode) -> Counting:
    counting = Counting(party_node.node.peer._client._transport)
    party_node.node.peer._client._transport = counting
    return counting


def listener(party_node: PartyNode) -> Listener:
    """Return a node's listener whose first call is not ended by time, however slow the machine is."""
    hears = Listener(party_node.node)
    hears._patience = 3_600
    return hears


def written(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of every file below a folder; what SQLite shares among readers is no file of its own."""
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith("-shm")
    }


async def waits(party_node: PartyNode, waiting: asyncio.Task[None], world: World) -> None:
    async with asyncio.timeout(30):
        while not world.app.state.context.held.count(party_node.node.code):
            assert not waiting.done()
            await asyncio.sleep(0.01)


async def test_news_ends_the_wait_and_comes_with_it(world: World) -> None:
    """A node that waits hears of a proposal at once, and its next step asks for no list of rounds."""
    world.app.state.context.wakeup.start()
    party_node = world.nodes["AL"]
    await world.settle()
    calls = reached(party_node)
    waiting = asyncio.create_task(listener(party_node).wait(60))
    await waits(party_node, waiting, world)
    del world.nodes["AL"]  # the others hear of it by themselves
    round_id = await world.propose(participants=["AL", "RS"])
    world.nodes["AL"] = party_node
    world.app.state.context.wakeup.notify()
    await asyncio.wait_for(waiting, 30)
    assert party_node.node.contact.held is not None
    calls.calls.clear()
    await party_node.step()
    assert (await party_node.round(round_id))["entry"]["phase"] == "proposed"
    assert "/v1/rounds" not in {url.path for url in calls.calls}


async def test_a_list_that_was_not_taken_whole_comes_again(world: World) -> None:
    """A node that could not fetch the manifest of a new round hears of that round in its next call too."""
    world.app.state.context.wakeup.start()
    party_node = world.nodes["AL"]
    await world.settle()
    calls = reached(party_node)
    del world.nodes["AL"]
    round_id = await world.propose(participants=["AL", "RS"])
    world.nodes["AL"] = party_node
    await asyncio.wait_for(listener(party_node).wait(60), 30)
    calls.loses_manifests = True
    await party_node.step()
    calls.loses_manifests = False
    await asyncio.wait_for(listener(party_node).wait(60), 30)
    await party_node.step()
    assert (await party_node.round(round_id))["entry"]["phase"] == "proposed"


async def test_a_step_after_news_asks_for_nothing(world: World) -> None:
    """The feed, the few bytes of a chunk and the growth of the log come with the news: what follows is only sent."""
    world.app.state.context.wakeup.start()
    party_node, other = world.nodes["AL"], world.nodes["RS"]
    round_id = await world.begin(lists=False)
    await world.settle()
    calls = reached(party_node)
    waiting = asyncio.create_task(listener(party_node).wait(60))
    await waits(party_node, waiting, world)
    await other.submit(round_id, await other.load(HEADER + LISTS["RS"]))
    while await other.step():
        pass
    await asyncio.wait_for(waiting, 30)
    assert party_node.node.contact.held is not None
    assert party_node.node.contact.held.news.rounds == ()  # the list is the one that the node has
    calls.calls.clear()
    await party_node.step()
    (path,) = [url.path for url in calls.calls]
    assert path.endswith("/consignments")  # the statement and the bytes of its evaluations together


@pytest.mark.rounds
async def test_bytes_that_are_not_what_was_signed(world_after: WorldAfter) -> None:
    """What came with the news and has another digest is fetched again, and evaluated then."""
    world, round_id = await world_after(round_without_lists)
    party_node, other = world.nodes["AL"], world.nodes["RS"]
    await other.submit(round_id, await other.load(HEADER + LISTS["RS"]))
    while await other.step():
        pass
    page = await sync.fetch(party_node.node, round_id)
    spoilt = [
        one.model_copy(update={"content": "?" if one.index else "AAAA"}) if one.kind is EventKind.BLINDED else one
        for one in page.events.events
    ]
    sync.take_page(party_node.node, round_id, page.events.model_copy(update={"events": tuple(spoilt)}))
    assert set(party_node.node.rounds.of(round_id).brought.values()) <= {b"", bytes(3)}
    await world.settle()
    assert party_node.node.rounds.of(round_id).record().evaluations


async def test_an_idle_world_writes_nothing(world: World) -> None:
    """While nothing happens, nodes hold one call each, and no file of a node or of the matcher changes."""
    world.app.state.context.wakeup.start()
    await world.begin(lists=False)
    await world.settle()
    waiting = {code: asyncio.create_task(listener(party_node).wait(60)) for code, party_node in world.nodes.items()}
    for code, task in waiting.items():
        await waits(world.nodes[code], task, world)
    before = written(world.path)
    for _ in range(3):
        world.clock.time += 300
        assert world.matcher_step() is False
        await asyncio.sleep(0.05)
    assert written(world.path) == before
    assert not any(task.done() for task in waiting.values())
    world.app.state.context.wakeup.stop()
    await asyncio.wait_for(asyncio.gather(*waiting.values()), 30)


async def test_a_broken_call_is_followed_by_a_look(world: World) -> None:
    """The first break ends the wait at once; where calls break again and again, looks have their usual pace."""
    party_node = world.nodes["AL"]
    await world.settle()
    calls = reached(party_node)
    calls.broken = True
    hears = listener(party_node)
    await asyncio.wait_for(hears.wait(3_600), 30)
    assert (calls.held, party_node.node.contact.reachable) == (1, False)
    waiting = asyncio.create_task(hears.wait(3_600))
    async with asyncio.timeout(30):
        while calls.held < 2:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert not waiting.done()
    waiting.cancel()
    calls.broken = False
    await party_node.step()
    assert party_node.node.contact.reachable


async def test_an_earlier_matcher(world: World) -> None:
    """A matcher that names no state answers every call at once: the node looks at its own pace, and holds no call."""
    party_node = world.nodes["AL"]
    calls = reached(party_node)
    calls.old = True
    await party_node.step()
    await listener(party_node).wait(0)
    assert (calls.held, party_node.node.contact.state) == (0, None)


async def test_a_matcher_that_is_away(world: World) -> None:
    """While the matcher's log cannot be looked at, no call is held: the driver tries again at its own pace."""
    party_node = world.nodes["AL"]
    await world.settle()
    calls = reached(party_node)
    party_node.node.contact.obstacle = PeerUnavailableError(quoted("away"))
    await listener(party_node).wait(0)
    assert calls.held == 0


async def test_its_own_deadlines_end_the_wait(world: World) -> None:
    """A deadline of a round, or the time at which sending goes on, ends the wait a second after it."""
    node = world.nodes["AL"].node
    assert work.seconds_left(node.store, node.clock) == math.inf
    round_id = await world.propose()
    await world.settle()
    memory = node.rounds.of(round_id)
    window = memory.record().manifest.window
    for deadline in (window.consent_by, window.submit_by, window.evaluate_by, window.closes_at):
        world.clock.time = deadline - 20
        await world.nodes["AL"].step()
        assert work.seconds_left(node.store, node.clock) == 21
    memory.full_until = world.clock.time + 10
    await world.nodes["AL"].step()
    assert work.seconds_left(node.store, node.clock) == 11


async def test_a_cosignature_that_is_not_taken(world: World) -> None:
    party_node = world.nodes["AL"]
    calls = reached(party_node)
    calls.refuses = True
    round_id = await world.propose()
    await world.settle()
    await party_node.post(f"/rounds/{round_id}/consent")
    await party_node.step()
    assert party_node.node.contact.obstacle is not None
    assert not (await party_node.round(round_id))["consented"]
    calls.refuses = False
    await world.settle()
    assert party_node.node.contact.obstacle is None
    assert (await party_node.round(round_id))["consented"]


async def test_work_that_is_left_when_a_round_ends_here(world_after: WorldAfter) -> None:
    """Where the node takes part no more, work that is due does nothing and is gone; an alarm leaves it due."""
    world, round_id = await world_after(round_without_lists)
    party_node = world.nodes["AL"]
    with party_node.node.store.transaction("test.refuse") as session:
        statements.refuse(session, party_node.node.clock, round_id, "test", quoted("over"))
        work.put(session, round_id, Step.WORK)
    node = party_node.node
    taken = work.due_step(node.store, node.clock, round_id, Step.WORK)
    assert taken is not None
    node.contact.obstacle = PeerUnavailableError(quoted("away"))
    with pytest.raises(PeerUnavailableError):
        await take(node, taken)
    assert work.due_step(node.store, node.clock, round_id, Step.WORK) is not None
    node.contact.obstacle = None
    assert not (await take(node, taken)).busy
    assert work.due_step(node.store, node.clock, round_id, Step.WORK) is None
