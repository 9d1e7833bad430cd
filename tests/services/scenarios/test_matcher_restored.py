"""The matcher's machine is lost and restored from a backup: open rounds are aborted, and a new one goes its way."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from aquila.protocol.log_entries import match_entry
from services.kit.http.signatures import CallSigner
from services.kit.log.entries import append
from services.node.rounds import work
from services.node.safeguards.registry import _check_rounds
from services.node.storage.tables import NamedEntriesRow
from tests.support.backups import Safe
from tests.support.ceremony import accept, fetched, prepare, replace_key
from tests.support.node_steps import closed_round, does, hit_with, open_round, round_with_hits
from tests.support.node_world import World
from tests.support.renewing import call_of
from tests.support.sentence_texts import texts

pytestmark = pytest.mark.rounds


@pytest.fixture
def safe(world: World, tmp_path: Path) -> Safe:
    return Safe(tmp_path / "safe", world)


async def test_in_a_round_the_round_is_aborted_everywhere(world: World, safe: Safe) -> None:
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


async def lost_since(world: World, safe: Safe, play: Callable[[World], Awaitable[str]]) -> str:
    safe.back_up("matcher")
    round_id = await play(world)
    await safe.lose_matcher()
    await world.settle()
    await world.acknowledge_alarms()
    return round_id


async def test_a_round_that_the_backup_does_not_know(world: World, safe: Safe) -> None:
    round_id = await lost_since(world, safe, open_round)
    for party_node in world.nodes.values():
        assert (await party_node.post(f"/rounds/{round_id}/abort", json={"reason": "lost"})).status_code == 202
    await world.settle()
    # 1. Nothing fails, no alarm came but the one over the shorter log, and another round goes its way.
    for party_node in world.nodes.values():
        assert not await party_node.step()
        assert [alarm["what"] for alarm in (await party_node.get("/log"))["alarms"]] == ["shrunk"]
        found = await party_node.round(round_id)
        assert (found["entry"]["phase"], found["problems"]) == ("aborted", [])
        assert not (party_node.node.keys / f"{round_id}.key").exists()
    again = await world.begin()
    await world.settle()
    assert await world.phase(again) == "reporting"
    assert all(round_id in work.open_rounds(party_node.node.store) for party_node in world.nodes.values())
    # 2. A newer backup could have brought it back until now.
    with world.nodes["AL"].node.rounds.of(round_id).reading() as round_:
        world.clock.time = round_.manifest.window.closes_at + 1
    await world.settle()
    assert not any(round_id in work.open_rounds(party_node.node.store) for party_node in world.nodes.values())


@pytest.mark.more_rounds
async def test_a_closed_round_that_the_backup_does_not_know(world: World, safe: Safe) -> None:
    """It stays closed at the nodes; a withdrawal of its hits cannot be sent, and people read why."""
    round_id = await lost_since(world, safe, closed_round)
    al = world.nodes["AL"]
    await does(al, await hit_with(al, "RS"), "withdrawal", ground="incorrect")
    await world.settle()
    found = await al.round(round_id)
    assert found["entry"]["phase"] == "closed"
    assert found["problems"]
    assert round_id in work.open_rounds(al.node.store)


@pytest.mark.more_rounds
async def test_a_round_that_nobody_aborted(world: World, safe: Safe) -> None:
    """That the matcher does not know it ends nothing: it says so without a signature, and people read it."""
    round_id = await lost_since(world, safe, open_round)
    al = world.nodes["AL"]
    with al.node.rounds.of(round_id).reading() as round_:
        world.clock.time = round_.manifest.window.closes_at + 1
    await world.settle()
    assert not (al.node.keys / f"{round_id}.key").exists()
    found = await al.round(round_id)
    assert found["entry"]["phase"] == "open"
    assert found["problems"]


@pytest.mark.more_rounds
async def test_a_round_that_is_aborted_after_its_time(world: World, safe: Safe) -> None:
    """Its keys went by the node's own clock; aborted, it is over, nothing is asked or sent, and keys can be renewed."""
    round_id = await lost_since(world, safe, round_with_hits)
    al = world.nodes["AL"]
    hit = await hit_with(al, "RS")
    with al.node.rounds.of(round_id).reading() as round_:
        world.clock.time = round_.manifest.window.closes_at + 1
    await world.settle()
    assert (await al.round(round_id))["keys_present"] is False
    assert round_id in work.open_rounds(al.node.store)
    assert (await al.post(f"/rounds/{round_id}/abort", json={"reason": "lost"})).status_code == 202
    await does(al, hit, "withdrawal", ground="incorrect", reason="another person")
    await world.settle()
    found = await al.round(round_id)
    assert found["entry"]["phase"] == "aborted"
    assert ["does not know this round" in problem for problem in texts(found["problems"])] == [True]
    assert round_id not in work.open_rounds(al.node.store)
    assert not al.node.rounds.of(round_id).note_key_path.exists()
    with al.node.store.reading("test.rounds") as session:
        _check_rounds(session, {"RS"})


@pytest.mark.more_rounds
async def test_a_key_that_was_revoked_after_the_backup(world: World, safe: Safe) -> None:
    """The restored matcher knows the registry of the backup: it takes the stolen key's calls, and no node its word."""
    safe.back_up("matcher")
    node = world.nodes["SI"]
    stolen, renewal = node.node.party.identity, prepare(node, lost=True)
    assert (await replace_key(world, renewal, revoked=True)).status_code == 202
    for member in world.nodes.values():
        await accept(member)
    node.restart()
    thief = CallSigner(stolen, "SI", world.clock)
    assert await call_of(world, thief) == 401
    await safe.lose_matcher()
    assert await call_of(world, thief) == 200
    assert all(member.node.registry.key_of("SI") != stolen.public for member in world.nodes.values())
    # Revoked again, it is revoked; nodes see two statements of one number, and accept nothing more by themselves.
    world.clock.time += 60
    assert (await replace_key(world, renewal, revoked=True)).status_code == 202
    assert await call_of(world, thief) == 401
    assert (await fetched(world.nodes["RS"]))["obstacle"]["code"] == "registry_stated_twice"


@pytest.mark.more_rounds
async def test_what_the_restored_log_says_is_judged_anew(world: World, safe: Safe) -> None:
    """After the acknowledgement its new entries count, also those at places that were judged in the log of before."""
    round_id = await round_with_hits(world)
    safe.back_up("matcher")
    for _ in range(3):
        await closed_round(world)
    world.clock.time += 601  # it looks again at the latest
    await world.settle()
    node = world.nodes["AL"].node
    with node.store.reading("test.judged") as session:
        before = session.get_one(NamedEntriesRow, 1).judged
    await safe.lose_matcher()
    await world.settle()
    await world.acknowledge_alarms()
    context = world.app.state.context
    with context.store.transaction("liar") as session:
        lie = append(session, match_entry(round_id, world.clock.time, "AL", "RS", None, {"high": 500}, None))
    assert lie < before
    world.clock.time += 601
    await world.settle()
    found = [alarm["what"] for alarm in (await world.nodes["AL"].get("/log"))["alarms"]]
    assert found == ["shrunk", "false"]
