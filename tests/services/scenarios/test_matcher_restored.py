"""The matcher's machine is lost and restored from a backup: open rounds are aborted, and a new one goes its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.backups import Safe
from tests.support.node_steps import closed_round, open_round

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.node_world import World


@pytest.fixture
def safe(world: World, tmp_path: Path) -> Safe:
    """A safe apart from the machines."""
    return Safe(tmp_path / "safe", world)


async def test_in_a_round_the_round_is_aborted_everywhere(world: World, safe: Safe) -> None:
    """Nodes have seen more than the backup knows: they stop, and after all alarms the round is aborted at everyone."""
    round_id = await open_round(world)
    safe.back_up("matcher")
    await world.settle()
    restored = await safe.lose_matcher()
    assert restored.aborted == 1
    await world.settle()
    # 1. Every node has the alarm of the matcher's log, and the matcher its own.
    for party_node in world.nodes.values():
        assert any(alarm["acknowledged_at"] is None for alarm in (await party_node.get("/log"))["alarms"])
    await world.acknowledge_alarms()
    # 2. The round is over, and its keys are gone.
    assert await world.phase(round_id) == "aborted"
    for party_node in world.nodes.values():
        assert (await party_node.round(round_id))["entry"]["phase"] == "aborted"
        assert not (party_node.node.keys / f"{round_id}.key").exists()
    # 3. A new round goes its way.
    again = await world.begin()
    await world.settle()
    assert await world.phase(again) == "reporting"


async def test_between_rounds_everything_is_there_again(world: World, safe: Safe) -> None:
    """Published numbers and the log are as they were, and a new round goes its way."""
    round_id = await closed_round(world)
    before = (await world.operator.get("/v1/operator/statistics")).json()
    safe.back_up("matcher")
    restored = await safe.lose_matcher()
    assert restored.aborted == 0
    assert (await world.operator.get("/v1/operator/statistics")).json() == before
    assert await world.phase(round_id) == "closed"
    await world.settle()
    await world.acknowledge_alarms()
    again = await world.begin()
    await world.settle()
    assert await world.phase(again) == "reporting"
    world.app.state.context.log.own.check()
