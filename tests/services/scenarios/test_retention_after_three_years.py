"""After three years contents of the log are erased; leaves, checkpoints and proofs stay, and an audit still passes."""

import asyncio
import io
import tarfile
from pathlib import Path

import pytest
from sqlalchemy import func, select

from aquila.audit.entries import Entry, EntryKind
from aquila.audit.merkle import prove_inclusion, verify_inclusion
from aquila.audit.roles import Role
from aquila.crypto.group import Group
from aquila.protocol.auditing import audit_rounds, read_log
from aquila.protocol.registry import read_registry
from services.kit.actor import LOCAL_KEY, Actor
from services.kit.log.entries import ENTRIES, TileReader, append, frontier, leaves
from services.kit.log.retention import Retention
from services.matcher.administration import registry
from tests.support.ceremony import renew
from tests.support.clock import Clock
from tests.support.node_world import World, make_world
from tests.support.people import approve
from tests.support.stored_log import entries

DAY = 86_400
THREE_YEARS = 1_095 * DAY


pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.rounds]


@pytest.fixture
async def world(world: World) -> World:
    """A matcher and two nodes, whose round was aborted long ago, with a justification in the log."""
    round_id = await world.propose()
    await world.settle()
    await world.operator.post(f"/v1/operator/rounds/{round_id}/abort", json={"reason": "a case of Ana Novak"})
    await world.settle()
    return world


async def witnessed(world: World) -> None:
    """Let something be logged, which witnesses see: an idle log has no newer checkpoint to cosign."""
    await world.operator.post("/v1/operator/log/entries", json={})
    world.app.state.context.log.own.publish()
    for party_node in world.nodes.values():
        while await party_node.step():  # a node cosigns when it has come to rest
            continue


async def test_contents_go_and_proofs_stay(world: World, group: Group, tmp_path: Path) -> None:
    """The purpose that an officer wrote is in no file and no row; the log still holds together, and grows."""
    context = world.app.state.context
    retention = Retention(context.log.own, 1_095)
    with context.store.reading("test.before") as session:
        before = leaves(session, 0, frontier(session).size)
    # 1. A day too early nothing goes.
    world.clock.time += THREE_YEARS - DAY
    assert not retention.step()
    # 2. On the day itself nothing goes either, until a witness says that it has come.
    world.clock.time += DAY
    assert not retention.step()
    await witnessed(world)
    world.clock.time += 3_600
    assert retention.step()
    assert not retention.step()
    with context.store.reading("test.after") as session:
        found = [entry for _, entry in entries(session)]
        after = leaves(session, 0, len(found))
        root = frontier(session).root
        assert after[: len(before)] == before
        for index, leaf in enumerate(after):
            verify_inclusion(leaf, index, len(after), root, prove_inclusion(index, len(after), TileReader(session)))
    assert found[0] is None
    assert found[-1] is not None
    assert found[-1].kind is EntryKind.LOG_PRUNED
    # 3. The nodes see a log that only grew, and an auditor one that holds together.
    await world.settle()
    assert (await world.nodes["AL"].get("/status"))["log_alarm"] == ""
    files = await exported(world)
    assert not any(b"counter-terrorism" in content for name, content in files.items() if "tile" in name)
    known = read_registry((tmp_path / "matcher" / "registry.toml").read_bytes())
    record = read_log(files.get, known)
    assert record.erased
    audit_rounds(record, files.get, known, group)


@pytest.mark.more_rounds
async def test_which_key_was_valid_stays(world: World, group: Group) -> None:
    """Entries of replaced keys outlive retention and name no person, and the log verifies over them."""
    await renew(world, "AL")
    context = world.app.state.context
    world.clock.time += THREE_YEARS + DAY
    await witnessed(world)
    assert Retention(context.log.own, 1_095).step()
    with context.store.reading("test.after") as session:
        kept = [entry for _, entry in entries(session) if entry is not None]
        content = session.scalar(select(ENTRIES.c.content).where(ENTRIES.c.kind == EntryKind.KEY_REPLACED.value))
    (replaced,) = [entry for entry in kept if entry.kind is EntryKind.KEY_REPLACED]
    assert (replaced.recipient, replaced.person, replaced.reason) == ("AL", None, None)
    assert content is not None
    assert EntryKind.REGISTRY_CHANGED not in {entry.kind for entry in kept}  # of the same time
    await world.settle()
    files = await exported(world)
    record = read_log(files.get, context.registry)
    assert record.erased
    audit_rounds(record, files.get, context.registry, group)


async def test_a_request_goes_with_its_approval(world: World, group: Group) -> None:
    """Asked for, a day later approved: as long as the statement's entry is there, an audit shows both persons."""
    context, approvals = world.app.state.context, world.app.state.approvals
    asked = registry.ask_restatement(context, approvals, Actor(LOCAL_KEY, frozenset(), Role.ADMINISTRATOR))
    world.clock.time += DAY
    await witnessed(world)
    world.clock.time += DAY
    approve(approvals, asked)
    await witnessed(world)
    world.clock.time += THREE_YEARS - DAY // 2
    await witnessed(world)
    kinds = {EntryKind.APPROVAL_REQUESTED, EntryKind.APPROVED, EntryKind.REGISTRY_CHANGED}
    for left in (kinds, set()):
        assert Retention(context.log.own, 1_095).step()
        with context.store.reading("test.after") as session:
            kept = [entry for _, entry in entries(session) if entry is not None]
        assert {entry.kind for entry in kept if entry.round is None} & kinds == left
        await world.settle()
        files = await exported(world)
        record = read_log(files.get, context.registry)
        assert record.erased
        audit_rounds(record, files.get, context.registry, group)
        assert [one for one in record.unproven if one.what == "dual_control"] == []
        world.clock.time += DAY
        await witnessed(world)


async def exported(world: World) -> dict[str, bytes]:
    archive = await world.operator.get("/v1/operator/log/export")
    with tarfile.open(fileobj=io.BytesIO(archive.content)) as opened:
        return {member.name: opened.extractfile(member).read() for member in opened}  # type: ignore[union-attr]  # files alone are in it


async def test_what_no_witness_saw_stays(world: World) -> None:
    """The service's own clock is not enough: an entry that nobody has cosigned is not old."""
    context = world.app.state.context
    with context.store.transaction("test.unseen") as session:
        index = append(session, Entry.of(EntryKind.LOG_EXPORTED, world.clock(), "matcher"))
    world.clock.time += THREE_YEARS + DAY
    await witnessed(world)
    Retention(context.log.own, 1_095).step()
    with context.store.reading("test.after") as session:
        assert session.scalar(select(ENTRIES.c.content).where(ENTRIES.c.index == index)) is not None


@pytest.mark.more_rounds
async def test_a_round_that_asks_for_longer_is_kept_longer(tmp_path: Path) -> None:
    made = make_world(tmp_path / "longer", Clock(), ("AL", "RS"))
    try:
        await made.propose(retention_days=2_000)
        await made.settle()
        made.clock.time += THREE_YEARS + DAY
        context = made.app.state.context
        await witnessed(made)
        assert not Retention(context.log.own, 1_095).step()
        made.clock.time += 1_000 * DAY
        await witnessed(made)
        assert Retention(context.log.own, 1_095).step()
    finally:
        await made.close()


@pytest.mark.more_rounds
async def test_a_crash_between_rows_and_files_is_mended(world: World) -> None:
    """The mark that was written first makes the next step write the files again."""
    context = world.app.state.context
    own = context.log.own
    world.clock.time += THREE_YEARS + DAY
    await witnessed(world)
    own.files.write("erasing", b'{"bundles": [0]}')
    with context.store.transaction("test.crash") as session:
        session.execute(ENTRIES.update().where(ENTRIES.c.index < 2).values(content=None))
    await asyncio.to_thread(Retention(own, 1_095).step)
    assert not own.files.exists("erasing")
    with context.store.reading("test.kept") as session:
        assert session.scalar(select(func.count()).where(ENTRIES.c.content.is_not(None)))
    held = b"".join(own.files.read(name) for name in own.files.names("tile/entries"))
    assert b"Article" not in held
