"""A call that a party holds open: answered at news of any of its rounds, and bounded in every way."""

import asyncio
import base64
import time

import httpx
import pytest

from aquila.audit.checkpoint import parse_update
from aquila.protocol.messages.feed import EventKind, LongPollAnswer, Rounds
from services.kit.work.drivers import Driver
from services.matcher.rounds import long_polls
from services.matcher.steps.schedule import WOKEN_BY, Pulse, steps_of
from services.matcher.wakeup import LongPolls
from tests.support.matcher_world import Node, World

pytestmark = pytest.mark.postgresql_soak

LONG = 3_600


async def hear(node: Node, state: str | None = None, wait: float = 0, read: int | None = None) -> httpx.Response:
    """Ask for the rounds, as far as the party has read its round."""
    cursor = node.cursor if read is None else read
    query = f"wait={wait}&state={state or ''}&read={node.world.round_id}:{cursor}"
    return await node.call("GET", f"/v1/rounds?{query}")


def rounds_in(answer: httpx.Response) -> Rounds:
    assert answer.status_code == 200, answer.text
    return Rounds.model_validate_json(answer.content)


async def held(world: World, node: Node) -> asyncio.Task[httpx.Response]:
    """Let a party that knows everything hold a call, and return when the matcher holds it."""
    await node.sync()
    before = world.context.held.count(node.code)
    state = rounds_in(await hear(node)).state
    waiting = asyncio.create_task(hear(node, state, LONG))
    async with asyncio.timeout(30):
        while world.context.held.count(node.code) == before < LongPolls.most:
            await asyncio.sleep(0.01)
    assert not waiting.done()
    return waiting


async def test_an_event_answers_at_once(world: World) -> None:
    """The party hears of a statement that it may see as soon as it is committed, with its rounds and their state."""
    await world.opened()
    world.context.wakeup.start()
    waiting = await held(world, world.nodes["AL"])
    await world.nodes["RS"].submit()
    answer = rounds_in(await asyncio.wait_for(waiting, 30))
    assert [one.round_id for one in answer.rounds] == [world.round_id]
    assert answer.state is not None
    assert world.context.held.count("AL") == 0


async def test_news_bring_what_is_asked_for_next(world: World) -> None:
    """A party that wants it has the feeds with the few bytes that they tell of, and the growth of the log."""
    await world.opened()
    node = world.nodes["AL"]
    await node.sync()
    cursor = node.cursor
    sent = await world.nodes["RS"].submit()
    world.context.log.own.publish()
    query = f"wait=0&feeds=true&log=1&read={world.round_id}:{cursor}"
    news = LongPollAnswer.model_validate_json((await node.call("GET", f"/v1/rounds?{query}")).content)
    assert news.feeds is not None
    assert news.log is not None
    assert parse_update(news.log.encode()).old == 1
    events = news.feeds[world.round_id].events
    assert [one.content for one in events if one.kind is EventKind.STATEMENT] == [None]
    brought = [base64.b64decode(one.content or "") for one in events if one.kind is EventKind.BLINDED]
    assert brought == [octets for _, _, octets in sent.chunks]


async def test_what_was_not_read_answers_before_waiting(world: World) -> None:
    """Nothing is missed between two calls: what is beyond the party's place in a feed answers the next one."""
    await world.opened()
    world.context.wakeup.start()
    node = world.nodes["AL"]
    await node.sync()
    state = rounds_in(await hear(node)).state
    await asyncio.wait_for(hear(node, state, LONG, read=node.cursor - 1), 30)
    await asyncio.wait_for(hear(node, "0" * 64, LONG), 30)


async def test_events_of_others_do_not_answer(three: World) -> None:
    """What is not for a party's eyes does not end its call, and tells it nothing; its own time does."""
    await three.opened()
    await three.nodes["RS"].submit()
    three.context.wakeup.start()
    node = three.nodes["AL"]
    await node.sync()
    state = rounds_in(await hear(node)).state
    waiting = asyncio.create_task(hear(node, state, 1))
    await three.nodes["SI"].evaluate()
    await asyncio.sleep(0)
    assert rounds_in(await asyncio.wait_for(waiting, 30)).state == state


async def test_another_round_than_ones_own(world: World) -> None:
    """A round that does not name the party is not waited for, and whether it exists is not told."""
    await world.opened()
    node = world.nodes["AL"]
    known = rounds_in(await node.call("GET", "/v1/rounds?wait=0"))
    foreign = await node.call("GET", f"/v1/rounds?wait=0.1&state={known.state}&read={'a' * 32}:0")
    assert rounds_in(foreign) == known


async def test_a_new_round_answers(world: World) -> None:
    """A party that follows no round hears of one that names it."""
    world.context.wakeup.start()
    node = world.nodes["AL"]
    known = rounds_in(await node.call("GET", "/v1/rounds?wait=0"))
    assert known.rounds == ()
    waiting = asyncio.create_task(node.call("GET", f"/v1/rounds?wait={LONG}&state={known.state}"))
    await world.propose()
    world.context.wakeup.notify()
    assert len(rounds_in(await asyncio.wait_for(waiting, 30)).rounds) == 1


async def test_the_last_evaluation_of_one_party_answers(three: World) -> None:
    """A party's tokens for another are due when that one has evaluated all chunks, whatever is missing of a third."""
    await three.submitted()
    three.context.wakeup.start()
    own, other, _ = three.nodes.values()
    await other.sync()
    blinded = [event for event in other.seen if event.kind is EventKind.BLINDED and event.party == own.code]
    assert len(blinded) > 1
    waiting = await held(three, own)
    for event in blinded[:-1]:
        await other.evaluate_chunk(event.submission_id, event.index)
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await other.evaluate_chunk(blinded[-1].submission_id, blinded[-1].index)
    rounds_in(await asyncio.wait_for(waiting, 30))


async def test_another_process_rings_too(world: World) -> None:
    """What another process commits is found by a look at the newest event, and rings here."""
    await world.opened()
    pulse = Pulse(world.context)
    assert pulse.step() is False
    waiting = await held(world, world.nodes["AL"])
    await world.nodes["RS"].submit()  # nobody notifies: the wake-up of this process was not started
    world.context.wakeup.start()
    assert not waiting.done()
    world.context.round_cache.take_committed(1 << 62)  # as if another process had committed it
    pulse.step()
    rounds_in(await asyncio.wait_for(waiting, 30))
    rung = world.context.wakeup.listen()
    pulse.step()
    await asyncio.sleep(0.01)
    assert not rung.is_set()


async def test_a_party_holds_few(world: World) -> None:
    """One call more ends the oldest, of this party alone."""
    await world.opened()
    world.context.wakeup.start()
    other = await held(world, world.nodes["RS"])
    calls = [await held(world, world.nodes["AL"]) for _ in range(LongPolls.most)]
    calls.append(await held(world, world.nodes["AL"]))
    rounds_in(await asyncio.wait_for(calls[0], 30))
    assert [call.done() for call in (*calls[1:], other)] == [False, False, False]
    assert world.context.held.count("AL") == LongPolls.most
    world.context.wakeup.stop()
    for call in (*calls[1:], other):
        rounds_in(await asyncio.wait_for(call, 30))
    assert world.context.held.count("AL") == 0


async def test_a_stopping_matcher_holds_nothing(world: World) -> None:
    """Held calls do not hold up the end of the service; a call that comes then is answered."""
    await world.opened()
    world.context.wakeup.start()
    waiting = await held(world, world.nodes["AL"])
    world.context.wakeup.stop()
    state = rounds_in(await asyncio.wait_for(waiting, 30)).state
    assert rounds_in(await asyncio.wait_for(hear(world.nodes["AL"], state, LONG), 30)).state == state


async def test_signs_of_life(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing happens the connection carries spaces, and the party counts as there; nothing is written."""
    monkeypatch.setattr(long_polls, "SIGN_OF_LIFE_SECONDS", 0.05)
    await world.opened()
    world.context.wakeup.start()
    node = world.nodes["AL"]
    await node.sync()
    state = rounds_in(await hear(node)).state
    world.clock.time += 30
    answer = await hear(node, state, 0.5)
    assert answer.content.startswith(b"  ")
    assert rounds_in(answer).state == state
    assert world.app.state.contacts.by_party()["AL"].at == world.clock.time


async def test_a_stranger_holds_nothing(world: World) -> None:
    """A call without a registered party's signature is refused before anything waits."""
    await world.opened()
    world.context.wakeup.start()
    started = time.monotonic()
    answer = await world.call("GET", f"/v1/rounds?wait={LONG}")
    assert answer.status_code == 401
    assert time.monotonic() - started < 30
    assert sum(world.context.held.count(code) for code in world.nodes) == 0


async def test_an_event_wakes_whom_it_can_give_work(world: World) -> None:
    """A driver sleeps through events that are nothing to it; a signal without a kind wakes every one."""
    woken: list[str] = []

    class Sleeper(Driver):
        def wake(self) -> None:
            woken.append(self.name)

    steps = steps_of(world.context, world.app.state.approvals)
    assert set(WOKEN_BY) == set(steps)
    world.context.wakeup.start({Sleeper(name, _nothing): WOKEN_BY[name] for name in steps})
    for kind, names in (
        ("consent", {"opening"}),
        ("tokens", {"matching", "queries"}),
        ("hitreport", {"matching", "queries", "deleting"}),
        ("receipt", {"queries", "ending", "cleaning"}),
        ("confirmation", {"ending", "notes"}),
        ("submission", set()),
        (None, set(steps)),
    ):
        woken.clear()
        world.context.wakeup.notify(kind)
        await asyncio.sleep(0.01)
        assert set(woken) == names


async def test_a_signal_wakes_whom_it_concerns(world: World) -> None:
    """Calls of parties that may see what was committed; several signals of one call are one, at its end."""
    woken: list[str] = []

    class Sleeper(Driver):
        def wake(self) -> None:
            woken.append(self.name)

    wakeup = world.context.wakeup
    wakeup.start({Sleeper("first", _nothing): {"a"}, Sleeper("second", _nothing): {"b"}})
    al, rs, every = wakeup.listen("AL"), wakeup.listen("RS"), wakeup.listen()
    with wakeup.together():
        for kind in ("a", "a", "b"):
            wakeup.notify(kind, {"AL"})
        await asyncio.sleep(0.01)
        assert not al.is_set()
    await asyncio.sleep(0.01)
    assert (al.is_set(), rs.is_set(), every.is_set(), woken) == (True, False, True, ["first", "second"])
    wakeup.notify("c")
    await asyncio.sleep(0.01)
    assert rs.is_set()


async def _nothing() -> bool:
    return False
