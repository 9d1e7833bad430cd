"""A matcher whose log says of a party what that knows better: its node stops, as over a missing entry."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from aquila.audit.entries import Entry, EntryKind
from aquila.crypto.envelope import open_envelope
from aquila.protocol.log_entries import match_entry, statement_entry
from aquila.protocol.messages import Manifest
from services.kit.log.entries import append
from services.matcher.steps import join
from services.matcher.storage.tables import RoundRow
from services.node.storage.tables import NamedEntriesRow
from tests.support.node_steps import round_before_matching, round_with_hits
from tests.support.node_world import World
from tests.support.played_worlds import WorldAfter
from tests.support.stored_log import entries


@pytest.fixture
def codes() -> tuple[str, ...]:
    """Two parties: what is said of AL concerns RS as little as a third."""
    return "AL", "RS"


def say(world: World, entry: Entry) -> None:
    """Let the matcher write an entry into its log."""
    with world.app.state.context.store.transaction("liar") as session:
        append(session, entry)


async def alarms(world: World, code: str) -> list[tuple[str, str]]:
    """Return what a node found wrong with the matcher's log, and the sentence that its people read."""
    world.clock.time += 601  # it looks again at the latest
    await world.settle()
    found = await world.nodes[code].get("/log")
    return [(alarm["what"], alarm["sentence"]["text"]) for alarm in found["alarms"]]


def manifest_of(world: World, round_id: str) -> Manifest:
    context = world.app.state.context
    with context.store.reading("test.manifest") as session:
        envelope = session.scalar(select(RoundRow.manifest).where(RoundRow.round_id == round_id))
    keys = {context.registry.matcher.fingerprint: context.registry.matcher}
    return Manifest.from_payload(open_envelope(envelope, [Manifest.payload_type], keys).payload)


def second_proposal(world: World, round_id: str) -> Entry:
    """Return the entry of a second proposal under the id of a round."""
    message = manifest_of(world, round_id).model_copy(update={"purpose": "another"})
    return statement_entry(message, "ab" * 32, world.clock.time)


def notes_of_al(world: World, round_id: str) -> Entry:
    """Return an entry of sealed notes that AL never sent."""
    return Entry.of(
        EntryKind.DISCLOSURE,
        world.clock.time,
        "AL",
        round=round_id,
        recipient="RS",
        counts={"notes": 1, "batch": 9, "sequence": 99},
        ids={"of": "lists"},
        digests={"statement": "cd" * 32},
    )


def refused_of_al(world: World, round_id: str) -> Entry:
    """Return an entry that says that a statement was refused which AL never signed."""
    return Entry.of(
        EntryKind.STATEMENT_REFUSED,
        world.clock.time,
        "matcher",
        round=round_id,
        recipient="AL",
        counts={"sequence": 99},
        digests={"statement": "ef" * 32},
    )


def other_hits(world: World, round_id: str) -> Entry:
    """Return a match of AL and RS with other hits than they were told."""
    return match_entry(round_id, world.clock.time, "AL", "RS", None, {"high": 500}, met_by(world))


def other_tags(world: World, round_id: str) -> Entry:
    """Return a match of AL and RS of which other tags met than they were told."""
    honest = _match(world)
    return match_entry(round_id, world.clock.time, "AL", "RS", None, honest.counts, "ab" * 32)


def _match(world: World) -> Entry:
    return next(entry for _, entry in _entries(world) if entry.kind is EntryKind.MATCH and entry.ids["right"] == "RS")


def met_by(world: World) -> str:
    """Return the digest of the tags of AL and RS that met."""
    return _match(world).digests["met"]


async def test_an_honest_log_says_what_each_node_knows(world_after: WorldAfter) -> None:
    """After a round nothing is open, and there is no alarm."""
    world, round_id = await world_after(round_with_hits)
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    for code, party_node in world.nodes.items():
        assert await alarms(world, code) == []
        with party_node.node.store.reading("test.judged") as session:
            row = session.get_one(NamedEntriesRow, 1)
        named = [
            index
            for index, entry in _entries(world)
            if entry.kind in {EntryKind.PROPOSAL, EntryKind.MATCH, EntryKind.DISCLOSURE}
        ]
        assert row.judged > max(named)


def _entries(world: World) -> list[tuple[int, Entry]]:
    with world.app.state.context.store.reading("test.entries") as session:
        return [(index, entry) for index, entry in entries(session) if entry is not None]


@pytest.mark.parametrize("lie", [second_proposal, notes_of_al, refused_of_al, other_hits, other_tags])
async def test_what_a_party_knows_better(world_after: WorldAfter, lie: Any) -> None:
    """A proposal, notes, a refusal or hits of which it knows nothing are an alarm, which an administrator settles."""
    world, round_id = await world_after(round_with_hits)
    entry = lie(world, round_id)
    say(world, entry)
    (alarm,) = await alarms(world, "AL")
    assert alarm[0] == "false"
    assert entry.kind.value in alarm[1]
    node = world.nodes["AL"]
    assert alarm[1] in (await node.get("/status"))["log_alarm"]
    (shown,) = (await node.get("/log"))["alarms"]
    assert (await node.post(f"/log/alarms/{shown['alarm_id']}/acknowledge")).status_code == 204
    assert len(await alarms(world, "AL")) == 1
    assert not (await node.get("/status"))["log_alarm"]


async def test_a_report_that_never_came(world_after: WorldAfter) -> None:
    """The feed has an hour to bring what the log says that the party was sent."""
    world, round_id = await world_after(round_with_hits)
    honest = next(entry for _, entry in _entries(world) if entry.kind is EntryKind.REPORT and entry.recipient == "AL")
    say(world, honest.model_copy(update={"digests": {"statement": "ab" * 32}}))
    assert await alarms(world, "AL") == []
    world.clock.time += 3_600
    assert [what for what, _ in await alarms(world, "AL")] == ["false"]
    assert round_id == honest.round


async def test_hits_that_are_moved_as_they_are_matched(
    world_after: WorldAfter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sides of a pair find other numbers in the log than in their reports."""

    def moved(
        round_id: str, time: int, left: str, right: str, query: str | None, hits: Mapping[str, int], met: str | None
    ) -> Entry:
        return match_entry(round_id, time, left, right, query, dict(hits) | {"low": hits.get("low", 0) + 4}, met)

    monkeypatch.setattr(join, "match_entry", partial(moved))  # the liar's own program, not ours
    world, _ = await world_after(round_before_matching)
    await world.settle()
    for code in world.nodes:
        assert [what for what, _ in await alarms(world, code)] == ["false"]
