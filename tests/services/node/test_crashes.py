"""Nodes that are stopped, restored or robbed of their keys in the middle of a round."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.services.node.test_whole_round import pairs
from tests.support.sentence_texts import texts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.node_world import World


pytestmark = pytest.mark.parties("AL", "RS")


async def test_a_node_restarted_after_every_step_ends_with_the_same_hits(world: World) -> None:
    """Every part of every node is made anew from what is stored between any two steps, and nothing is done twice."""
    round_id = await world.begin()
    party_nodes = world.nodes.values()
    for _ in range(60):
        for party_node in party_nodes:
            party_node.restart()
        await world.step()
        views = [await party_node.round(round_id) for party_node in party_nodes]
        if all(view["hits"] == 1 for view in views):
            break
    assert pairs(await world.nodes["AL"].get(f"/rounds/{round_id}/hits")) == {("al-list-1", "RS")}
    for party_node in party_nodes:
        view = await party_node.round(round_id)
        assert texts(view["problems"]) == []
        assert view["evaluated_for_others"] == {"done": 2, "of": 2}


@pytest.mark.database_files
async def test_a_node_on_an_older_copy_of_its_database_refuses_the_round(world: World, tmp_path: Path) -> None:
    """The matcher's feed holds statements that the copy does not know: the node says nothing more but an abort."""
    round_id = await world.begin()
    al = world.nodes["AL"]

    async def open_() -> bool:
        return await world.phase(round_id) == "open"

    await world.until(open_)
    copies = tmp_path / "copy"
    copies.mkdir()
    for path in al.home.glob("node.db*"):
        shutil.copy(path, copies / path.name)

    async def has_evaluated() -> bool:
        return bool((await al.round(round_id))["evaluated_for_others"]["done"])

    await world.until(has_evaluated)
    al.stop()
    for path in al.home.glob("node.db*"):
        path.unlink()
    for path in copies.iterdir():
        shutil.copy(path, al.home / path.name)
    al.start()
    await world.settle()
    await world.acknowledge_alarms()
    view = await al.round(round_id)
    assert any("backup" in problem for problem in texts(view["problems"]))
    assert view["evaluated_for_others"]["done"] == 0
    answer = await al.submit(round_id, (await al.get("/imports"))["imports"][0]["import_id"], "list")
    assert answer.status_code == 403
    assert (await al.post(f"/rounds/{round_id}/abort", json={"reason": "restored backup"})).status_code == 202
    await world.settle()
    assert await world.phase(round_id) == "aborted"
    assert not (await al.round(round_id))["keys_present"]


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
