"""Pairs of a round are independent in time: one that is complete is reported, whoever else is missing."""

import contextlib

import pytest

from services.kit.errors import NotFoundError
from services.matcher.steps.matches import match_lists
from tests.support.matcher_world import NOW, World

pytestmark = [pytest.mark.rounds, pytest.mark.postgresql_soak]


async def played(world: World, *codes: str) -> None:
    """Let some parties evaluate, collect and send tokens, as far as they can, and the matcher match."""
    nodes = [world.nodes[code] for code in codes]
    for node in nodes:
        await node.evaluate()
    for node in nodes:
        await node.collect()
    for node in nodes:
        await node.finalize(node.list)
    world.advance()


async def test_a_party_that_never_submits(three: World) -> None:
    """The two others have their hits, and the round is closed as soon as no list can come any more."""
    await three.opened()
    assert three.awaited() == {("AL", "list"), ("RS", "list"), ("SI", "list")}
    assert {one["since"] for one in (await three.view())["pairs"]} == {None}
    for code in ("AL", "RS"):
        await three.nodes[code].submit()
    assert three.awaited() == {("AL", "evaluations"), ("RS", "evaluations"), ("SI", "list")}
    await played(three, "AL", "RS")
    assert three.awaited() == {("AL", "receipt"), ("RS", "receipt"), ("SI", "list")}
    assert await three.pairs() == {"AL RS": "reported", "AL SI": "list", "RS SI": "list"}
    # What SI is to evaluate stays; tokens that were joined go.
    assert {name.split("/")[2] for name in three.chunk_files()} == {"blinded"}
    for code in ("AL", "RS"):
        await three.nodes[code].acknowledge()
        assert len(three.nodes[code].hits()) == 1
    for code in ("AL", "RS"):
        await three.nodes[code].send_notes()
    for code in ("AL", "RS"):
        await three.nodes[code].confirm_notes()
    assert (await three.operate("POST", f"/{three.round_id}/close")).status_code == 202
    three.advance()
    assert (await three.view())["entry"]["phase"] == "open"
    assert three.awaited() == {("SI", "list")}
    assert [one["acknowledged"] for one in (await three.view())["parties"]] == [False, False, False]
    three.clock.time = NOW + 101
    assert three.awaited() == set()
    assert [one["acknowledged"] for one in (await three.view())["parties"]] == [True, True, False]
    assert await three.pairs() == {"AL RS": "acknowledged", "AL SI": "over", "RS SI": "over"}
    three.advance()
    assert (await three.view())["ending"]["text"] == "closed: every party has its hits"
    assert three.chunk_files() == []


async def test_a_party_that_comes_back(three: World) -> None:
    """Its pairs are joined too while the round lasts, even when their time was over."""
    await three.submitted()
    await played(three, "AL", "RS")
    assert await three.pairs() == {"AL RS": "reported", "AL SI": "evaluations", "RS SI": "evaluations"}
    for code in ("AL", "RS"):
        await three.nodes[code].acknowledge()
    assert ["SI"] in [one["waits_for"] for one in (await three.view())["parties"]]
    three.clock.time = NOW + 201
    assert [one["waits_for"] for one in (await three.view())["parties"]] == [[], [], []]
    assert await three.pairs() == {"AL RS": "acknowledged", "AL SI": "over", "RS SI": "over"}
    three.restart()
    await three.nodes["SI"].evaluate()
    await three.nodes["SI"].collect()
    await three.nodes["SI"].finalize(three.nodes["SI"].list)
    await played(three, "AL", "RS")
    assert await three.pairs() == {"AL RS": "acknowledged", "AL SI": "reported", "RS SI": "reported"}
    since = {one["left"] + one["right"]: one["since"] for one in (await three.view())["pairs"]}
    assert since == {"ALRS": NOW, "ALSI": NOW + 201, "RSSI": NOW + 201}
    for node in three.nodes.values():
        await node.sync()
    assert {code: len(node.hits()) for code, node in three.nodes.items()} == {"AL": 1, "RS": 2, "SI": 1}


@pytest.mark.more_rounds
async def test_a_pair_whose_tokens_are_lost_here(three: World) -> None:
    """It is tried again and again, and the others are joined meanwhile."""
    await three.submitted()
    for node in three.nodes.values():
        await node.evaluate()
    for node in three.nodes.values():
        await node.collect()
    for node in three.nodes.values():
        await node.finalize(node.list)
    lost = next(name for name in three.chunk_files() if name.split("/")[2:4] == ["tokens", "RS"])
    three.context.files.delete(lost)
    for _ in range(6):
        with contextlib.suppress(NotFoundError):
            match_lists(three.context)
        three.clock.time += 1
    states = await three.pairs()
    assert sorted(states.values()) == ["joining", "reported", "reported"]
