"""An asker parts one large search into many small queries: their hits are summed, in the round and over days."""

from dataclasses import replace
from random import Random

import pytest
from sqlalchemy import select

from aquila.audit.roles import Role
from aquila.matching.hit_rate import MOST_PERSONS, MOST_QUERIES
from aquila.protocol.messages import Basis, BelowPair, ChanceHits, Hit, HitReport, Kind, MetTags
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.rounds.verified_round import Round
from services.kit.actor import Actor
from services.node.context import NodeContext
from services.node.safeguards import alarms
from services.node.storage.tables import AlarmRow, HitRow, QueryHitsRow
from tests.support.node_steps import PEOPLE, problems
from tests.support.node_world import HEADER, World
from tests.support.played_worlds import WorldAfter

pytestmark = pytest.mark.parties("AL", "RS")

DAY = 86_400
MULTIPLE = 100
"""To which a round pads records where nobody says otherwise: a query of one person names so many."""

APPROVER = Actor("p-0123456789ab", frozenset({Role.APPROVER}))


async def a_round(world: World) -> str:
    """Return a round in which the lists are submitted; no person is on both."""
    lists = {"AL": PEOPLE, "RS": ["Mira,Marić,1970-01-02,\n"]}
    padding = {"inputs_per_record": [], "records_multiple": MULTIPLE}
    round_id = await world.begin(lists=False, mode="lists_and_queries", padding=padding)
    for code, party_node in world.nodes.items():
        rows = "".join(f"{code}-{n},{line}" for n, line in enumerate(lists[code]))
        await party_node.submit(round_id, await party_node.load(HEADER + rows))
    await world.settle()
    return round_id


BASIS = Basis(
    chance_hits=ChanceHits(high=0, medium=0, low=0),
    common_per_million=1,
    duplicates_per_million=1,
    learned=(),
    met=MetTags(digest="0" * 64, tags=128),
    records=1,
    settled=0,
)


def report(node: NodeContext, round_: Round, number: int, hits: int, records: int) -> HitReport:
    """Let a query of RS be in the record, as if it had been matched, and return the report of its hits to AL."""
    listed = round_.submissions[str(round_.list_of("RS"))]
    query = f"{number:032x}"
    fields = {"submission_id": query, "kind": Kind.QUERY, "records": records}
    round_.submissions[query] = listed.model_copy(update=fields)
    round_.reports[ReportKey(node.code, "RS", query)] = "0" * 64
    hit = Hit(
        hit_id="0" * 32,
        handle="0" * 32,
        counterpart_handle="0" * 32,
        certainty="high",
        families=("names",),
        second=False,
        met="00",
    )
    found = tuple(hit.model_copy(update={"handle": f"{number:016x}{place:016x}"}) for place in range(hits))
    return HitReport(
        round_id=round_.round_id,
        binding=round_.binding,
        party=node.code,
        counterpart="RS",
        submission_id=query,
        basis=BASIS,
        below=(),
        hits=found,
    )


def ask(world: World, round_id: str, number: int, hits: int = 3, records: int = MULTIPLE) -> bool:
    """Take the report of a query to AL, padded to the next multiple, and tell whether an alarm was raised."""
    node = world.nodes["AL"].node
    with node.rounds.of(round_id).reading() as round_, node.store.transaction("test.ask") as session:
        return alarms.raise_alarm(session, node, round_, report(node, round_, number, hits, records))


def first_alarm(world: World, round_id: str, queries: range, hits: int = 3) -> int | None:
    """Ask until an alarm is raised; return after how many queries, or None where none is."""
    return next((place for place, number in enumerate(queries, 1) if ask(world, round_id, number, hits)), None)


def raised(world: World) -> list[AlarmRow]:
    """Return the alarms of AL."""
    with world.nodes["AL"].node.store.reading("test.alarms") as session:
        return list(session.scalars(select(AlarmRow).order_by(AlarmRow.submission_id)))


async def test_many_small_queries_in_a_round(world_after: WorldAfter) -> None:
    """Three hits each are three times what such queries explain, whatever they were padded to."""
    world, round_id = await world_after(a_round)
    assert first_alarm(world, round_id, range(3_000)) == 9
    (alarm,) = raised(world)
    assert (alarm.hits, alarm.expected, alarm.asker) == (27, 9_000, "RS")
    # A query that hit nothing tells nothing, and holds nothing back.
    assert not ask(world, round_id, 3_000, hits=0)
    # What a person released is explained, with what came before it.
    alarms.release(world.nodes["AL"].node, round_id, alarm.submission_id, replace(APPROVER, role=Role.APPROVER))
    assert first_alarm(world, round_id, range(4_000, 7_000)) == 9


async def test_pairs_that_nearly_are_hits_count_too(world_after: WorldAfter) -> None:
    """A query with the rows of one set alone is told who agrees in it, and has no hit: the alarm counts these."""
    world, round_id = await world_after(a_round)
    node, named = world.nodes["AL"].node, {"counterpart_handle": "0" * 32, "met": "00"}
    for number in range(9):
        pairs = tuple(BelowPair(handle=f"{number:016x}{n:016x}", pair_id=f"{n:032x}", **named) for n in range(3))
        with node.rounds.of(round_id).reading() as round_, node.store.transaction("test.ask") as session:
            told = report(node, round_, number, 0, MULTIPLE).model_copy(update={"below": pairs})
            held = alarms.raise_alarm(session, node, round_, told)
        assert held is (number == 8)


async def test_wrong_tags_count_as_a_hit(world_after: WorldAfter) -> None:
    """Whether a column fits that lacks the tags of a person tells its sender whether that person met."""
    world, round_id = await world_after(a_round)
    node = world.nodes["AL"].node
    most = MOST_QUERIES * node.settings.caps.window_days
    basis = BASIS.model_copy(update={"met": None})
    for number in range(most + 1):
        with node.rounds.of(round_id).reading() as round_, node.store.transaction("test.ask") as session:
            told = report(node, round_, number, 0, MULTIPLE).model_copy(update={"basis": basis})
            held = alarms.raise_alarm(session, node, round_, told)
        assert held is (number == most)


async def test_many_small_queries_over_rounds(world_after: WorldAfter) -> None:
    """A new round does not forget, and neither does the next day; what is older than the window does."""
    world, first = await world_after(a_round)
    second = await a_round(world)
    node = world.nodes["AL"].node
    assert first_alarm(world, first, range(8)) is None
    world.clock.time += DAY
    assert ask(world, second, 8)
    assert [row.hits for row in raised(world)] == [27]
    with node.store.transaction("test.forget") as session:
        session.delete(session.scalars(select(AlarmRow)).one())
    world.clock.time += node.settings.caps.window_days * DAY
    # In its own round the one query of the second stays in the sum; those of the first are gone.
    assert not ask(world, second, 9)
    with node.store.reading("test.memory") as session:
        assert {row.round_id for row in session.scalars(select(QueryHitsRow))} == {second}


async def test_queries_and_persons_count_by_themselves(world_after: WorldAfter) -> None:
    """One hit each is explained, but so many queries, or persons of one query, are for a person to look at."""
    world, round_id = await world_after(a_round)
    node = world.nodes["AL"].node
    most = MOST_QUERIES * node.settings.caps.window_days
    assert first_alarm(world, round_id, range(3_000), hits=1) == most + 1
    assert f"are {most + 1}, for at least {most + 1} persons" in await problems(world.nodes["AL"], round_id)
    (alarm,) = raised(world)
    alarms.release(node, round_id, alarm.submission_id, replace(APPROVER, role=Role.APPROVER))
    persons = MOST_PERSONS * node.settings.caps.window_days
    assert ask(world, round_id, 4_000, hits=1, records=persons + MULTIPLE)
    assert not ask(world, round_id, 4_001, hits=0, records=persons)


@pytest.mark.parametrize("draw", range(3))
async def test_honest_queries_raise_nothing(world_after: WorldAfter, draw: int) -> None:
    """A hundred queries of one to five persons in a month, each person on the list with a chance of one in three."""
    world, round_id = await world_after(a_round)
    random = Random(draw)
    hits = [sum(random.random() < 1 / 3 for _ in range(random.randint(1, 5))) for _ in range(100)]
    assert not any(ask(world, round_id, number, found) for number, found in enumerate(hits))


async def test_a_person_whom_the_asker_knows_is_no_new_hit(world_after: WorldAfter) -> None:
    """A standing query hits the same records again and again; of an answer that is held back nothing is known."""
    world, round_id = await world_after(a_round)
    node = world.nodes["AL"].node

    def stored(number: int, persons: range) -> None:
        with node.store.transaction("test.hits") as session:
            session.add_all(
                HitRow(
                    round_id=round_id,
                    hit_id=f"{number:016x}{place:016x}",
                    import_id="0" * 32,
                    position=place,
                    record_id=f"al-{place}",
                    counterpart="RS",
                    certainty="high",
                    families=["names"],
                    submission_id=f"{number:032x}",
                    person=f"{person:064x}",
                )
                for place, person in enumerate(persons)
            )

    for number in range(40):
        stored(number, range(3))
        assert not ask(world, round_id, number)
    stored(40, range(3, 33))
    assert ask(world, round_id, 40, hits=30)
    stored(41, range(3, 33))
    assert ask(world, round_id, 41, hits=30)
