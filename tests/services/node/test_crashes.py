"""Nodes that are stopped, restored or robbed of their keys in the middle of a round."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select

from services.node.rounds import work
from services.node.storage.tables import ExchangeRow
from tests.support.node_steps import round_before_matching
from tests.support.node_world import World
from tests.support.played_worlds import WorldAfter
from tests.support.sentence_texts import texts

pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.more_rounds, pytest.mark.postgresql]


async def test_a_missing_round_key_ends_the_part_of_the_node(world: World) -> None:
    """A node whose key file is gone says so, and evaluates nothing more in this round."""
    round_id = await world.begin(lists=False)
    al, rs = world.nodes["AL"], world.nodes["RS"]

    async def open_() -> bool:
        return await world.phase(round_id) == "open"

    await world.until(open_)
    (al.home / "keys" / f"{round_id}.key").unlink()
    import_id = await rs.load("record_id,given_names,family_names,date_of_birth\n1,Mira,Janković,1980-01-01\n")
    await rs.submit(round_id, import_id)
    await world.settle()
    view = await al.round(round_id)
    assert any("key of this round is missing" in problem for problem in texts(view["problems"]))
    assert view["evaluated_for_others"]["done"] == 0


async def round_with_a_note_key(world: World) -> str:
    """Play a round until AL has its hits and the key for their notes, and has read no other party's."""
    round_id = await round_before_matching(world)
    await world.until(world.nodes["AL"].node.rounds.of(round_id).note_key_path.is_file, "AL")
    return round_id


async def test_a_round_key_that_is_open_to_others_is_not_lost(world_after: WorldAfter) -> None:
    """The round waits for a person, who reads what to do, and goes on after that; nothing was refused."""
    world, round_id = await world_after(round_before_matching)
    al = world.nodes["AL"]
    key = al.node.rounds.of(round_id).key_path
    key.chmod(0o640)
    al.restart()
    for _ in range(5):
        await world.step()
    view = await al.round(round_id)
    assert any(f"chmod 600 {key}" in problem for problem in texts(view["problems"]))
    with al.node.store.reading("test.failing") as session:
        assert round_id in work.failing(session)
    key.chmod(0o600)
    await world.settle()
    view = await al.round(round_id)
    assert (view["hits"], view["problems"]) == (1, [])


async def test_a_round_key_that_cannot_be_read_for_a_while_is_not_lost(world_after: WorldAfter) -> None:
    """The disk refuses to open the key's file: nothing is refused, and the round goes on when it can be read again."""
    world, round_id = await world_after(round_before_matching)
    al = world.nodes["AL"]
    await unreadable(world, al.node.rounds.of(round_id).key_path)
    view = await al.round(round_id)
    assert (view["hits"], view["problems"]) == (1, [])


async def test_a_note_key_that_cannot_be_read_for_a_while_is_not_lost(world_after: WorldAfter) -> None:
    """It is not destroyed, and hits are confirmed when it can be read again."""
    world, round_id = await world_after(round_with_a_note_key)
    al = world.nodes["AL"]
    await unreadable(world, al.node.rounds.of(round_id).note_key_path)
    assert (await al.round(round_id))["problems"] == []
    with al.node.store.reading("test.exchange") as session:
        assert all(row.accepted for row in session.scalars(select(ExchangeRow)))


def refuse_to_open(key: Path) -> Path:
    """Let the disk refuse to open a key that is there; return where the file waits."""
    away = key.rename(key.with_name("away"))
    key.symlink_to(key)
    return away


async def unreadable(world: World, key: Path) -> None:
    """Let all go on while the disk refuses to open a key of AL that is there, then when it can be read again."""
    away = await asyncio.to_thread(refuse_to_open, key)
    world.nodes["AL"].restart()
    for _ in range(10):
        await world.step()
    await asyncio.to_thread(away.replace, key)
    await world.settle()
