"""A matcher that is killed goes on where it was, whatever the phase; several workers agree."""

import fcntl

import httpx
import pytest

from aquila.sentences import quoted
from services.kit.errors import RoundDamagedError, StoreError
from services.kit.storage.files import ChunkFiles
from services.matcher.main import build
from services.matcher.steps.deletion import wipe_leftovers
from services.matcher.storage.tables import EventRow, EvidenceRow, HitCountRow
from tests.support.matcher_world import Node, World

pytestmark = [pytest.mark.more_rounds, pytest.mark.postgresql]


async def test_in_every_phase(three: World) -> None:
    """Killed between any two acts, the round still comes to its end."""
    world = three
    await world.propose()
    for node in world.nodes.values():
        world.restart()
        await node.consent()
    world.restart()
    world.advance()
    for node in world.nodes.values():
        world.restart()
        await node.submit()
    for node in world.nodes.values():
        world.restart()
        await node.evaluate()
    for node in world.nodes.values():
        world.restart()
        await node.collect()
    for node in world.nodes.values():
        world.restart()
        await node.finalize(node.list)
    world.restart()
    world.advance()
    world.restart()
    assert (await world.view())["entry"]["phase"] == "reporting"
    for node in world.nodes.values():
        world.restart()
        await node.acknowledge()
    for node in world.nodes.values():
        world.restart()
        await node.send_notes()
    for node in world.nodes.values():
        world.restart()
        await node.confirm_notes()
        world.advance()
    await world.operate("POST", f"/{world.round_id}/close")
    world.restart()
    world.advance()
    for node in world.nodes.values():
        world.restart()
        await node.close()
    world.advance()
    world.restart()
    view = await world.view()
    assert view["ending"]["text"].startswith("closed")
    assert sum(view["hits_by_certainty"].values()) == 2
    assert all(party["closed"] for party in view["parties"])


async def test_killed_in_the_middle_of_a_join(world: World) -> None:
    """What a killed join left is wiped, and the lists are matched again."""
    await world.evaluated()
    for node in world.nodes.values():
        await node.finalize(node.list)
    left = world.context.scratch / "join"
    left.mkdir(parents=True)
    (left / "00000000.parquet").write_bytes(b"tokens")
    world.restart()
    wipe_leftovers(world.context)
    assert not left.exists()
    world.advance()
    assert not left.exists()
    assert (await world.view())["entry"]["phase"] == "reporting"
    assert world.count(HitCountRow) == 1


async def test_killed_between_match_and_report(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports and counts come together or not at all; the next start matches again."""
    await world.evaluated()
    for node in world.nodes.values():
        await node.finalize(node.list)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("services.matcher.steps.matches.store_counts", killed)
        with pytest.raises(KeyboardInterrupt):
            world.steps["matching"]()
    assert (await world.view())["entry"]["phase"] == "matching"
    assert world.count(HitCountRow) == 0
    world.restart()
    world.advance()
    assert (await world.view())["entry"]["phase"] == "reporting"
    assert world.count(HitCountRow) == 1


async def test_confirmed_notes_that_are_said_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A party that was killed before it heard the answer is no liar, though the notes are deleted meanwhile."""
    await world.reported()
    for node in world.nodes.values():
        await node.acknowledge()
    said: list[tuple[str, bytes]] = []
    say = Node.say

    async def keep(node: Node, envelope: bytes) -> httpx.Response:
        said.append((node.code, envelope))
        return await say(node, envelope)

    with monkeypatch.context() as patch:
        patch.setattr(Node, "say", keep)
        for node in world.nodes.values():
            await node.send_notes()
    for node in world.nodes.values():
        await node.confirm_notes()
    world.advance()
    world.restart()
    assert {code for code, _ in said} == set(world.nodes)
    for code, envelope in said:
        assert (await world.nodes[code].say(envelope)).status_code == 200
    assert world.count(EvidenceRow) == 0


async def test_a_statement_whose_commit_failed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not stay in the record of the process: said again, it is new."""
    await world.propose()
    node = world.nodes["AL"]
    await node.sync()
    _, envelope = node.party.consent(node.round, node.next(), (), world.context.random)

    def full(*_: object) -> None:
        raise StoreError(quoted("the disk is full"))

    with monkeypatch.context() as patch:
        patch.setattr("services.matcher.round_memory.RoundTransaction.add", full)
        assert (await node.say(envelope)).status_code == 503
    assert world.count(EventRow) == 0
    assert (await node.say(envelope)).status_code == 201


async def test_a_chunk_whose_row_was_not_committed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file alone counts for nothing; the chunk is sent again."""
    await world.opened()
    node = world.nodes["AL"]
    await node.sync()
    envelope, sent = node.prepared()
    await node.say(envelope)
    path = f"submissions/{sent.submission_id}/blinded/0"

    def full(*_: object) -> None:
        raise StoreError(quoted("the disk is full"))

    with monkeypatch.context() as patch:
        patch.setattr("services.matcher.round_memory.RoundTransaction.add_bytes", full)
        assert (await node.call("PUT", path, content=sent.chunks[0][2])).status_code == 503
    assert len(world.chunk_files()) == 1
    assert (await world.nodes["RS"].call("GET", path)).status_code == 404
    assert (await node.call("PUT", path, content=sent.chunks[0][2])).status_code == 201
    assert (await world.nodes["RS"].call("GET", path)).content == sent.chunks[0][2]


async def test_two_workers_on_one_database(three: World) -> None:
    """Each sees at once what the other stored, and no step is taken twice."""
    world = three
    first, second = world.app, build(world.settings, clock=world.clock)
    await world.propose()
    for turn, node in enumerate(world.nodes.values()):
        world.app = (first, second)[turn % 2]
        await node.consent()
    for app in (first, second):
        world.app = app
        world.advance()
    for turn, node in enumerate(world.nodes.values()):
        world.app = (first, second)[turn % 2]
        await node.submit()
        world.app = (second, first)[turn % 2]
        assert (await node.sync()).events == ()
    for act in ("evaluate", "collect"):
        for turn, node in enumerate(world.nodes.values()):
            world.app = (first, second)[turn % 2]
            await getattr(node, act)()
    for node in world.nodes.values():
        await node.finalize(node.list)
    world.advance()
    world.app = second
    world.advance()
    await world.nodes["RS"].sync()
    assert len(world.nodes["RS"].hits()) == 2
    world.app = first
    second.state.context.close()


async def test_chunks_of_a_finished_round_are_swept(world: World) -> None:
    """A chunk that came while its round was cleaned up goes at the next start; others stay."""
    await world.opened()
    await world.operate("POST", f"/{world.round_id}/abort", json={"reason": "test"})
    world.advance()
    finished = world.round_id
    world.context.files.write(f"{finished}/{'a' * 32}/blinded/AL/0", b"late")
    await world.submitted()
    kept = len(world.chunk_files()) - 1
    wipe_leftovers(world.context)
    assert len(world.chunk_files()) == kept
    assert not any(name.startswith(finished) for name in world.chunk_files())


async def test_a_store_that_does_not_hold_together(world: World) -> None:
    """A changed row is our trouble, not the caller's: nothing is served from it, and no step fails again and again."""
    await world.opened()
    with world.context.store.transaction("test") as session:
        event = session.query(EventRow).first()
        event.envelope = event.envelope.replace('"sig":"', '"sig":"A')
    world.restart()
    answer = await world.nodes["AL"].call("GET", "events")
    assert answer.status_code == 503
    with (
        pytest.raises(RoundDamagedError, match="do not hold together"),
        world.context.round_cache.reading(world.round_id),
    ):
        pass
    world.advance()


async def test_another_process_is_joining(world: World) -> None:
    """One join at a time uses the scratch folder; the other process waits for its turn and wipes nothing."""
    await world.evaluated()
    for node in world.nodes.values():
        await node.finalize(node.list)
    world.context.scratch.mkdir()
    with (world.context.scratch / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (world.context.scratch / "join").mkdir()
        assert world.steps["matching"]() is False
        wipe_leftovers(world.context)
        assert (world.context.scratch / "join").is_dir()
    world.advance()
    assert (await world.view())["entry"]["phase"] == "reporting"


async def test_a_round_that_ends_while_a_chunk_is_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chunk is refused, and its file goes."""
    await world.opened()
    node = world.nodes["AL"]
    await node.sync()
    envelope, sent = node.prepared()
    await node.say(envelope)
    await world.operate("POST", f"/{world.round_id}/abort", json={"reason": "test"})
    write = ChunkFiles.write

    def write_and_end(files: ChunkFiles, name: str, content: bytes, digest: bytes) -> int:
        size = write(files, name, content, digest)
        world.steps["ending"]()
        return size

    monkeypatch.setattr(ChunkFiles, "write", write_and_end)
    path = f"submissions/{sent.submission_id}/blinded/0"
    assert (await node.call("PUT", path, content=sent.chunks[0][2])).status_code == 409
    assert world.chunk_files() == []
