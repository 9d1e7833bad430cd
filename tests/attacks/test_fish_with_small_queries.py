"""An asker parts one large search into many small queries: their hits are summed, in the round and over days."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from aquila.audit.roles import Role
from aquila.protocol.messages import Hit, HitReport, Kind
from services.kit.people import Actor
from services.node.safeguards import alarms
from services.node.storage.tables import AlarmRow, QueryHitsRow
from tests.support.clock import Clock
from tests.support.node_steps import PEOPLE
from tests.support.node_world import HEADER, World, make_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aquila.protocol.rounds.verified_round import Round
    from services.node.context import NodeContext

DAY = 86_400
APPROVER = Actor("p-0123456789ab", frozenset({Role.APPROVER}))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A matcher and two nodes."""
    made = make_world(tmp_path, Clock(1_800_000_000), ("AL", "RS"))
    yield made
    await made.close()


async def rounds(world: World, count: int = 1) -> list[str]:
    """Return rounds in which the lists are submitted; no person is on both."""
    lists, made = {"AL": PEOPLE, "RS": ["Mira,Marić,1970-01-02,\n"]}, []
    for _ in range(count):
        round_id = await world.begin(lists=False, mode="lists_and_queries")
        for code, party_node in world.nodes.items():
            rows = "".join(f"{code}-{n},{line}" for n, line in enumerate(lists[code]))
            await party_node.submit(round_id, await party_node.load(HEADER + rows))
        await world.settle()
        made.append(round_id)
    return made


def report(node: NodeContext, round_: Round, number: int, hits: int) -> HitReport:
    """Let a query of RS be in the record, as if it had been matched, and return the report of its hits to AL."""
    listed = round_.submissions[str(round_.list_of("RS"))]
    query = f"{number:032x}"
    fields = {"submission_id": query, "kind": Kind.QUERY, "records": 3}
    round_.submissions[query] = listed.model_copy(update=fields)
    round_.reports[node.code, query] = "0" * 64
    hit = Hit(
        hit_id="0" * 32, handle="0" * 32, counterpart="RS", counterpart_handle="0" * 32, certainty="high",
        families=("names",), second=False, met="00",
    )  # fmt: skip
    found = tuple(hit.model_copy(update={"handle": f"{number:016x}{place:016x}"}) for place in range(hits))
    return HitReport(
        round_id=round_.round_id, binding=round_.binding, party=node.code, submission_id=query, bases=(), learned=(),
        hits=found,
    )  # fmt: skip


def ask(world: World, round_id: str, number: int, hits: int = 3) -> bool:
    """Take the report of a query to AL, and tell whether an alarm was raised."""
    node = world.nodes["AL"].node
    with node.rounds.of(round_id).reading() as round_, node.store.transaction("test.ask") as session:
        return alarms.raise_alarm(session, node, round_, report(node, round_, number, hits), hits)


def raised(world: World) -> list[AlarmRow]:
    """Return the alarms of AL."""
    with world.nodes["AL"].node.store.reading("test.alarms") as session:
        return list(session.scalars(select(AlarmRow).order_by(AlarmRow.submission_id)))


async def test_many_small_queries_in_a_round(world: World) -> None:
    """None of them has twelve hits; the fourth makes twelve together, and is held back with the sum."""
    (round_id,) = await rounds(world)
    assert [ask(world, round_id, number) for number in range(4)] == [False, False, False, True]
    (alarm,) = raised(world)
    assert (alarm.hits, alarm.stored, alarm.asker) == (12, 3, "RS")
    # A query that hit nothing tells nothing, and holds nothing back.
    assert not ask(world, round_id, 9, hits=0)
    # What a person released is explained, with what came before it.
    alarms.release(world.nodes["AL"].node, round_id, alarm.submission_id, replace(APPROVER, role=Role.APPROVER))
    assert [ask(world, round_id, number) for number in range(10, 14)] == [False, False, False, True]


async def test_many_small_queries_over_rounds(world: World) -> None:
    """A new round does not forget, and neither does the next day; what is older than the window does."""
    first, second = await rounds(world, 2)
    node = world.nodes["AL"].node
    assert [ask(world, first, number) for number in range(3)] == [False] * 3
    world.clock.time += DAY
    assert ask(world, second, 3)
    assert [row.hits for row in raised(world)] == [12]
    with node.store.transaction("test.forget") as session:
        session.delete(session.scalars(select(AlarmRow)).one())
    world.clock.time += node.settings.caps.window_days * DAY
    # In its own round the one query of the second stays in the sum; those of the first are gone.
    assert not ask(world, second, 4)
    with node.store.reading("test.memory") as session:
        assert {row.round_id for row in session.scalars(select(QueryHitsRow))} == {second}


async def test_honest_queries_raise_nothing(world: World) -> None:
    """Where every query hits what sizes explain, the sums do not either."""
    (round_id,) = await rounds(world)
    assert not any(ask(world, round_id, number, hits=number % 10 == 0) for number in range(60))
