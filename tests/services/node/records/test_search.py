"""A party's own records: searched by number or name, looked at one by one, and every look in the log."""

import json
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import insert, select, update

from aquila.audit.entries import Entry
from aquila.audit.roles import Role
from aquila.interface.records import MOST_OF_RECORD
from services.kit.logging import ROOT, JsonLines
from services.node.storage.tables import HitRow, HitStatusRow, ImportRow, SubmissionRow
from tests.support import stored_log
from tests.support.node_steps import closed_round, does, hit_with, kinds_in_log
from tests.support.node_world import HEADER, LISTS, PartyNode, World
from tests.support.played_worlds import WorldAfter
from tests.support.sealing import sealed

PLACES = ("/v1/imports", "/v1/records")
PERSONS = (
    "person-1,Драган,Петровић,1971-05-06,\n"
    "person-2,Dragan,Petrov,1980-01-02,\n"
    "person-3,Mehmed,Hadži-Ahmetović,1975-03-04,\n"
    "person-4,Ana,Novak,1990-09-09,\n"
)


pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.more_rounds, pytest.mark.postgresql_soak]


async def search(party_node: PartyNode, **wanted: Any) -> dict[str, Any]:
    answer = await party_node.post("/records/search", json=wanted)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def ids(party_node: PartyNode, **wanted: Any) -> list[str]:
    return [one["record_id"] for one in (await search(party_node, **wanted))["records"]]


async def place_of(party_node: PartyNode, record_id: str) -> str:
    (one,) = (await search(party_node, text=record_id))["records"]
    return f"/imports/{one['import_id']}/records/{one['position']}"


def looks(party_node: PartyNode) -> list[Entry]:
    with party_node.node.store.reading("test.looks") as session:
        return [entry for _, entry in stored_log.entries(session) if entry and entry.kind == "consultation"]


async def test_a_search(world: World) -> None:
    """A number is found whole, a name in any script and spelling by parts of its words."""
    al = world.nodes["AL"]
    await al.load(HEADER + PERSONS)
    wanted_and_found: list[tuple[dict[str, Any], list[str]]] = [
        ({"text": "Petrović"}, ["person-1"]),
        ({"text": "петров"}, ["person-2", "person-1"]),
        ({"text": "dragan PETROVIC"}, ["person-1"]),
        ({"text": "Ahmetović"}, ["person-3"]),
        ({"text": "Muhamed"}, []),
        ({"text": "Muhamed", "alike": True}, ["person-3"]),
        ({"text": "person-4"}, ["person-4"]),
        ({"text": " person-4 "}, ["person-4"]),
        ({"text": "😀"}, []),
        ({"text": "%"}, []),
    ]
    for wanted, found in wanted_and_found:
        assert await ids(al, **wanted) == found, wanted


async def test_a_search_for_nothing(world: World) -> None:
    al = world.nodes["AL"]
    for wanted in ({}, {"text": " "}, {"text": "漢" * 201}, {"text": "漢", "offset": -1}):
        answer = await al.post("/records/search", json=wanted)
        assert answer.status_code == 422
        assert "漢" not in answer.text
    assert not looks(al)


async def test_what_has_a_reference_is_named(world_after: WorldAfter) -> None:
    """A number of a letter or a reply says what it stands for, to who may see that; the list of hits knows it."""
    world, round_id = await world_after(closed_round)
    al = world.nodes["AL"]
    hit = await hit_with(al, "RS")
    await does(al, hit, "decision", decision="same")
    await does(al, hit, "follow-up", channel="siena", reference="Siena 2026/17")
    await does(al, hit, "permission", reference="file 9")
    await does(al, hit, "reply", date="2026-01-01", number="RS/44")
    exchange = (await al.get(f"/rounds/{round_id}/hits/{hit['hit_id']}"))["exchange"]
    known = {
        hit["hit_id"]: "hit",
        hit["hit_id"][:8]: "hit",
        exchange["reference"].lower(): "own_note",
        exchange["note"]["reference"]: "other_note",
        "siena 2026/17": "channel",
        " RS/44 ": "reply",
        "file 9": "permission",
    }
    for number, kind in known.items():
        found = await search(al, text=number)
        wanted = {"kind": kind, "counterpart": "RS", "round_id": round_id, "thing_id": hit["hit_id"]}
        assert (found["records"], found["references"]) == ([], [wanted]), number
        listed = (await al.post("/hits/search", json={"name": number})).json()["hits"]
        assert [one["hit_id"] for one in listed] == [hit["hit_id"]], number
    [found] = (await search(al, text=round_id))["references"]
    assert (found["kind"], found["thing_id"]) == ("round", round_id)
    assert (await search(al, text="no such number"))["references"] == []
    assert (await search(al, text=round_id, offset=50))["references"] == []


async def test_pages(world: World) -> None:
    al = world.nodes["AL"]
    letters = "bdfglmnprs"
    rows = "".join(f"n-{n},{letters[n % 10]}a{letters[n // 10]}ot,Novak,1990-09-09,\n" for n in range(60))
    await al.load(HEADER + rows)
    first, second = await search(al, text="novak"), await search(al, text="novak", offset=50)
    assert (len(first["records"]), len(second["records"]), first["total"], second["total"]) == (50, 10, 60, 60)
    names = [one["record"]["given_names"][0] for one in (*first["records"], *second["records"])]
    assert names == sorted(names)
    assert (await search(al, text="novak", offset=60))["records"] == []


async def test_an_import_that_is_not_whole_is_not_searched(world: World) -> None:
    al = world.nodes["AL"]
    import_id = await al.load(HEADER + PERSONS)
    path = await place_of(al, "person-1")
    with al.node.store.transaction("test.half") as session:
        session.execute(update(ImportRow).where(ImportRow.import_id == import_id).values(complete=False))
    assert await ids(al, text="Petrović") == []
    assert (await al.operator.get(f"/v1{path}")).status_code == 404


async def test_a_record_with_its_history(world_after: WorldAfter) -> None:
    world, round_id = await world_after(closed_round)
    al = world.nodes["AL"]
    hit = await hit_with(al, "RS")
    await does(al, hit, "acknowledge")
    await does(al, hit, "decision", decision="same", remark="seen")
    await al.load(HEADER + LISTS["AL"], "another list")
    found = (await search(al, text="al-list-1"))["records"]
    assert sorted(one["list_name"] for one in found) == ["another list", "list"]
    one = next(one for one in found if one["list_name"] == "list")
    view = await al.get(f"/imports/{one['import_id']}/records/{one['position']}")
    assert view["entry"]["record"]["family_names"] == ["Hoxha"]
    assert view["names"][0] == {"field": "given_names", "written": "Arben", "words": ["arben"]}
    assert view["elsewhere"] == ["another list"]
    assert [(use["round_id"], use["kind"], use["state"]) for use in view["uses"]] == [(round_id, "list", "tokens_sent")]
    (seen,) = view["hits"]
    assert (seen["entry"]["hit_id"], seen["entry"]["stage"]) == (hit["hit_id"], "decided")
    assert [step["kind"] for step in seen["history"]] == ["acknowledged", "decided"]
    await does(al, hit, "withdrawal", ground="incorrect")
    view = await al.get(f"/imports/{one['import_id']}/records/{one['position']}")
    assert [gone["ground"] for gone in view["hits"][0]["withdrawals"]] == ["incorrect"]


async def test_a_record_of_years_shows_the_newest(world_after: WorldAfter) -> None:
    """A record with more hits, submissions and other lists than one page takes says how many are left out.

    Only the hits that are shown were looked at.
    """
    world, round_id = await world_after(closed_round)
    al, older = world.nodes["AL"], [f"{number:032x}" for number in range(MOST_OF_RECORD + 3)]
    path = await place_of(al, "al-list-1")
    hit = await hit_with(al, "RS")
    with al.node.store.transaction("test.years") as session:
        kept = [
            (HitRow, {"round_id": round_id, "hit_id": hit["hit_id"]}, "hit_id", "arrived_at"),
            (HitStatusRow, {"round_id": round_id, "hit_id": hit["hit_id"]}, "hit_id", "arrived_at"),
            (SubmissionRow, {"round_id": round_id}, "submission_id", "wished_at"),
        ]
        for table, which, key, moment in kept:
            row = dict(session.execute(select(table.__table__).filter_by(**which)).mappings().one())
            for number, one in enumerate(older, start=1):
                values = row | {key: one} | ({moment: row[moment] - number} if moment in row else {})
                session.execute(insert(table).values(values))
        sealed(session)
    for number in range(MOST_OF_RECORD + 1):
        await al.load(HEADER + LISTS["AL"], f"list {number}")
    before = len(looks(al))
    view = await al.get(path)
    assert [len(view[name]) for name in ("hits", "uses", "elsewhere")] == [MOST_OF_RECORD] * 3
    assert [view[f"{name}_left_out"] for name in ("hits", "uses", "elsewhere")] == [4, 4, 1]
    assert [one["entry"]["hit_id"] for one in view["hits"]] == [hit["hit_id"], *older[: MOST_OF_RECORD - 1]]
    assert view["uses"][0]["submission_id"] not in older
    seen = [entry.counts["hits"] for entry in looks(al)[before:] if entry.ids["of"] == "hits"]
    assert seen == [MOST_OF_RECORD]


async def test_a_record_that_is_not_there(world: World) -> None:
    al = world.nodes["AL"]
    import_id = await al.load(HEADER + PERSONS)
    for place in (f"{import_id}/records/99", f"{'0' * 32}/records/0"):
        assert (await al.operator.get(f"/v1/imports/{place}")).status_code == 404
    assert (await al.operator.get(f"/v1/imports/{import_id}/records/-1")).status_code == 422
    assert not looks(al)


async def test_hits_are_for_those_who_may_see_hits(world_after: WorldAfter) -> None:
    world, _ = await world_after(closed_round)
    al = world.nodes["AL"]
    path = f"/v1{await place_of(al, 'al-list-1')}"
    async with al.person(Role.OFFICER) as officer, al.person(Role.ANALYST) as analyst:
        assert (await officer.get(path)).json()["hits"] is None
        assert len((await analyst.get(path)).json()["hits"]) == 1
        roles = {entry.role for entry in looks(al) if entry.ids["of"] == "hits"}
        assert roles == {"analyst"}
    for role in (Role.APPROVER, Role.AUDITOR, Role.ADMINISTRATOR):
        async with al.person(role) as other:
            assert (await other.get(path)).status_code == 403
            assert (await other.post("/v1/records/search", json={"text": "Hoxha"})).status_code == 403


async def test_every_look_is_an_entry_that_says_nothing(world: World) -> None:
    """A search, also one that finds nothing, and a look: who and how many, never the words or the record."""
    al = world.nodes["AL"]
    await al.load(HEADER + PERSONS)
    await search(al, text="Petrov")
    await search(al, text="Rumpelstilz")
    path = await place_of(al, "person-3")
    await al.get(path)
    found = looks(al)
    assert [entry.counts for entry in found] == [{"records": count} for count in (2, 0, 1, 1)]
    for entry in found:
        assert entry.ids == {"of": "record"}
        assert entry.person
        assert entry.role in {"officer", "analyst"}
        assert not entry.digests
    content = json.dumps([entry.model_dump(mode="json") for entry in found]).lower()
    assert not [word for word in ("petrov", "rumpel", "person-3", "ahmet") if word in content]


async def test_nobody_else_hears_what_is_looked_for(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", ROOT)
    al = world.nodes["AL"]
    await al.load(HEADER + PERSONS)
    await search(al, text="Ahmetović")
    await al.get(await place_of(al, "person-3"))
    await al.post("/records/search", json={"text": "Ahmetović", "offset": "x"})
    await al.post("/records/check", content=(HEADER + PERSONS).encode())
    lines = "\n".join(map(JsonLines().format, caplog.records)).lower()
    assert "/v1/records/search" in lines
    files = (path for path in (world.path / "matcher").rglob("*") if path.is_file())
    everything = lines.encode() + b"".join(path.read_bytes().lower() for path in files)
    assert not [word for word in (b"ahmet", b"mehmed", b"person-3", b"petrov") if word in everything]


async def test_an_erased_record_is_found_no_more(world: World) -> None:
    al = world.nodes["AL"]
    await al.load(HEADER + PERSONS)
    assert (await al.post("/erasures", json={"record_id": "person-1"})).status_code == 200
    assert await ids(al, text="dragan") == ["person-2"]
    assert await ids(al, text="person-1") == []
    assert await ids(al, text="novak") == ["person-4"]
    assert (await al.get(await place_of(al, "person-4")))["entry"]["record"]["given_names"] == ["Ana"]


async def test_a_record_is_corrected_by_an_erasure_and_an_import(world: World) -> None:
    """One call alters a record, in its list; a list can be deleted and come again corrected, and both are entries."""
    al = world.nodes["AL"]
    import_id = await al.load(HEADER + "c-1,Ana,Novak,1990-09-09,\n")
    routes = [route for route in iter_route_contexts(al.app.routes) if route.path.startswith(PLACES)]
    assert [route.path for route in routes if route.methods & {"PUT", "PATCH"}] == [
        "/v1/imports/{import_id}/records/{position}"
    ]
    assert (await al.operator.delete(f"/v1/imports/{import_id}")).status_code == 204
    await al.load(HEADER + "c-1,Ana,Kovač,1990-09-09,\n")
    assert await ids(al, text="Novak") == []
    assert await ids(al, text="Kovač") == ["c-1"]
    assert [kind for kind in kinds_in_log(al) if kind != "consultation"][-3:] == ["import", "erasure", "import"]
