"""A person asks what is held: one search over all of a node, and an answer that is kept without the person."""

import asyncio
import json
from typing import Any

import pytest

from aquila.audit.entries import Entry, EntryKind
from aquila.audit.roles import Role
from services.kit.http.signed_calls import Rate
from services.node.records import subject_requests
from services.node.records.erasure import close_gaps
from services.node.records.subject_requests import forget_answered
from services.node.storage.tables import RecordRow
from tests.support import stored_log
from tests.support.node_steps import closed_round, does, hit_with
from tests.support.node_world import HEADER, PartyNode, World
from tests.support.played_worlds import WorldAfter

pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.postgresql_soak]

ARBEN = {"given_names": "Арбен", "family_names": "Hoxha", "date_of_birth": "4.3.1980"}
FILE = "DP 2026/17"
DAY = 86_400


def officer(party_node: PartyNode) -> Any:
    return party_node.person(Role.DATA_PROTECTION_OFFICER)


async def search(caller: Any, file_number: str = FILE, **fields: str) -> dict[str, Any]:
    body = {"file_number": file_number, "fields": fields}
    answer = await caller.post("/v1/subject-requests/search", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def numbers(found: dict[str, Any]) -> dict[str, list[str]]:
    return {part["place"]: [one["number"] for one in part["things"]] for part in found["places"] if part["count"]}


async def answer(caller: Any, found: dict[str, Any], **changed: str) -> Any:
    body = {"search_id": found["search_id"], "file_number": FILE, "received": "2026-12-10", "answer": "offences"}
    return await caller.post("/v1/subject-requests", json=body | changed)


def logged(party_node: PartyNode, kind: EntryKind) -> list[Entry]:
    with party_node.node.store.reading("test.subjects") as session:
        return [entry for _, entry in stored_log.entries(session) if entry and entry.kind is kind]


async def test_a_person_is_found_by_the_match_rules(world: World) -> None:
    """In any script, by a number alone, or without a date; one of the same names and another date only without it."""
    al = world.nodes["AL"]
    await al.load(
        HEADER + "a-1,Arben,Hoxha,1980-03-04,\na-2,Arben,Hoxha,1991-01-02,\na-3,Ilir,Kola,1970-01-02,X 12 345\n"
    )
    caller = officer(al)
    found = await search(caller, **ARBEN)
    assert (numbers(found), found["records"]) == ({"records": ["a-1"]}, 3)
    [part] = [part for part in found["places"] if part["count"]]
    assert part["things"][0]["level"] == "high"
    assert "Hoxha" not in json.dumps(found, ensure_ascii=False)
    assert numbers(await search(caller, given_names="ARBEN", family_names="Hodža")) == {"records": ["a-1", "a-2"]}
    other = {"given_names": "Besa", "family_names": "Dervishi", "document_numbers": "Y1\nX12345"}
    assert numbers(await search(caller, **other)) == {"records": ["a-3"]}
    assert numbers(await search(caller, given_names="Mira", family_names="Janković")) == {}


async def test_a_list_that_loses_a_record_during_the_search(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last record moves to the place of an erased one, and is found there."""
    al = world.nodes["AL"]
    list_id = await al.load(
        HEADER + "a-1,Ilir,Kola,1970-01-02,\na-2,Mira,Kos,1975-05-06,\na-3,Arben,Hoxha,1980-03-04,\n"
    )
    compare, erased = subject_requests._compare, list[bool]()

    def erase_after(store: Any, import_id: str, wanted: Any) -> int:
        compared = compare(store, import_id, wanted)
        if not erased:
            erased.append(True)
            with store.transaction("test.erase") as session:
                session.delete(session.get_one(RecordRow, (list_id, 0)))
                session.flush()
                assert close_gaps(session, list_id)
        return compared

    monkeypatch.setattr(subject_requests, "_compare", erase_after)
    found = await search(officer(al), **ARBEN)
    assert (numbers(found), found["records"]) == ({"records": ["a-3"]}, 2)
    assert found["places"][0]["things"][0]["path"] == [list_id, "0"]


async def test_what_cannot_be_looked_for_or_kept(world: World) -> None:
    """Too little to compare, a field that is left out, and a file number that says whose it is."""
    al = world.nodes["AL"]
    await al.load(HEADER + "a-1,Arben,Hoxha,1980-03-04,\n")
    caller = officer(al)
    for file_number, fields in (
        (FILE, {"given_names": "Arben"}),
        (FILE, {}),
        ("no digit", ARBEN),
        ("2026/Hoxha/1", ARBEN),
        ("2026/1980-03-04", ARBEN),
        ("2026, born 4. 3. 1980", ARBEN),
        ("2026 X12.345", ARBEN | {"document_numbers": "X 12345"}),
    ):
        body = {"file_number": file_number, "fields": fields}
        refused = await caller.post("/v1/subject-requests/search", json=body)
        assert (refused.status_code, "Hoxha" in refused.text) == (422, False), file_number
    assert not logged(al, EntryKind.CONSULTATION)
    found = await search(caller, **(ARBEN | {"date_of_birth": "soon"}))
    assert [one["field"] for one in found["findings"]] == ["date_of_birth"]
    for role in (Role.ANALYST, Role.OFFICER, Role.AUDITOR, Role.ADMINISTRATOR):
        refused = await al.person(role).post("/v1/subject-requests/search", json={"file_number": FILE, "fields": ARBEN})
        assert refused.status_code == 403


async def test_an_account_searches_so_often_and_no_more(world: World) -> None:
    """A search refused for its input does not count, one too many leaves no entry, and a colleague can still search."""
    al = world.nodes["AL"]
    await al.load(HEADER + "a-1,Arben,Hoxha,1980-03-04,\n")
    limit = al.node.subject_searches
    assert limit.rate == Rate(per_second=1 / 600, size=20)  # as its sentence says
    limit.rate = Rate(per_second=1 / 600, size=2)
    caller, path, body = officer(al), "/v1/subject-requests/search", {"file_number": FILE, "fields": ARBEN}
    assert (await caller.post(path, json=body | {"fields": {}})).status_code == 422
    for _ in range(2):
        await search(caller, **ARBEN)
    refused = await caller.post(path, json=body)
    assert (refused.status_code, refused.json()["code"]) == (429, "subject_searched_too_often")
    assert 500 <= int(refused.headers["retry-after"]) <= 600
    assert len(logged(al, EntryKind.CONSULTATION)) == 2
    await search(al.person(Role.DATA_PROTECTION_OFFICER, Role.AUDITOR), **ARBEN)


async def test_an_answer_is_kept_with_the_numbers_of_its_search(world: World) -> None:
    """By who searched, once, for the same file number, within a day; its row goes when the log's contents go."""
    al = world.nodes["AL"]
    await al.load(HEADER + "a-1,Arben,Hoxha,1980-03-04,\n")
    caller = officer(al)
    found = await search(caller, **ARBEN)
    colleague = al.person(Role.DATA_PROTECTION_OFFICER, Role.AUDITOR)
    for who, changed in ((colleague, {}), (caller, {"file_number": "DP 2026/18"}), (caller, {"search_id": "0" * 32})):
        assert (await answer(who, found, **changed)).status_code == 404
    for wrong in ({"received": "2999-01-01"}, {"received": "2026-02-30"}, {"answer": "perhaps"}):
        assert (await answer(caller, found, **wrong)).status_code == 422
    kept, refused = sorted(  # at once: the second is told that there is an answer
        await asyncio.gather(answer(caller, found), answer(caller, found)), key=lambda one: int(one.status_code)
    )
    assert (kept.status_code, refused.status_code) == (201, 404)
    assert refused.json()["code"] == "subject_search_unknown"
    shown = (await caller.get("/v1/subject-requests")).json()
    assert shown == {"requests": [kept.json()], "total": 1}
    assert (kept.json()["due"], kept.json()["is_late"]) == ("2027-01-09", True)
    places = ("records", "queries", "hits", "notes", "letters", "remarks", "log")
    assert kept.json()["counts"] == dict.fromkeys(places, 0) | {"records": 1}
    [look], [entry] = logged(al, EntryKind.CONSULTATION), logged(al, EntryKind.SUBJECT_ANSWERED)
    assert (entry.counts, entry.digests, entry.ids["search"]) == (look.counts, look.digests, look.ids["search"])
    assert (entry.role, entry.ids["value"]) == ("data_protection_officer", "offences")
    again = await search(caller, **ARBEN)
    world.clock.time += DAY + 1
    assert (await answer(officer(al), again)).status_code == 404
    assert not forget_answered(al.node.store, al.node.clock, 3)
    world.clock.time += 3 * DAY
    assert forget_answered(al.node.store, al.node.clock, 3)
    assert (await officer(al).get("/v1/subject-requests")).json()["total"] == 0


@pytest.mark.rounds
async def test_hits_letters_remarks_and_the_log_are_gone_through(world_after: WorldAfter) -> None:
    """What belongs to a hit is named by its number, and a person without a record by a remark."""
    world, round_id = await world_after(closed_round)
    al = world.nodes["AL"]
    hit = await hit_with(al, "RS")
    await does(al, hit, "acknowledge")
    await does(al, hit, "decision", decision="same", remark="Seen with Dragan Petrović")
    await does(al, hit, "follow-up", channel="siena", reference="S-4")
    found = await search(officer(al), **ARBEN)
    places = numbers(found)
    assert (places["records"], places["letters"], len(places["notes"])) == (["al-list-1"], ["S-4"], 1)
    [[own, shown]] = [
        [one["number"], one["path"]] for part in found["places"] if part["place"] == "hits" for one in part["things"]
    ]
    assert (own, shown) == (places["notes"][0], [round_id, hit["hit_id"]])
    assert {"hit_acknowledged", "hit_decided", "follow_up"} <= {
        entry.kind.value for place in places["log"] if (entry := _entry(al, int(place)))
    }
    [look] = [entry for entry in logged(al, EntryKind.CONSULTATION) if entry.ids.get("of") == "person"]
    assert look.counts["hits_found"] == 1
    dragan = await search(officer(al), given_names="Dragan", family_names="Petrović")
    assert numbers(dragan) == {"remarks": [own]}


def _entry(party_node: PartyNode, index: int) -> Entry | None:
    with party_node.node.store.reading("test.entry") as session:
        return next(entry for _, entry in stored_log.entries(session, index, index + 1))
