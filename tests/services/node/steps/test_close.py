"""The end of a round: no share, seed, blind, token or chunk is left, not even with a copy of the database."""

import shutil
from pathlib import Path

import httpx
import numpy as np
import pytest
from sqlalchemy import select, update

from aquila.errors import KeyMaterialError
from aquila.protocol.messages import StatementKind
from aquila.protocol.rounds.round_state import Phase
from aquila.protocol.submissions.submission import blinds_of
from aquila.protocol.submissions.tasks import digest_records
from aquila.records.person import Record
from services.node.round_memory import round_row
from services.node.rounds import paths
from services.node.storage.tables import (
    ChunkDownloadRow,
    ChunkRow,
    EvaluationDownloadRow,
    RecordRow,
    SecretRow,
    StatementRow,
    SubmissionRow,
)
from tests.support.node_steps import open_round, round_before_matching, round_with_hits
from tests.support.node_world import PartyNode, World
from tests.support.played_worlds import WorldAfter
from tests.support.sentence_texts import texts

pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.rounds]


def live_secrets(party_node: PartyNode, round_id: str) -> dict[str, bytes]:
    node, memory = party_node.node, party_node.node.rounds.of(round_id)
    found = {kind.value: share.to_bytes() for kind, share in memory.secrets().shares.items()}
    found |= {"lock": memory.secrets().lock.to_bytes(), "sealing": memory.secrets().sealing.to_bytes()}
    with node.store.reading("test.submission") as session:
        submission = session.scalars(select(SubmissionRow)).one().submission_id
        chunk = session.scalars(select(ChunkRow).where(ChunkRow.index == 0)).one()
    seed = memory.seed(submission)
    found["seed"] = seed.to_bytes()
    with node.store.reading("test.record") as session:
        content = session.scalars(select(RecordRow.content).order_by(RecordRow.position)).first()
    record, round_ = Record.from_json(content), memory.record()
    digest = digest_records(round_.binding_bytes, node.table_of(round_.manifest), [record]).digests[:32]
    found["digest"], found["blind"] = digest, blinds_of(node.group, seed, bytes.fromhex(submission), [0], digest)
    place = round_id, submission, "RS", 0
    for name in (path(*place) for path in (paths.finalized, paths.tokens, paths.token_secrets)):
        if node.files.exists(name):
            content = memory.key().open(name, node.files.read(name))
            found[f"{name} first"], found[f"{name} last"] = content[16:33], content[-16:]
    if node.files.exists(paths.blinded(round_id, submission, 0)):
        elements = np.frombuffer(node.files.read(paths.blinded(round_id, submission, 0)), dtype="S32")
        found["element"] = elements[0]
    assert chunk.digest
    found["key"] = memory.key().to_bytes()
    return found


def assert_nothing_is_left(content: bytes, secrets: dict[str, bytes]) -> None:
    left = [name for name, secret in secrets.items() if secret in content or secret.hex().encode() in content]
    assert left == []


def copy_database(party_node: PartyNode, to: Path) -> None:
    to.mkdir()
    for path in party_node.home.glob("node.db*"):
        shutil.copy(path, to / path.name)


@pytest.mark.database_files
async def test_after_close_nothing_secret_is_left(world: World, tmp_path: Path) -> None:
    """Secrets of the open round are in no file, row or journal afterwards, and a copy made meanwhile opens no more."""
    round_id = await world.begin()
    al = world.nodes["AL"]

    async def reported() -> bool:
        return (await al.round(round_id))["hits"] == 1

    await world.until(reported)
    secrets = live_secrets(al, round_id)
    copy_database(al, tmp_path / "copy")
    with al.node.store.reading("test.sealed") as session:
        sealed = session.scalars(select(SecretRow)).all()
    # While the round is open, the copy holds none of it in the clear; the files hold elements and the key.
    copied = b"".join(path.read_bytes() for path in (tmp_path / "copy").iterdir())
    assert_nothing_is_left(copied, secrets)
    assert secrets["key"] in al.stored_bytes()
    answer = await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    assert answer.status_code == 202
    await world.until(lambda: all(not party_node.node.files.names() for party_node in world.nodes.values()))
    await world.settle()
    assert_nothing_is_left(al.stored_bytes(), secrets)
    with al.node.store.reading("test.rows") as session:
        assert not session.scalars(select(SecretRow)).all()
        assert not session.scalars(select(ChunkDownloadRow)).all()
        assert not session.scalars(select(EvaluationDownloadRow)).all()
    with pytest.raises(KeyMaterialError):
        al.node.rounds.of(round_id).key().open(sealed[0].name, sealed[0].sealed)
    view = await al.round(round_id)
    assert view["entry"]["phase"] == "closed"
    assert not view["keys_present"]
    assert view["hits"] == 1
    assert len((await al.get(f"/rounds/{round_id}/hits"))["hits"]) == 1


@pytest.mark.parametrize("steps", [0, *(pytest.param(one, marks=pytest.mark.soak) for one in (6, 10)), 14])
async def test_after_abort_nothing_secret_is_left(world: World, steps: int) -> None:
    """However far the round came, an abort destroys what a close does, at every party."""
    round_id = await world.begin()
    al = world.nodes["AL"]

    async def submitted() -> bool:
        found = (await al.round(round_id))["submissions"]
        return bool(found) and found[0]["state"] not in {"wished", "preparing"}

    await world.until(submitted)
    for _ in range(steps):
        await world.step()
    secrets = live_secrets(al, round_id)
    assert (await al.post(f"/rounds/{round_id}/abort", json={"reason": "wrong list"})).status_code == 202
    await world.until(lambda: all(not party_node.node.files.names() for party_node in world.nodes.values()))
    await world.settle()
    assert_nothing_is_left(al.stored_bytes(), secrets)
    for party_node in world.nodes.values():
        view = await party_node.round(round_id)
        assert (view["entry"]["phase"], view["keys_present"], view["wishes"]) == ("aborted", False, [])
    assert await world.phase(round_id) == "aborted"


async def test_our_own_clock_ends_a_round(world: World) -> None:
    round_id = await world.begin()
    await world.step()
    await world.step()
    al = world.nodes["AL"]
    assert (await al.round(round_id))["keys_present"]
    closes_at = (await al.round(round_id))["manifest"]["window"]["closes_at"]
    world.clock.time = closes_at + 1
    for _ in range(4):
        await al.step()
    assert not (await al.round(round_id))["keys_present"]
    assert al.node.files.names() == []


class Away(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody is there", request=request)


async def test_keys_are_destroyed_while_the_matcher_is_away(world: World) -> None:
    """The operator's abort needs nobody else: keys and files go at once, the refusal follows when it can."""
    round_id = await world.begin()
    await world.step()
    await world.step()
    al = world.nodes["AL"]
    honest = al.transport
    al.stop()
    al.transport = Away()
    al.start()
    assert (await al.post(f"/rounds/{round_id}/abort", json={"reason": "no way to the matcher"})).status_code == 202
    for _ in range(4):
        await al.step()
    assert not (await al.round(round_id))["keys_present"]
    assert al.node.files.names() == []
    assert not (await al.get("/status"))["matcher_reachable"]
    al.stop()
    al.transport = honest
    al.start()
    await world.settle()
    assert await world.phase(round_id) == "aborted"


def closes_at(party_node: PartyNode, round_id: str) -> int:
    with party_node.node.rounds.of(round_id).reading() as round_:
        return round_.manifest.window.closes_at


def keeps_key(party_node: PartyNode, round_id: str) -> bool:
    with party_node.node.store.reading("test.secrets") as session:
        sealed = session.scalars(select(SecretRow).where(SecretRow.round_id == round_id)).all()
    return party_node.node.rounds.of(round_id).key_path.exists() or bool(sealed)


def secrets_files(party_node: PartyNode) -> list[str]:
    return [name for name in party_node.node.files.names() if "secrets" in name]


def spoil_statement(party_node: PartyNode, round_id: str, kind: StatementKind) -> None:
    """Let a stored statement of a kind hold other bytes than those that were signed, and start the node again."""
    with party_node.node.store.transaction("test.spoil") as session:
        those = StatementRow.round_id == round_id, StatementRow.kind == kind.value
        found = session.execute(update(StatementRow).where(*those).values(envelope=b"{}"))
    assert found.rowcount  # type: ignore[attr-defined]  # an update has one
    party_node.restart()


@pytest.mark.more_rounds
async def test_what_cannot_be_prepared_for_notes_keeps_no_key(world_after: WorldAfter) -> None:
    """With a file of token secrets missing, an abort destroys the key all the same, and people read what is lost."""
    world, round_id = await world_after(round_before_matching)
    al = world.nodes["AL"]
    al.node.files.delete(secrets_files(al)[0])
    await world.settle()
    assert (await al.round(round_id))["hits"] == 1
    assert keeps_key(al, round_id)
    answer = await world.operator.post(f"/v1/operator/rounds/{round_id}/abort", json={"reason": "a test"})
    assert answer.status_code == 202
    await world.settle()
    assert not keeps_key(al, round_id)
    view = await al.round(round_id)
    assert view["entry"]["phase"] == "aborted"
    assert ["stay unconfirmed: they could not be prepared" in problem for problem in texts(view["problems"])] == [True]


@pytest.mark.more_rounds
async def test_a_store_that_fails_for_notes_keeps_the_key_until_the_time_is_over(world_after: WorldAfter) -> None:
    """Nothing is lost for a disk that is full for a while; when the round's time is over, the key goes."""
    world, round_id = await world_after(round_before_matching)
    al = world.nodes["AL"]
    folder = al.node.files.path(secrets_files(al)[0]).parent
    folder.rename(folder.with_name("away"))
    folder.symlink_to(folder)  # every file in it fails with an error of the disk
    await world.settle()
    await world.operator.post(f"/v1/operator/rounds/{round_id}/abort", json={"reason": "a test"})
    await world.settle()
    assert keeps_key(al, round_id)
    world.clock.time = closes_at(al, round_id) + 1
    await world.settle()
    assert not keeps_key(al, round_id)
    assert any("stay unconfirmed" in problem for problem in texts((await al.round(round_id))["problems"]))


async def test_an_unreadable_record_keeps_no_key_of_an_aborted_round(world_after: WorldAfter) -> None:
    """A party leaves a round of which its node cannot read a stored statement any more."""
    world, round_id = await world_after(open_round)
    al = world.nodes["AL"]
    spoil_statement(al, round_id, StatementKind.OPENING)
    await world.settle()
    assert keeps_key(al, round_id)
    assert (await al.post(f"/rounds/{round_id}/abort", json={"reason": "unreadable"})).status_code == 202
    await world.settle()
    assert not keeps_key(al, round_id)


@pytest.mark.more_rounds
async def test_an_unreadable_record_keeps_no_key_when_the_time_is_over(world_after: WorldAfter) -> None:
    """Our own clock ends a round by the window of its manifest, which is stored apart from what was signed since."""
    world, round_id = await world_after(open_round)
    al = world.nodes["AL"]
    ends = closes_at(al, round_id)
    spoil_statement(al, round_id, StatementKind.OPENING)
    world.clock.time = ends
    await world.settle()
    assert keeps_key(al, round_id)
    world.clock.time = ends + 1
    await world.settle()
    assert not keeps_key(al, round_id)


@pytest.mark.more_rounds
async def test_an_unreadable_record_keeps_no_key_of_a_round_that_has_ended(world_after: WorldAfter) -> None:
    """The node took the matcher's ending before it stopped, and cannot read a statement when it starts again."""
    world, round_id = await world_after(round_with_hits)
    al = world.nodes["AL"]
    with al.node.store.transaction("test.ended") as session:
        round_row(session, round_id).phase = Phase.CLOSED.value
    spoil_statement(al, round_id, StatementKind.OPENING)
    await al.step()
    await al.step()
    assert not keeps_key(al, round_id)
