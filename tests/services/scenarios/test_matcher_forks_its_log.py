"""The matcher rewrites its log: every node finds it at the next contact, keeps the evidence, and says nothing more."""

from collections.abc import Callable

import pytest
from sqlalchemy import delete, select

from aquila.audit.checkpoint import log_name, open_checkpoint
from aquila.audit.entries import Entry, EntryKind
from services.kit.log.entries import CHECKPOINTS, EDGE, ENTRIES, append
from services.node.storage.tables import StatementRow
from tests.support.node_steps import round_without_lists
from tests.support.node_world import World
from tests.support.played_worlds import WorldAfter
from tests.support.sentence_texts import texts
from tests.support.stored_log import entries

pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.rounds]


def rewrite(world: World, change: Callable[[list[Entry]], list[Entry]]) -> None:
    """Let the matcher's administrator write the whole log anew, as one who holds its key and its disk can."""
    context = world.app.state.context
    with context.store.transaction("test.rewrite") as session:
        kept = change([entry for _, entry in entries(session) if entry is not None])
        for table in (ENTRIES, EDGE, CHECKPOINTS):
            session.execute(delete(table))
        for entry in kept:
            append(session, entry)
    files = context.log.own.files
    for name in files.names():
        files.delete(name)


def without_the_second(found: list[Entry]) -> list[Entry]:
    filler = [Entry.of(EntryKind.LOG_EXPORTED, found[-1].time, "matcher")] * 3
    return [found[0], *found[2:], *filler]


@pytest.mark.parametrize(
    ("change", "what", "sentence"),
    [
        (lambda found: found[:2], "shrunk", "shrank"),
        (without_the_second, "fork", "forked"),
        pytest.param(
            lambda found: [*found[:-1], found[-1].model_copy(update={"time": 1})],
            "fork",
            "forked",
            marks=pytest.mark.more_rounds,
        ),
        pytest.param(lambda _: [], "shrunk", "to 0 entries", marks=pytest.mark.more_rounds),
    ],
)
async def test_nodes_stop(
    world_after: WorldAfter, change: Callable[[list[Entry]], list[Entry]], what: str, sentence: str
) -> None:
    """A log that forks, shrinks or vanishes stops every node, visibly; both checkpoints are kept."""
    world, round_id = await world_after(round_without_lists)
    rewrite(world, change)
    party_node = world.nodes["AL"]
    before = said(world)
    answer = await party_node.submit(
        round_id, await party_node.load("record_id,given_names,family_names\nal-1,Ana,Novak\n")
    )
    assert answer.status_code == 202
    await world.settle()
    # 1. Nothing more was signed, and the reason is to be seen wherever one looks.
    assert said(world) == before
    assert any(sentence in problem for problem in texts((await party_node.round(round_id))["problems"]))
    assert sentence in (await party_node.get("/status"))["log_alarm"]
    # 2. Both checkpoints are evidence, each signed by the matcher.
    (alarm,) = (await party_node.get("/log"))["alarms"]
    assert alarm["what"] == what
    key = party_node.node.registry.matcher
    seen, _ = open_checkpoint(alarm["seen"].encode(), log_name("matcher", key), key)
    if alarm["got"]:
        got, _ = open_checkpoint(alarm["got"].encode(), log_name("matcher", key), key)
        assert (seen.size, seen.root) != (got.size, got.root)
    # 3. The alarm is an entry of the node's own log, and a new start does not forget it.
    with party_node.node.store.reading("test.log") as session:
        kinds = [entry.kind for _, entry in entries(session) if entry is not None]
    assert kinds.count(EntryKind.LOG_ALARM) == 1
    party_node.restart()
    await world.settle()
    assert said(world) == before


async def test_an_administrator_goes_on(world_after: WorldAfter) -> None:
    world, round_id = await world_after(round_without_lists)
    rewrite(world, without_the_second)
    await world.settle()
    for party_node in world.nodes.values():
        (alarm,) = (await party_node.get("/log"))["alarms"]
        answer = await party_node.post(f"/log/alarms/{alarm['alarm_id']}/acknowledge")
        assert answer.status_code == 204, answer.text
        again = await party_node.post(f"/log/alarms/{alarm['alarm_id']}/acknowledge")
        assert again.status_code == 409
        assert (await party_node.post("/log/alarms/99/acknowledge")).status_code == 404
    await world.settle()
    assert (await world.nodes["AL"].get("/status"))["log_alarm"] == ""
    party_node = world.nodes["AL"]
    await party_node.submit(round_id, await party_node.load("record_id,given_names,family_names\nal-1,Ana,Novak\n"))
    await world.until(lambda: len(said(world)) > 2)
    with party_node.node.store.reading("test.log") as session:
        kinds = [entry.kind for _, entry in entries(session) if entry is not None]
    assert EntryKind.ALARM_ACKNOWLEDGED in kinds
    assert kinds.count(EntryKind.LOG_ALARM) == 1


@pytest.mark.more_rounds
async def test_a_restored_database_does_not_forget(world: World) -> None:
    """The last checkpoint lies outside the database too: a node restored from a backup finds a shrunk log."""
    await world.propose()
    party_node = world.nodes["AL"]
    await world.settle()
    before = party_node.node.log.witness.seen_size("matcher")
    party_node.node.store.erase_deleted()
    backup = (world.path / "AL" / "node.db").read_bytes()
    for other in world.nodes.values():
        await other.load("record_id,given_names,family_names\nal-1,Ana,Novak\n")
    await world.propose()
    await world.settle()
    seen = party_node.node.log.witness.seen_size("matcher")
    assert seen > before
    party_node.stop()
    (world.path / "AL" / "node.db").write_bytes(backup)
    for left in world.path.glob("AL/node.db-*"):
        left.unlink()
    rewrite(world, lambda found: found[:1])
    party_node.start()
    await world.settle("AL")
    # Its own log is behind its files too, and is looked at first.
    (alarm,) = (await party_node.get("/log"))["alarms"]
    assert "another log" in alarm["sentence"]["text"]
    assert (await party_node.post(f"/log/alarms/{alarm['alarm_id']}/acknowledge")).status_code == 204
    await world.settle("AL")
    assert f"shrank from {seen} to 1" in (await party_node.get("/status"))["log_alarm"]


@pytest.mark.more_rounds
async def test_keys_are_destroyed_all_the_same(world_after: WorldAfter) -> None:
    """Under an alarm a node still destroys the keys of a round whose time is over; it signs that later."""
    world, round_id = await world_after(round_without_lists)
    rewrite(world, without_the_second)
    await world.settle()
    before = said(world)
    world.clock.time += 10_000_000
    await world.settle()
    party_node = world.nodes["AL"]
    assert not (await party_node.round(round_id))["keys_present"]
    assert said(world) == before


def said(world: World) -> list[str]:
    digests: list[str] = []
    for party_node in world.nodes.values():
        with party_node.node.store.reading("test.said") as session:
            digests += session.scalars(select(StatementRow.digest).where(StatementRow.own))
    return digests
