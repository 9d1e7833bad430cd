"""A lying matcher, and a party at its side, show a node late lists, repeated statements, and tokens due too early."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from aquila.protocol.messages import ChunkReference, Justification, Kind
from aquila.protocol.messages.feed import Event, EventKind, Events
from aquila.protocol.rounds.rules import missing_evaluations
from aquila.records.rules import InputClass
from services.node.round_memory import round_row
from services.node.steps.submissions import finalize
from services.node.steps.sync import SLACK_SECONDS, take_page
from services.node.storage.tables import ProblemRow, StatementRow
from tests.support.clock import Clock
from tests.support.node_world import HEADER, JUSTIFICATION, LISTS, PartyNode, World, make_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A matcher and three nodes."""
    made = make_world(tmp_path, Clock(1_800_000_000))
    yield made
    await made.close()


async def opened(world: World) -> str:
    """Return a round that is open, as every node knows, without a list."""
    round_id = await world.begin(lists=False)
    await world.settle()
    assert all([(await party_node.round(round_id))["binding"] for party_node in world.nodes.values()])
    return round_id


def a_list(party_node: PartyNode, round_id: str, sequence: int = 50) -> bytes:
    chunk = ChunkReference(input_class=InputClass.FULL, elements=2, digest="0" * 64)
    reason = Justification(**JUSTIFICATION, officer="p-0123456789ab")
    record = party_node.node.rounds.of(round_id).record()
    return party_node.node.party.submit(record, sequence, "ab" * 16, Kind.LIST, reason, 2, [chunk])


def show(party_node: PartyNode, round_id: str, *envelopes: bytes) -> None:
    """Let the matcher show a node statements as its next events."""
    with party_node.node.store.reading("test.cursor") as session:
        cursor = round_row(session, round_id).cursor
    events = tuple(
        Event(event_id=cursor + number, kind=EventKind.STATEMENT, envelope=envelope.decode())
        for number, envelope in enumerate(envelopes, start=1)
    )
    take_page(party_node.node, round_id, Events(events=events, time=0))


def kept(party_node: PartyNode) -> tuple[int, int]:
    """Return how many statements that do not count a node keeps, and how many problems it notes."""
    with party_node.node.store.reading("test.kept") as session:
        evidence = session.scalar(select(func.count()).where(StatementRow.kind == "evidence")) or 0
        return evidence, session.scalar(select(func.count()).select_from(ProblemRow)) or 0


@pytest.mark.parametrize("late", [True, False])
async def test_show_a_list_as_if_it_had_come_in_time(world: World, *, late: bool) -> None:
    """AL has read the whole feed after the deadline and its slack: what was not there then came too late."""
    round_id = await opened(world)
    al = world.nodes["AL"]
    memory = al.node.rounds.of(round_id)
    memory.read_at = memory.record().manifest.window.submit_by + SLACK_SECONDS + int(late)
    show(al, round_id, a_list(world.nodes["RS"], round_id))
    assert (memory.record().list_of("RS") is None) == late
    assert kept(al) == (int(late), int(late))


async def test_a_node_that_was_away_refuses_nothing_that_came_in_time(world: World) -> None:
    """It reads the feed long after all deadlines, and cannot know that a list was not there before: it takes it."""
    round_id = await opened(world)
    al = world.nodes["AL"]
    envelope = a_list(world.nodes["RS"], round_id)
    al.restart()
    world.clock.time += 10**7
    show(al, round_id, envelope)
    assert al.node.rounds.of(round_id).record().list_of("RS") is not None


async def test_the_feed_was_read_when_it_was_asked_for_and_had_nothing(world: World) -> None:
    """A page with events says nothing of what comes after it; an empty one does."""
    round_id = await opened(world)
    assert world.nodes["AL"].node.rounds.of(round_id).read_at == world.clock.time


async def test_repeat_refusals_to_a_node(world: World) -> None:
    """The first counts; of all others the node keeps one sentence and no statement."""
    round_id = await opened(world)
    al, rs = world.nodes["AL"], world.nodes["RS"].node
    record = rs.rounds.of(round_id).record()
    show(al, round_id, *(rs.party.refuse(record, 50 + number, f"reason {number}") for number in range(40)))
    assert kept(al) == (0, 1)
    assert al.node.rounds.of(round_id).record().refusals["RS"].reason == "reason 0"


async def test_flood_a_node_with_statements_that_do_not_count(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those that nothing bounds, such as second lists, so many are kept of one party and no more."""
    monkeypatch.setattr("services.node.steps.sync._MOST_REFUSED", 3)
    round_id = await opened(world)
    al, rs = world.nodes["AL"], world.nodes["RS"]
    al.node.rounds.of(round_id).read_at = 2 * 10**9
    show(al, round_id, *(a_list(rs, round_id, number) for number in range(50, 60)))
    assert kept(al) == (3, 4)


async def test_evaluate_for_tokens_before_the_own_list_is_signed(world: World) -> None:
    """SI has signed none: AL has its evaluation of every chunk, and sends it no token."""
    round_id = await world.begin(lists=False)
    for code in ("AL", "RS"):
        party_node = world.nodes[code]
        await party_node.submit(round_id, await party_node.load(HEADER + LISTS[code]))
    await world.settle()
    al = world.nodes["AL"]
    record = al.node.rounds.of(round_id).record()
    own = record.list_of("AL") or ""
    assert not missing_evaluations(record, own, "SI")
    assert not await finalize.finalize(al.node, round_id, lambda: False)
    assert {to for one, to in record.tokens if one == own} == {"RS"}
    party_node = world.nodes["SI"]
    await party_node.submit(round_id, await party_node.load(HEADER + LISTS["SI"]))
    await world.settle()
    assert (await al.round(round_id))["hits"] == 2
