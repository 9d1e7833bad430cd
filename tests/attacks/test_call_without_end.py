"""A registered party calls, and shows checkpoints, without end: it waits, others do not, and nothing piles up."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import func, select

from aquila.audit.checkpoint import log_name
from aquila.audit.entries import Entry, EntryKind
from aquila.crypto.group import Group
from services.kit.errors import PeerUnavailableError, retry_after_of
from services.kit.http.signed_calls import Rate, RateLimiter
from services.kit.log.entries import WITNESSED, append
from services.matcher.storage.tables import SPENT_NONCES
from tests.support.clock import Clock
from tests.support.matcher_world import World
from tests.support.node_world import make_world
from tests.support.signed_calls import is_signed_call


@pytest.fixture
def world(tmp_path: Path, group: Group) -> Iterator[World]:
    """A matcher that takes five calls of a party, and then none for a long time."""
    made = World(tmp_path / "matcher", "", group, "AL RS")
    made.app.state.buckets = RateLimiter(Rate(per_second=0.001, size=5), lambda: 0.0)
    yield made
    made.context.close()


async def test_call_as_often_as_one_likes(world: World) -> None:
    """What is refused stores no nonce, says when to come again, and costs another party nothing."""
    answers = [await world.nodes["AL"].call("GET", "/v1/rounds") for _ in range(20)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 15
    assert answers[-1].headers["retry-after"] == "1000"
    with world.context.store.reading("test") as session:
        assert session.scalar(select(func.count()).select_from(SPENT_NONCES)) == 5
    assert (await world.nodes["RS"].call("GET", "/v1/rounds")).status_code == 200


async def test_replay_the_calls_of_another_until_it_may_not_call(world: World) -> None:
    """A call that was overheard is refused each time, and the party whose it was has all its calls left but one."""
    request = httpx.Request("GET", "http://127.0.0.1:8700/v1/rounds")
    world.nodes["AL"].signer.sign(request)
    for number in range(20):
        answer = await world.call("GET", "/v1/rounds", headers=dict(request.headers))
        assert answer.status_code == (200 if number == 0 else 409)
    answers = [await world.nodes["AL"].call("GET", "/v1/rounds") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 4 + [429]


async def test_send_more_than_a_call_can_have(world: World) -> None:
    """Only statements and chunks may be large: every other call of a party refuses a body above its own bound."""
    world.app.state.buckets = None
    body, refused, taken = bytes(1 << 17), set(), set()
    for route in iter_route_contexts(world.app.routes):
        for method in route.methods & {"POST", "PUT"}:
            if is_signed_call(route.dependant):
                path = re.sub(
                    r"{(\w+)}", lambda found: {"party": "RS", "index": "0"}.get(found[1], "0" * 32), route.path
                )
                answer = await world.nodes["AL"].call(method, path, content=body)
                word = [part for part in route.path.split("/") if "{" not in part][-1]
                (refused if answer.status_code == 413 else taken).add(word)
    assert taken == {"statements", "consignments", "blinded", "evaluations", "tokens"}
    assert refused == {"proofs", "cosignatures", "checkpoints", "acceptance"}


async def test_take_copies_of_the_log_without_end(world: World) -> None:
    """Each takes a while to write: six at once, and then one every ten minutes."""
    world.app.state.buckets = None
    answers = [await world.nodes["AL"].call("GET", "/v1/log/bundle") for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429] * 2
    assert {answer.json()["code"] for answer in answers[6:]} == {"log_copied_too_often"}


async def test_show_checkpoints_without_end(tmp_path: Path) -> None:
    """RS lets its log grow by an entry and shows it, again and again: the matcher keeps the newest alone."""
    world = make_world(tmp_path, Clock(1_800_000_000), ("AL", "RS"))
    node = world.nodes["RS"].node
    for _ in range(12):
        with node.store.transaction("test.grow") as session:
            append(session, Entry.of(EntryKind.IMPORT, 1_800_000_000, "RS", counts={"records": 1}))
        await world.settle()
    origin = log_name("RS", node.party.identity.public)
    with world.app.state.context.store.reading("test") as session:
        sizes = session.scalars(select(WITNESSED.c.size).where(WITNESSED.c.origin == origin)).all()
    assert len(sizes) == 1
    assert sizes[0] >= 12
    await world.close()


async def test_a_node_that_calls_too_fast_comes_again(tmp_path: Path) -> None:
    """To it a refusal of this kind is a matcher that is busy, not one that says no."""
    world = make_world(tmp_path, Clock(1_800_000_000), ("AL", "RS"))
    world.app.state.buckets = RateLimiter(Rate(per_second=0.5, size=1), lambda: 0.0)
    peer = world.nodes["AL"].node.peer
    await peer.call("GET", "/v1/rounds")
    with pytest.raises(PeerUnavailableError) as caught:
        await peer.call("GET", "/v1/rounds")
    assert retry_after_of(caught.value) == 2
    await world.close()
