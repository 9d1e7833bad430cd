"""The feed: who sees what, in order, in pages, and without delay."""

import asyncio
import time
from collections import Counter

import pytest

from aquila.protocol.messages.feed import EventKind, Events
from tests.support.matcher_world import NOW, Node, World

pytestmark = pytest.mark.postgresql_soak


def statements(node: Node) -> Counter[tuple[str, str]]:
    shown = [node.round.accept(e.envelope.encode()) for e in node.seen if e.kind is EventKind.STATEMENT]
    return Counter((type(accepted.message).__name__, accepted.signer) for accepted in shown)


async def test_who_sees_what(three: World) -> None:
    await three.acknowledged()
    for code, node in three.nodes.items():
        await node.sync()
        seen = statements(node)
        for other in three.nodes:
            assert seen["Consent", other] == seen["Submission", other] == 1
            assert seen["Tokens", other] == 2
            assert seen["Receipt", other] == (2 if other == code else 0)
        assert (seen["Opening", "matcher"], seen["HitReport", "matcher"]) == (1, 2)
        assert {report.party for report in node.round.reports} == {code}
        evaluations = [e for e in node.round.evaluations.values() if e.party != code]
        assert {e.origin for e in evaluations} == {code}
        chunks = [e for e in node.seen if e.kind is not EventKind.STATEMENT]
        assert {e.party for e in chunks} == set(three.nodes) - {code}
        own = {sent.submission_id for sent in node.sent.values()}
        assert all((e.submission_id in own) == (e.kind is EventKind.EVALUATION) for e in chunks)


async def test_pages(world: World) -> None:
    await world.opened()
    node = world.nodes["AL"]
    whole = Events.model_validate_json((await node.call("GET", "events")).content)
    paged: list[object] = []
    after = 0
    while events := Events.model_validate_json(
        (await node.call("GET", f"events?after={after}&limit=1")).content
    ).events:
        paged += events
        after = events[-1].event_id
    assert tuple(paged) == whole.events
    assert [e.event_id for e in whole.events] == sorted(e.event_id for e in whole.events)
    assert whole.time == NOW


async def test_a_page_has_a_size(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large statements make short pages, but never empty ones."""
    monkeypatch.setattr("services.matcher.events._PAGE_BYTES", 1)
    await world.opened()
    answer = await world.nodes["AL"].call("GET", "events")
    assert len(answer.json()["events"]) == 1


async def test_a_waiting_call_hears_at_once(world: World) -> None:
    await world.opened()
    world.context.wakeup.start()
    node = world.nodes["AL"]
    await node.sync()
    started = time.monotonic()
    waiting = asyncio.create_task(node.call("GET", f"events?after={node.cursor}&wait=20"))
    await asyncio.sleep(0.1)
    await world.nodes["RS"].submit()
    answer = await waiting
    assert time.monotonic() - started < 15
    assert len(answer.json()["events"]) >= 1
    await node.sync()
    answer = await node.call("GET", f"events?after={node.cursor}&wait=0.2")
    assert answer.json()["events"] == []


async def test_who_waits_is_let_go_when_the_matcher_stops(world: World) -> None:
    await world.opened()
    node = world.nodes["AL"]
    await node.sync()
    world.context.wakeup.start()
    waiting = asyncio.create_task(node.call("GET", f"events?after={node.cursor}&wait=20"))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    world.context.wakeup.stop()
    answer = await asyncio.wait_for(waiting, 15)
    assert Events.model_validate_json(answer.content).events == ()
