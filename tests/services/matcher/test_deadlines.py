"""Deadlines, by a clock that the test sets: when a round opens, and when it ends by itself."""

import pytest

from tests.support.matcher_world import NOW, World

pytestmark = pytest.mark.postgresql_soak


async def test_it_opens_when_everyone_consented(world: World) -> None:
    await world.propose()
    await world.nodes["AL"].consent()
    world.advance()
    assert (await world.view())["entry"]["phase"] == "proposed"
    await world.nodes["RS"].consent()
    world.advance()
    assert (await world.view())["entry"]["phase"] == "open"


async def test_it_opens_without_who_did_not_consent(three: World) -> None:
    """After the deadline two are enough; a late consent is refused."""
    await three.propose()
    await three.nodes["AL"].consent()
    await three.nodes["RS"].consent()
    three.advance()
    assert (await three.view())["entry"]["phase"] == "proposed"
    three.clock.time = NOW + 1
    three.advance()
    view = await three.view()
    assert (view["entry"]["phase"], view["participants"]) == ("open", ["AL", "RS"])
    assert (await three.nodes["SI"].consent()).status_code == 409


async def test_too_few_consents(three: World) -> None:
    await three.propose()
    await three.nodes["AL"].consent()
    three.clock.time = NOW + 1
    three.advance()
    assert (await three.view())["ending"]["text"] == "aborted: no two parties that may be compared consented in time"


async def test_time_is_over_without_hits(world: World) -> None:
    await world.evaluated()
    await world.nodes["AL"].finalize(world.nodes["AL"].list)
    world.clock.time = NOW + 301
    world.advance()
    assert (await world.view())["ending"]["text"].startswith("aborted: its time is over")


async def test_time_is_over_with_all_receipts(world: World) -> None:
    await world.acknowledged()
    world.advance()
    assert (await world.view())["ending"] is None
    world.clock.time = NOW + 301
    world.advance()
    assert (await world.view())["ending"]["text"] == "closed: its time is over"


async def test_time_is_over_without_a_receipt(world: World) -> None:
    """There are hits: the round is closed, and whoever was away fetches them afterwards."""
    await world.reported()
    await world.nodes["AL"].acknowledge()
    world.clock.time = NOW + 301
    world.advance()
    assert (await world.view())["ending"]["text"] == "closed: its time is over"
    await world.nodes["RS"].sync()
    assert len(world.nodes["RS"].hits()) == 1
