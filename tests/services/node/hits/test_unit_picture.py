"""The unit's own picture, exact: how far its hits came and how fast, how old open work is, and what its list has."""

import datetime as dt

import pytest

from aquila.followup.lifecycle import HOUR
from services.node.hits.statistics import unit_picture
from services.node.storage.tables import ImportRow
from tests.support.node_steps import does, hit_path
from tests.support.node_world import HEADER, World
from tests.support.stored_hits import StoredHit, store_hits

pytestmark = pytest.mark.parties("AL", "RS")
DAY = 24 * HOUR


async def test_a_unit_sees_how_far_its_hits_came(world: World) -> None:
    """Of five hits two are decided, one is asked about and answered; a decision that was undone does not count."""
    al, round_id = world.nodes["AL"], await world.propose()
    assert unit_picture(al.node.store, world.clock, 30).newest_list is None
    hits = [StoredHit(number, "RS", indicators=codes) for number, codes in enumerate((" T1 F2 ", " T1 ", *[None] * 3))]
    ids = store_hits(al.node.store, round_id, hits, world.clock.time)
    asked, other, undone, received, _ = [{"round_id": round_id, "hit_id": one} for one in ids]
    world.clock.time += HOUR
    await does(al, asked, "acknowledge")
    world.clock.time += HOUR
    await does(al, asked, "decision", decision="same")
    await does(al, other, "decision", decision="not_the_same")
    await does(al, undone, "decision", decision="same")
    undo = (await al.get("/hits"))["undo"]
    assert (await al.post("/hits/undo", json={"number": undo["number"]})).status_code == 200
    world.clock.time += 3 * HOUR
    await does(al, asked, "follow-up", channel="siena", urgency="normal")
    await does(al, other, "outcome", outcome="refuted")
    world.clock.time += 10 * HOUR
    today = dt.datetime.fromtimestamp(world.clock.time, dt.UTC).date().isoformat()
    await does(al, asked, "reply", date=today)
    letter = {"step": "received", "hits": [received], "on": today, "number": "K-7"}
    assert (await al.post("/hits/correspondence", json=letter)).status_code == 200
    world.clock.time += 4 * HOUR
    answer = letter | {"step": "answered"}
    assert (await al.post("/hits/correspondence", json=answer)).status_code == 200
    assert (await al.get(hit_path(undone)))["entry"]["stage"] == "new"
    world.clock.time += 3 * DAY

    found = await al.get("/picture?days=30")
    assert [(step["stage"], step["hits"], step["median_seconds"]) for step in found["funnel"]] == [
        ("arrived", 5, None),
        ("looked_at", 3, 2 * HOUR),
        ("decided", 2, 2 * HOUR),
        ("asked", 1, 3 * HOUR),
        ("replied", 1, 10 * HOUR),
        ("closed", 1, 5 * HOUR),
    ]
    assert (found["received"], found["answered"], found["median_answer_seconds"]) == (1, 1, 4 * HOUR)
    assert {one["work"]: one["hits"] for one in found["ages"] if any(one["hits"])} == {
        "undecided": [0, 3, 0, 0],
        "replied": [0, 1, 0, 0],
    }
    category = (await al.round(round_id))["manifest"]["category"]
    assert found["indicators"] == [
        {"indicator": "F2", "category": category, "hits": 1},
        {"indicator": "T1", "category": category, "hits": 2},
    ]
    newest = found["newest_list"]
    counts = {one["field"]: one["records"] for one in newest["fields"]}
    assert (newest["records"], newest["whole_birth_dates"]) == (5, 5)
    assert (counts["date_of_birth"], counts["place_of_birth"]) == (5, 0)

    # Older hits are no longer of the period, and stay open work.
    world.clock.time += 60 * DAY
    later = await al.get("/picture?days=30")
    assert {step["hits"] for step in later["funnel"]} == {0}
    assert later["indicators"] == []
    assert sum(one["hits"][-1] for one in later["ages"]) == 4


async def test_what_a_list_has_is_counted_when_it_is_stored(world: World) -> None:
    """Its records are not read for the page; only after one of them was taken out, once."""
    al = world.nodes["AL"]
    import_id = await al.load(HEADER + "a-1,Mira,Kola,1988-08-08,\na-2,Ana,Novak,1985,\na-3,Eva,Kos,,\n")

    async def found() -> tuple[int, int, int]:
        newest = (await al.get("/picture?days=30"))["newest_list"]
        counts = {one["field"]: one["records"] for one in newest["fields"]}
        return newest["records"], counts["date_of_birth"], newest["whole_birth_dates"]

    kept = {"records": 7, "date_of_birth": 6, "whole_birth_dates": 5}
    for counts, shown in ((None, (3, 2, 1)), (kept, (7, 6, 5))):
        if counts:
            with al.node.store.transaction("test.counts") as session:
                session.get_one(ImportRow, import_id).filled = counts
        assert await found() == shown
    assert (await al.operator.delete(f"/v1/imports/{import_id}/records/0")).status_code == 204
    for _ in range(2):
        assert await found() == (2, 1, 0)
