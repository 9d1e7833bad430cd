"""A node loses its round key's file in the middle of a round: it says so, answers nothing, and nobody is harmed."""

from __future__ import annotations

import pytest

from tests.support.node_world import HEADER, LISTS, World
from tests.support.sentence_texts import texts

pytestmark = pytest.mark.rounds


async def lose(world: World, round_id: str) -> None:
    """Take the key's file of RS away after its consent, as a wrong hand or a disk does, and start the node again."""
    party_node = world.nodes["RS"]
    path = party_node.node.keys / f"{round_id}.key"
    await world.until(path.is_file)
    path.unlink()
    party_node.restart()


async def test_it_says_so_and_evaluates_nothing(world: World) -> None:
    """Without its share no token comes into being: the round waits until somebody ends it."""
    round_id = await world.begin(lists=False)
    await lose(world, round_id)
    for code in ("AL", "SI"):
        party_node = world.nodes[code]
        assert (await party_node.submit(round_id, await party_node.load(HEADER + LISTS[code]))).status_code == 202
    await world.settle()
    view = await world.nodes["RS"].round(round_id)
    assert "key of this round is missing" in " ".join(texts(view["problems"]))
    assert view["keys_present"] is False
    assert await world.phase(round_id) == "open"
    for code in ("AL", "SI"):
        [own] = (await world.nodes[code].round(round_id))["submissions"]
        assert own["evaluated"]["done"] < own["evaluated"]["of"]
        assert own["tokens_sent"]["done"] == 0


async def test_the_round_is_ended_and_a_new_one_goes_its_way(world: World) -> None:
    """An abort destroys every other key too; with fresh shares the same parties come to their hits."""
    round_id = await world.begin(lists=False)
    await lose(world, round_id)
    await world.settle()
    answer = await world.operator.post(f"/v1/operator/rounds/{round_id}/abort", json={"reason": "RS lost its key"})
    assert answer.status_code == 202, answer.text
    await world.settle()
    assert await world.phase(round_id) == "aborted"
    assert not any((party_node.node.keys / f"{round_id}.key").exists() for party_node in world.nodes.values())
    again = await world.begin()
    await world.settle()
    assert await world.phase(again) == "reporting"
    assert (await world.nodes["RS"].get(f"/rounds/{again}/hits"))["hits"]
