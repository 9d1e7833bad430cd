"""A person whom three parties know: each sees what the others have done, and where they know the person, too."""

from typing import Any

import pytest
from sqlalchemy import select, update

from aquila.followup.lifecycle import HOUR
from aquila.protocol.messages import FollowUp, StatementKind
from services.node.rounds import statements
from services.node.steps import follow_ups
from services.node.storage.tables import ExchangeRow, NoteBatchRow, StatementRow
from tests.support.node_steps import alike_before_matching, does, hit_path, kinds_in_log, problems
from tests.support.node_world import PartyNode, World
from tests.support.played_worlds import WorldAfter

SOON = 301


async def case_of(party_node: PartyNode, person: str, counterpart: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a node's hit on a person with a counterpart, and the lines of its case by counterpart."""
    hits = (await party_node.get(f"/hits?counterpart={counterpart}"))["hits"]
    [hit] = [one for one in hits if person in one["record"]["given_names"]]
    lines = (await party_node.get(hit_path(hit)))["case"]
    return hit, {one["counterpart"]: one for one in lines}


async def told(world: World, seconds: int) -> None:
    world.clock.time += seconds
    await world.settle()


@pytest.mark.rounds
async def test_each_sees_state_and_numbers_of_the_others(world_after: WorldAfter) -> None:
    world, round_id = await world_after(alike_before_matching)
    al, rs, si = (world.nodes[code] for code in ("AL", "RS", "SI"))
    await world.settle()
    _, lines = await case_of(al, "Arben", "RS")
    assert [(one["counterpart"], one["state"], one["also"]) for one in lines.values()] == [
        ("RS", None, []),
        ("SI", None, []),
    ]
    await told(world, SOON)
    mine, lines = await case_of(al, "Arben", "RS")
    hit, theirs = await case_of(rs, "Arben", "AL")
    assert lines["RS"]["state"] == "open"
    assert lines["RS"]["reference"] == theirs["AL"]["own_reference"]
    assert lines["RS"]["also"] == [["SI", theirs["SI"]["own_reference"]]]
    # A request of RS to AL is told after a day, to AL alone.
    await does(rs, hit, "decision", decision="same")
    await does(rs, hit, "follow-up", channel="siena")
    await told(world, 25 * HOUR)
    _, lines = await case_of(al, "Arben", "RS")
    assert (lines["RS"]["state"], lines["SI"]["state"]) == ("asked", "open")
    assert lines["RS"]["told_at"] >= world.clock.time - HOUR
    # The other hits with RS, of which the statement tells as before, are no news.
    with al.node.store.reading("test.told") as session:
        times = sorted(session.scalars(select(ExchangeRow.told_at).where(ExchangeRow.counterpart == "RS")))
    assert times[0] == times[1] < times[2] == lines["RS"]["told_at"]
    # What RS said first comes once more, out of its order: what it said last stands.
    first = StatementRow.kind == StatementKind.FOLLOW_UP.value, StatementRow.party == "RS"
    with al.node.rounds.of(round_id).reading() as round_, al.node.store.transaction("test.late") as session:
        envelope = session.scalars(select(StatementRow.envelope).where(*first).order_by(StatementRow.sequence)).first()
        message = statements.message_of(statements.open_statement(al.node.registry, envelope or b""))
        assert isinstance(message, FollowUp)
        follow_ups.take(session, al.node, round_, message)
    assert (await case_of(al, "Arben", "RS"))[1]["RS"]["state"] == "asked"
    _, seen = await case_of(si, "Arben", "RS")
    assert seen["RS"]["state"] == "open"
    found = (await al.post("/records/search", json={"text": lines["RS"]["also"][0][1]})).json()
    assert {one["kind"] for one in found["references"]} == {"third_note"}
    assert found["references"][0]["thing_id"] == mine["hit_id"]
    for party_node in (al, rs, si):
        assert "follow_up_told" in kinds_in_log(party_node)
        assert await problems(party_node, round_id) == ""


@pytest.mark.rounds
async def test_a_triangle_that_is_not_closed(world_after: WorldAfter) -> None:
    """RS tells AL of persons whom SI has as well, and AL was told of no such pair with SI."""
    world, round_id = await world_after(alike_before_matching)
    await world.settle()
    await told(world, SOON)
    al = world.nodes["AL"]
    with al.node.rounds.of(round_id).reading() as round_, al.node.store.transaction("test.hide") as session:
        session.execute(update(ExchangeRow).where(ExchangeRow.counterpart == "SI").values(met=0))
        for _ in range(2):
            follow_ups.compare(session, al.node, round_)
    assert "RS tells of 3 persons whom SI has as well" in await problems(al, round_id)
    assert "SI tells" in await problems(al, round_id)  # what AL has with SI is not what SI tells of, either
    assert kinds_in_log(al).count("hits_left_out") == 2
    # Who takes it back has said it.
    with al.node.rounds.of(round_id).reading() as round_, al.node.store.transaction("test.taken_back") as session:
        session.execute(update(ExchangeRow).values(their_third={}))
        follow_ups.compare(session, al.node, round_)
    assert "RS tells of 3 persons whom SI has as well" in await problems(al, round_id)


@pytest.mark.parties("AL", "RS")
async def test_a_hit_stays_in_its_part(world: World) -> None:
    """Eight batches of notes are a part, whichever of their hits were erased."""
    node, round_id = world.nodes["AL"].node, await world.propose()
    place = {"round_id": round_id, "submission_id": "", "done": True}
    with node.store.transaction("test.batches") as session:
        for index, hit in ((0, "a"), (7, "b"), (8, "c"), (16, "d")):
            session.add(NoteBatchRow(counterpart="RS", index=index, hits=[hit], own=True, **place))
            session.add(NoteBatchRow(counterpart="SI", index=index, hits=["e"], own=False, **place))
        session.flush()
        assert follow_ups.parts_of(session, round_id, "RS") == {"a": 0, "b": 0, "c": 1, "d": 2}
