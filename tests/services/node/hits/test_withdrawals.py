"""A withdrawn hit: the counterpart is told, marks it and says so, also after the end; outcomes follow as counts."""

from typing import Any

import pytest
from sqlalchemy import delete, select

from aquila.followup.lifecycle import HOUR, Ground
from services.node.hits import lifecycle
from services.node.storage.tables import HitStatusRow, RoundRow
from tests.support.node_steps import closed_round, counts, does, hit_path, hit_with, kinds_in_log, round_with_hits
from tests.support.node_world import PartyNode
from tests.support.played_worlds import WorldAfter
from tests.support.sentence_texts import texts

pytestmark = pytest.mark.rounds


async def withdrawals(party_node: PartyNode, hit: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await party_node.get(hit_path(hit)))["withdrawals"]
    return found


async def test_the_counterpart_marks_it_and_the_owner_sees_the_receipt(world_after: WorldAfter) -> None:
    """After the end of the round the word still goes there and back; nobody else hears of it."""
    world, _ = await world_after(closed_round)
    al, rs, si = (world.nodes[code] for code in ("AL", "RS", "SI"))
    hit = await hit_with(al, "RS")
    world.clock.time += HOUR
    await does(al, hit, "withdrawal", ground="incorrect")
    assert [one["state"] for one in await withdrawals(al, hit)] == ["waiting"]
    await world.settle()
    [own] = await withdrawals(al, hit)
    assert (own["by"], own["state"], own["late"], own["ground"]) == ("AL", "acknowledged", False, "incorrect")
    seen = await rs.get(hit_path(hit))
    assert (seen["entry"]["stage"], seen["withdrawals"][0]["by"]) == ("withdrawn", "AL")
    assert seen["history"][-1] | {"at": 0} == {
        "kind": "withdrawn",
        "at": 0,
        "person": "AL",
        "value": "incorrect",
        "reference": "",
        "urgency": None,
        "remark": "",
        "name": "",
        "to": "",
    }
    assert (await si.get("/hits?stage=withdrawn"))["total"] == 0
    assert {"withdrawal", "withdrawal_acknowledged"} <= set(kinds_in_log(al)) & set(kinds_in_log(rs))
    for party_node in (al, rs):
        assert texts((await party_node.round(hit["round_id"]))["problems"]) == []


async def test_a_late_withdrawal_needs_a_reason_that_stays_here(world_after: WorldAfter) -> None:
    world, round_id = await world_after(closed_round)
    al, rs = world.nodes["AL"], world.nodes["RS"]
    hit = await hit_with(al, "RS")
    world.clock.time += 49 * HOUR
    answer = await al.post(hit_path(hit, "/withdrawal"), json={"ground": "unlawful"})
    assert (answer.status_code, "48 hours" in answer.json()["detail"]) == (403, True)
    await does(al, hit, "withdrawal", ground="unlawful", reason="the court said so")
    await world.settle()
    assert [one["late"] for one in await withdrawals(al, hit) + await withdrawals(rs, hit)] == [True, True]
    assert (await al.get(hit_path(hit)))["history"][-1]["remark"] == "the court said so"
    with world.app.state.context.round_cache.reading(round_id) as turn:
        assert [one.ground.value for one in turn.round.withdrawals.values()] == ["unlawful"]
        assert "court" not in repr(turn.round.withdrawals)


async def test_both_sides_withdraw(world_after: WorldAfter) -> None:
    world, _ = await world_after(closed_round)
    al, rs = world.nodes["AL"], world.nodes["RS"]
    hit = await hit_with(al, "RS")
    await does(al, hit, "withdrawal", ground="incorrect")
    await does(rs, hit, "withdrawal", ground="not_needed")
    both = {("AL", "acknowledged"), ("RS", "acknowledged")}

    async def acknowledged() -> bool:
        found = [await withdrawals(node, hit) for node in (al, rs)]
        return all({(one["by"], one["state"]) for one in each} == both for each in found)

    await world.until(acknowledged)


@pytest.mark.more_rounds
@pytest.mark.parametrize("restarted", [True, False], ids=["restarted", "in a round that goes on"])
async def test_it_is_told_still(world_after: WorldAfter, *, restarted: bool) -> None:
    """A withdrawal that was asked for before a crash is signed and sent after it; also where the round goes on."""
    world, _ = await world_after(closed_round if restarted else round_with_hits)
    al = world.nodes["AL"]
    hit = await hit_with(al, "RS")
    await does(al, hit, "withdrawal", ground="incorrect")
    if restarted:
        al.restart()
    await world.settle()
    assert [one["state"] for one in await withdrawals(al, hit)] == ["acknowledged"]


async def test_outcomes_reach_the_matcher_as_counts(world_after: WorldAfter) -> None:
    """A day after the first one is closed the matcher knows how many came to what, by counterpart and level."""
    world, round_id = await world_after(closed_round)
    al = world.nodes["AL"]
    hit, other = await hit_with(al, "RS"), await hit_with(al, "SI")
    await does(al, hit, "acknowledge")
    await does(al, hit, "decision", decision="same")
    await does(al, hit, "outcome", outcome="confirmed")
    await does(al, other, "withdrawal", ground="incorrect")
    await world.settle()
    assert counts(world, round_id) == set()
    world.clock.time += 24 * HOUR
    await world.settle()
    assert counts(world, round_id) == {
        ("AL", "RS", hit["certainty"], "confirmed", 1),
        ("AL", "SI", other["certainty"], "withdrawn", 1),
        ("SI", "AL", other["certainty"], "withdrawn", 1),
        ("SI", "RS", (await hit_with(world.nodes["SI"], "RS"))["certainty"], "open", 1),
    }
    assert "outcome" in kinds_in_log(al)
    with al.node.store.reading("test.told") as session:
        assert session.scalars(select(RoundRow.outcomes_changed_at)).one() is None


@pytest.mark.more_rounds
async def test_a_withdrawal_of_a_hit_that_is_not_there(world_after: WorldAfter) -> None:
    world, round_id = await world_after(closed_round)
    al, rs = world.nodes["AL"], world.nodes["RS"]
    hit = await hit_with(al, "SI")
    with al.node.store.transaction("test.wrong") as session:
        lifecycle.add_withdrawal(session, round_id, hit["hit_id"], "RS", Ground.INCORRECT, 1, late=False)
    await world.settle()
    problems = texts((await rs.round(round_id))["problems"])
    assert problems == ["AL withdraws 1 hits that this node does not hold"]
    with world.app.state.context.round_cache.reading(round_id) as turn:
        assert [one.hits for one in turn.round.acknowledgements.values()] == [0]


async def test_after_retention_nothing_is_said_any_more(world_after: WorldAfter) -> None:
    world, round_id = await world_after(closed_round)
    al = world.nodes["AL"]
    hit = await hit_with(al, "RS")
    await does(al, hit, "withdrawal", ground="incorrect", reason="late")
    world.clock.time += 4_000 * 24 * HOUR
    await world.settle()
    assert counts(world, round_id) == set()


@pytest.mark.more_rounds
async def test_a_withdrawal_of_a_hit_that_no_analyst_sees(world_after: WorldAfter) -> None:
    """A stored hit without a life counts as one that is not there; the feed goes on."""
    world, round_id = await world_after(closed_round)
    al, rs = world.nodes["AL"], world.nodes["RS"]
    hit = await hit_with(al, "RS")
    with rs.node.store.transaction("test.unseen") as session:
        session.execute(
            delete(HitStatusRow).where(HitStatusRow.round_id == round_id, HitStatusRow.hit_id == hit["hit_id"])
        )
    await does(al, hit, "withdrawal", ground="incorrect")
    await world.settle()
    assert [one["state"] for one in await withdrawals(al, hit)] == ["acknowledged"]
    with world.app.state.context.round_cache.reading(round_id) as turn:
        assert [one.hits for one in turn.round.acknowledgements.values()] == [0]
