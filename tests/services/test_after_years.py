"""Services that keep many rounds that are over: what people and drivers do costs what goes on, not what has ended."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.support.database_work import DatabaseWork
from tests.support.large_world import closed_round_with_queries, copy_closed_round
from tests.support.node_world import World
from tests.support.played_worlds import WorldAfter

pytestmark = [pytest.mark.database_files, pytest.mark.parties("AL", "RS"), pytest.mark.more_rounds]

FEW, MORE = 3, 24
MOST = 40
"""Steps of the database's virtual machine that a round which is over may cost, as to count it does."""
MOST_COUNTED = 250
"""The same where the hits of each round are held against its receipt, and rounds without a row of work are looked for:
a node does so after a start and every hour."""
MOST_LISTED = 150
"""The same where each list or query of it is put in order, and none of its counts is read."""

LISTED = ("/v1/queries?limit=2", "/v1/operator/statistics?limit=2", "/v1/operator/picture")
NODE = ("/v1/rounds?limit=2", "/v1/rounds?limit=2&ongoing=true", "/v1/needs", *LISTED[:1])
MATCHER = ("/v1/operator/rounds?limit=2", "/v1/operator/rounds?limit=2&ongoing=true", "/v1/operator/needs", *LISTED[1:])


async def closed(world: World) -> str:
    return await closed_round_with_queries(world, 25)


async def test_each_round_that_was_made_can_be_verified(world_after: WorldAfter) -> None:
    """At the matcher and at each node the statements of every copy follow from its manifest, and its log holds them."""
    world, first = await world_after(closed)
    made = copy_closed_round(world, first, FEW)
    assert len({first, *made}) == FEW + 1
    for party_node in world.nodes.values():
        party_node.restart()
    await world.settle()
    for round_id in (first, *made):
        assert await world.phase(round_id) == "closed"
        with world.app.state.context.round_cache.reading(round_id) as turn:
            assert set(turn.round.closings) == set(world.nodes)
        for party_node in world.nodes.values():
            with party_node.node.rounds.reading(round_id) as round_:
                assert round_.ending is not None
            assert party_node.node.contact.obstacle is None
        answer = await world.operator.get(f"/v1/operator/log/rounds/{round_id}")
        assert answer.status_code == 200
        assert answer.json()["broken"] == []
    context = world.app.state.context
    for people, store in (
        (world.operator, context.store),
        *((party_node.operator, party_node.node.store) for party_node in world.nodes.values()),
    ):
        assert len((await people.get("/v1/approvals")).json()["approvals"]) > FEW
        assert store.row_key is not None
        assert store.row_key.forged() == {}


async def costs(
    calls: Callable[[str], Awaitable[httpx.Response]], paths: tuple[str, ...], work: DatabaseWork
) -> list[int]:
    """Return the steps of the database for each call, the second time that it is made."""
    found = []
    for path in paths:
        for _ in range(2):
            work.taken()
            answer = await calls(path)
            assert answer.status_code == 200, answer.text
        found.append(work.taken()[1])
    return found


async def test_lists_cost_what_they_show(world_after: WorldAfter) -> None:
    """A part of the rounds, and those that need somebody, cost the same whatever is over."""
    world, first = await world_after(closed)
    al, context = world.nodes["AL"], world.app.state.context
    copy_closed_round(world, first, FEW)
    few = await costs(al.operator.get, NODE, DatabaseWork(al.node.store))
    few += await costs(world.operator.get, MATCHER, DatabaseWork(context.store))
    copy_closed_round(world, first, MORE, seed=2)
    many = await costs(al.operator.get, NODE, DatabaseWork(al.node.store))
    many += await costs(world.operator.get, MATCHER, DatabaseWork(context.store))
    growth = {path: (more - less) / MORE for path, less, more in zip((*NODE, *MATCHER), few, many, strict=True)}
    most = {path: MOST_LISTED if path in LISTED else MOST for path in growth}
    assert {path: steps for path, steps in growth.items() if steps > most[path]} == {}


async def test_drivers_cost_what_goes_on(world_after: WorldAfter) -> None:
    """A look of a node's driver and those of the matcher's drivers read nothing over; a start counts the hits alone."""
    world, first = await world_after(closed)
    await world.begin(lists=False)
    copy_closed_round(world, first, FEW)
    few = await drivers(world)
    copy_closed_round(world, first, MORE, seed=2)
    many = await drivers(world)
    growth = {name: (more - few[name]) / MORE for name, more in many.items()}
    most = {"node, first look": MOST_COUNTED}
    assert {name: steps for name, steps in growth.items() if steps > most.get(name, MOST)} == {}


async def test_a_held_call_costs_what_has_changed(world_after: WorldAfter) -> None:
    """A node that knows the list gets an answer without it, as long for many rounds as for few."""
    world, first = await world_after(closed)
    await world.settle()
    await world.begin(lists=False)
    found = []
    for more, seed in ((FEW, 1), (MORE, 2)):
        copy_closed_round(world, first, more, seed=seed)
        found.append(await held_call(world))
    (few, shorter), (many, longer) = found
    assert longer == shorter
    assert (many - few) / MORE <= MOST


async def held_call(world: World) -> tuple[int, int]:
    """Return the steps of the matcher's database for a node's call that is answered at once, and the answer's bytes."""
    al, work = world.nodes["AL"], DatabaseWork(world.app.state.context.store)
    query = {"wait": 0, "changes": True}
    state = (await al.node.peer.call("GET", "/v1/rounds", params=query)).json()["state"]
    work.taken()
    answer = await al.node.peer.call("GET", "/v1/rounds", params=query | {"state": state})
    return work.taken()[1], len(answer.content)


async def drivers(world: World) -> dict[str, int]:
    al, found = world.nodes["AL"], dict[str, int]()
    al.restart()
    await world.settle()
    al.restart()
    work = DatabaseWork(al.node.store)
    for look in ("first", "second"):
        await al.step()
        found[f"node, {look} look"] = work.taken()[1]
    work = DatabaseWork(world.app.state.context.store)
    for name, step in world.steps().items():
        if name != "retention":  # it looks once an hour
            step()
            work.taken()
            step()
            found[f"matcher, {name}"] = work.taken()[1]
    return found
