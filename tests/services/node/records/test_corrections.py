"""One record of a stored list corrected, or taken out of it."""

from typing import Any

import pytest
from sqlalchemy import select

from services.node.storage.tables import FindingRow, HitRow, ImportRow, RecordRow
from tests.support import stored_log
from tests.support.node_steps import closed_round, open_round
from tests.support.node_world import HEADER, PartyNode, World
from tests.support.played_worlds import WorldAfter

ROWS = "a-1,Mira,Janković,1988-08-08,\na-2,Ana,Novak,1985-13-45,\na-3,Eva,Kos,1970-01-02,\n"
RIGHT = {"given_names": ["Ana", "Anica"], "family_names": ["Novák"], "date_of_birth": ["1985-12-05"]}


pytestmark = pytest.mark.parties("AL", "RS")


def place(import_id: str, position: int) -> str:
    return f"/v1/imports/{import_id}/records/{position}"


async def correct(al: PartyNode, import_id: str, position: int, fields: dict[str, list[str]]) -> Any:
    return await al.operator.put(place(import_id, position), json={"fields": fields})


def stored(al: PartyNode, import_id: str) -> list[tuple[int, str, bytes, str]]:
    query = select(RecordRow).where(RecordRow.import_id == import_id).order_by(RecordRow.position)
    with al.node.store.reading("test.records") as session:
        return [(row.position, row.record_id, row.content, row.words) for row in session.scalars(query)]


async def test_a_record_is_corrected_in_its_place(world: World) -> None:
    """A check stores nothing; then fields, words and findings are new, number and place stay, and the log has both."""
    al = world.nodes["AL"]
    import_id = await al.load(HEADER + ROWS)
    before = stored(al, import_id)
    seen = (await al.post(f"/imports/{import_id}/records/1/check", json={"fields": RIGHT})).json()
    assert (seen["findings"], stored(al, import_id)) == ([], before)
    assert ["novak"] in [name["words"] for name in seen["names"]]
    assert (await correct(al, import_id, 1, RIGHT)).status_code == 200
    after = stored(al, import_id)
    assert [after[0], after[2]] == [before[0], before[2]]
    assert after[1][:2] == (1, "a-2")
    assert b"1985-12-05" in after[1][2]
    assert "anica" in after[1][3]
    assert (await al.get(f"/imports/{import_id}/findings"))["total"] == 0
    with al.node.store.reading("test.entries") as session:
        entries = [entry for _, entry in stored_log.entries(session) if entry and entry.kind in {"erasure", "import"}]
    assert [(entry.kind, entry.counts["records"]) for entry in entries] == [
        ("import", 3),
        ("erasure", 1),
        ("import", 1),
    ]


@pytest.mark.database_files
async def test_nothing_is_left_of_what_was_wrong(world: World) -> None:
    al = world.nodes["AL"]
    import_id = await al.load(
        HEADER + "a-1,Zdravomir,Janković,1988-08-08,\na-2,Ana,Novak,1985-01-02,\na-3,Dobrinka,Kos,,\n"
    )
    assert b"Zdravomir" in al.stored_bytes()
    assert (await correct(al, import_id, 0, RIGHT)).status_code == 200
    assert (await al.operator.delete(place(import_id, 2))).status_code == 204
    for word in (b"Zdravomir", b"zdravomir", b"Dobrinka", b"dobrinka"):
        assert word not in al.stored_bytes()


async def test_a_warning_of_the_correction_is_kept_with_the_list(world: World) -> None:
    al = world.nodes["AL"]
    import_id = await al.load(HEADER + ROWS)
    for position in (1, 2):
        answer = await correct(al, import_id, position, {**RIGHT, "date_of_birth": ["1985-99-99"]})
        assert [one["field"] for one in answer.json()["findings"]] == ["date_of_birth"]
    with al.node.store.reading("test.findings") as session:
        rows = session.scalars(select(FindingRow).order_by(FindingRow.number)).all()
        assert [(row.record_id, row.line) for row in rows] == [("a-2", 3), ("a-3", 1)]


async def test_fields_that_give_no_record_are_refused(world: World) -> None:
    al = world.nodes["AL"]
    import_id = await al.load(HEADER + ROWS)
    before = stored(al, import_id)
    few = {"given_names": ["Ana"], "family_names": ["  "]}
    seen = (await al.post(f"/imports/{import_id}/records/1/check", json={"fields": few})).json()
    assert (seen["names"], [one["severity"] for one in seen["findings"]]) == (None, ["refusal"])
    assert (await correct(al, import_id, 1, few)).json()["code"] == "correction_refused"
    for name in ("record_id", "shoe_size"):
        answer = await correct(al, import_id, 1, {**RIGHT, name: ["9"]})
        assert answer.status_code == 422
    assert (await correct(al, import_id, 9, RIGHT)).json()["code"] == "record_unknown"
    assert stored(al, import_id) == before


async def test_a_record_is_taken_out_and_its_place_filled(world: World) -> None:
    al = world.nodes["AL"]
    import_id = await al.load(HEADER + ROWS)
    for _ in range(2):
        assert (await al.operator.delete(place(import_id, 0))).status_code == 204
    assert [(position, record_id) for position, record_id, *_ in stored(al, import_id)] == [(0, "a-2")]
    assert (await al.operator.delete(place(import_id, 0))).json()["code"] == "last_record_of_list"
    assert (await al.get("/imports"))["imports"][0]["records"] == 1
    again = await al.load(HEADER + ROWS, "again")
    assert len(stored(al, again)) == 3


async def test_a_list_of_an_open_round_does_not_change(world_after: WorldAfter) -> None:
    world, _ = await world_after(open_round)
    al = world.nodes["AL"]
    with al.node.store.reading("test.list") as session:
        import_id = session.scalars(select(ImportRow.import_id)).first()
    assert import_id is not None
    answers = (await correct(al, import_id, 0, RIGHT), await al.operator.delete(place(import_id, 0)))
    assert [answer.json()["code"] for answer in answers] == ["list_in_unfinished_round"] * 2


@pytest.mark.rounds
async def test_a_record_with_hits_does_not_change(world_after: WorldAfter) -> None:
    world, _ = await world_after(closed_round)
    al = world.nodes["AL"]
    with al.node.store.reading("test.hits") as session:
        hit = session.scalars(select(HitRow)).first()
        assert hit is not None
        import_id, position = hit.import_id, hit.position
        places = {row.position for row in session.scalars(select(HitRow))}
    answers = (await correct(al, import_id, position, RIGHT), await al.operator.delete(place(import_id, position)))
    assert [answer.json()["code"] for answer in answers] == ["matched_record_stays"] * 2
    free = next(number for number, *_ in stored(al, import_id) if number not in places)
    assert (await correct(al, import_id, free, RIGHT)).status_code == 200
