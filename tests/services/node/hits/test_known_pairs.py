"""Pairs that return in a later round: they carry what was decided, and are not new work."""

from typing import Any

import pytest
from sqlalchemy import delete, select, update

from services.node.hits.lifecycle import carry
from services.node.storage.tables import HitRow, HitStatusRow, HitStepRow
from tests.support.node_steps import does, hit_path, hit_with, kinds_in_log, round_with_hits
from tests.support.node_world import World
from tests.support.played_worlds import WorldAfter
from tests.support.sealing import sealed
from tests.support.stored_hits import StoredHit, store_hits

pytestmark = pytest.mark.more_rounds


async def again(world: World, hits: list[StoredHit]) -> list[dict[str, Any]]:
    """Let hits come in another round, and return them in the order of their ids."""
    party_node, round_id = world.nodes["AL"], await world.propose()
    await world.settle()
    store_hits(party_node.node.store, round_id, hits, world.clock.time)
    with party_node.node.store.transaction("test.report") as session:
        rows = session.scalars(select(HitRow).where(HitRow.round_id == round_id)).all()
        carry(session, party_node.node.journal, round_id, rows)
    found = (await party_node.get(f"/hits?round_id={round_id}"))["hits"]
    return sorted(found, key=lambda hit: str(hit["hit_id"]))


def states(hits: list[dict[str, Any]]) -> list[tuple[str, str | None, str | None]]:
    return [(hit["stage"], hit["decision"], hit["known"]) for hit in hits]


async def test_a_pair_that_returns_is_known(world: World) -> None:
    world.clock.time += 1
    first = await again(world, [StoredHit(0, "RS"), StoredHit(1, "RS"), StoredHit(2, "RS"), StoredHit(3, "RS")])
    al = world.nodes["AL"]
    assert states(first) == [("new", None, None)] * 4
    await does(al, first[0], "decision", decision="same")
    await does(al, first[0], "follow-up", channel="siena", reference="S-1")
    await does(al, first[1], "decision", decision="not_the_same")
    await does(al, first[2], "decision", decision="same")
    await does(al, first[2], "withdrawal", ground="incorrect")
    world.clock.time += 1
    coming = [StoredHit(0, "RS"), StoredHit(1, "RS", "low"), StoredHit(2, "RS"), StoredHit(3, "RS"), StoredHit(0, "SI")]
    second = await again(world, coming)
    assert states(second) == [
        ("known", "same", "unchanged"),
        ("known", "not_the_same", "changed_level"),
        *[("new", None, None)] * 3,
    ]
    view = await al.get(hit_path(second[0]))
    assert (view["channel"], view["reference"], view["entry"]["due_at"]) == ("siena", "S-1", None)
    assert view["earlier"] == {"round_id": first[0]["round_id"], "hit_id": first[0]["hit_id"]}
    assert [step["kind"] for step in view["history"]] == ["carried", "carried"]
    assert (await al.get("/hits?known=changed_level"))["total"] == 1
    assert kinds_in_log(al).count("hit_decided") == 5  # three decisions, what was carried, and what was replaced
    # A third round carries on what the second one carried, also when the first one's hits are erased.
    with al.node.store.transaction("test.retention") as session:
        for table in (HitStepRow, HitStatusRow, HitRow):
            session.execute(delete(table).where(table.round_id == first[0]["round_id"]))
    world.clock.time += 1
    third = await again(world, [StoredHit(0, "RS", families=("names", "document")), StoredHit(1, "RS", "low")])
    assert states(third) == [("known", "same", "changed_evidence"), ("known", "not_the_same", "unchanged")]
    assert (await al.get(hit_path(second[0])))["earlier"] is None
    # A known pair is decided again like any other, and its carried follow-up is not that of the new decision.
    await does(al, third[0], "decision", decision="cannot_tell")
    view = await al.get(hit_path(third[0]))
    assert (view["entry"]["stage"], view["channel"]) == ("decided", None)


async def test_a_pair_without_a_decision_is_replaced(world: World) -> None:
    """The hit of the later round takes over remarks and who looks after it; the earlier one leaves list and clocks."""
    world.clock.time += 1
    al = world.nodes["AL"]
    first = await again(world, [StoredHit(0, "RS"), StoredHit(1, "RS"), StoredHit(2, "RS")])
    await does(al, first[0], "acknowledge")
    await does(al, first[0], "remarks", remark="seen at the border")
    await does(al, first[1], "decision", decision="same")
    world.clock.time += 1
    second = await again(world, [StoredHit(0, "RS", "low"), StoredHit(1, "RS"), StoredHit(0, "SI")])
    assert states(second) == [("new", None, None), ("known", "same", "unchanged"), ("new", None, None)]
    old, new = await al.get(hit_path(first[0])), await al.get(hit_path(second[0]))
    assert (old["entry"]["stage"], old["entry"]["due_at"], old["possible"]) == (
        "replaced",
        None,
        ["remarked", "withdrawn"],
    )
    assert new["earlier"] == {"round_id": first[0]["round_id"], "hit_id": first[0]["hit_id"]}
    assert [step["remark"] for step in new["history"] if step["kind"] == "remarked"] == ["seen at the border"]
    assert new["entry"]["assignee"] == old["entry"]["assignee"] != ""
    # In lists the later one stands for it, and the earlier round has it still.
    listed = {(hit["record_id"], hit["counterpart"], hit["stage"]) for hit in (await al.get("/hits"))["hits"]}
    assert listed == {
        ("r-0", "RS", "new"),
        ("r-0", "SI", "new"),
        ("r-1", "RS", "decided"),
        ("r-1", "RS", "known"),
        ("r-2", "RS", "new"),
    }
    assert (await al.get("/hits?stage=replaced"))["total"] == 1
    assert (await al.get(f"/hits?round_id={first[0]['round_id']}"))["total"] == 3


async def test_several_hits_of_a_person_with_one_party(world: World) -> None:
    """Only hits of the same level and evidence are paired; where two are alike, both are new."""
    al = world.nodes["AL"]
    first = await again(world, [StoredHit(0, "RS"), StoredHit(0, "RS", "low"), StoredHit(0, "RS", "low", ("names",))])
    for hit in first:
        await does(al, hit, "decision", decision="same")
    world.clock.time += 1
    coming = [StoredHit(0, "RS"), StoredHit(0, "RS", "low"), StoredHit(0, "RS", "low"), StoredHit(0, "RS", "medium")]
    assert states(await again(world, coming)) == [("known", "same", "unchanged"), *[("new", None, None)] * 3]
    # A list that numbers its rows gives the number to another person: nothing is carried to that one.
    with al.node.store.transaction("test.renumbered") as session:
        session.execute(update(HitRow).values(person="0" * 64))
        sealed(session)
    world.clock.time += 1
    assert states(await again(world, [StoredHit(0, "RS")])) == [("new", None, None)]


async def test_a_report_brings_known_pairs(world_after: WorldAfter) -> None:
    """A round of the same lists: decided pairs are known, their closed outcome counts, and the others are new."""
    world, _ = await world_after(round_with_hits)
    al = world.nodes["AL"]
    hit = await hit_with(al, "RS")
    await does(al, hit, "decision", decision="same")
    await does(al, hit, "outcome", outcome="confirmed")
    world.clock.time += 1
    round_id = await world.begin()
    await world.settle()
    found = (await al.get(f"/hits?round_id={round_id}"))["hits"]
    known = {hit["counterpart"]: (hit["stage"], hit["outcome"], hit["known"]) for hit in found}
    assert known == {"RS": ("known", "confirmed", "unchanged"), "SI": ("new", None, None)}
