"""Queries of a few persons: asked in one call, approved by a second person, answered person by party."""

from typing import Any

import pytest
from sqlalchemy import select

from aquila.audit.entries import Entry
from aquila.audit.roles import Role
from services.node.records.queries.answers import templates
from services.node.storage.tables import RecordRow
from tests.support import stored_log
from tests.support.node_steps import kinds_in_log, round_for_queries
from tests.support.node_world import HEADER, JUSTIFICATION, PartyNode
from tests.support.played_worlds import WorldAfter

pytestmark = pytest.mark.more_rounds

MIRA = {"given_names": "Mira", "family_names": "Janković", "date_of_birth": "1988-08-08"}
NOBODY = {"given_names": "Nobody", "family_names": "Unheard", "date_of_birth": "1970-01-01"}


def asking(round_id: str, *persons: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"round_id": round_id, "persons": list(persons), "justification": JUSTIFICATION | more}


async def asked(party_node: PartyNode, round_id: str, *persons: dict[str, str], **more: Any) -> str:
    answer = await party_node.post("/queries", json=asking(round_id, *persons, **more))
    assert answer.status_code == 202, answer.text
    submission_id: str = answer.json()["submission_id"]
    return submission_id


def last_entry(party_node: PartyNode) -> Entry:
    with party_node.node.store.reading("test.log") as session:
        return [entry for _, entry in stored_log.entries(session) if entry][-1]


async def imports_of(party_node: PartyNode) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await party_node.get("/imports"))["imports"]
    return found


async def test_a_query_is_answered_person_by_party(world_after: WorldAfter) -> None:
    world, round_id = await world_after(round_for_queries)
    al = world.nodes["AL"]
    offered = await al.get("/queries")
    assert [one["round_id"] for one in offered["rounds"]] == [round_id]
    assert [one["name"] for one in offered["templates"]] == [one.name for one in templates()]
    query = await asked(al, round_id, MIRA, NOBODY, urgency="urgent")
    before = await al.get(f"/queries/{query}")
    assert before["entry"]["state"] == "wished"
    assert {one["party"]: one["state"] for one in before["parties"]} == {"RS": "awaited", "SI": "awaited"}
    assert [one["hits"] for one in before["persons"]] == [[], []]
    await world.settle()
    after = await al.get(f"/queries/{query}")
    assert {one["state"] for one in after["parties"]} == {"answered"}
    mira, nobody = after["persons"]
    assert [(hit["party"], hit["exchange"]) for hit in mira["hits"]] == [("RS", "confirmed")]
    assert mira["record"]["family_names"] == ["Janković"]
    assert mira["compared"]
    assert nobody["hits"] == []
    (entry,) = (await al.get("/queries"))["queries"]
    assert entry == after["entry"]
    assert entry["answer"] == "answered"
    assert entry["persons"] == 2
    assert entry["reason"]["urgency"] == "urgent"
    assert entry["name"] == JUSTIFICATION["case_reference"]
    assert entry["officer_name"]


async def test_persons_are_read_back_before_anything_is_sent(world_after: WorldAfter) -> None:
    """Typed ones, and those of a stored list, which are seen with an entry in the log."""
    world, _ = await world_after(round_for_queries)
    al, looks = world.nodes["AL"], kinds_in_log(world.nodes["AL"]).count("consultation")
    swapped = {"given_names": "Janković", "family_names": "Mira", "date_of_birth": "2071", "nationality": "Atlantis"}
    alone = {"given_names": "Mira Janković", "date_of_birth": "30.2.1988"}
    found = (await al.post("/queries/check", json={"persons": [swapped, alone, MIRA | {"record_id": "7"}]})).json()
    codes = [[(one["field"], one["reason"]["code"]) for one in person["findings"]] for person in found["persons"]]
    assert codes == [
        [
            ("nationality", "country_unknown"),
            ("date_of_birth", "birth_to_come"),
            ("family_names", "family_name_is_given_name"),
        ],
        [("date_of_birth", "date_day_not_used"), ("family_names", "family_name_missing")],
        [],
    ]
    assert [person["record_id"] for person in found["persons"]] == ["", "", "7"]
    assert [name["words"] for name in found["persons"][2]["names"]] == [["mira"], ["iankovic"]]
    assert kinds_in_log(al).count("consultation") == looks  # nothing that is stored was seen
    refused = await al.post("/queries/check", json={"persons": [MIRA, {"given_names": "Alone"}]})
    assert (refused.json()["code"], refused.json()["fields"]["number"]) == ("query_person_unusable", 2)
    assert (await al.post("/queries/check", json={})).json()["code"] == "query_without_persons"

    rows = "q-1,Mira,Janković,30.2.1988,\n" + "".join(f"q-{n},Ana,Kos,1980-01-01,\n" for n in range(2, 23))
    stored = await al.load(HEADER + rows, "file")
    found = (await al.post("/queries/check", json={"import_id": stored})).json()
    assert (len(found["persons"]), found["left_out"]) == (20, 2)
    assert [one["reason"]["code"] for one in found["persons"][0]["findings"]] == ["date_day_not_used"]
    assert kinds_in_log(al).count("consultation") == looks + 1


async def test_the_second_person_sees_who_is_asked_for(world_after: WorldAfter) -> None:
    """And nobody else; the look is an entry that names the request. Others than those asked for are not shown."""
    world, round_id = await world_after(round_for_queries)
    al = world.nodes["AL"]
    officer, approver = al.person(Role.OFFICER), al.person(Role.APPROVER)
    asked_for = asking(round_id, MIRA | {"date_of_birth": "2071-01-01"}, NOBODY)
    request = (await officer.post("/v1/queries", json=asked_for)).json()
    path = f"/v1/approvals/{request['approval_id']}/persons"
    persons = (await approver.get(path)).json()["persons"]
    assert [person["record"]["family_names"] for person in persons] == [["Janković"], ["Unheard"]]
    assert [[one["reason"]["code"] for one in person["findings"]] for person in persons] == [["birth_to_come"], []]
    seen = last_entry(al)
    assert (seen.kind.value, seen.counts["records"]) == ("consultation", 2)
    assert (seen.ids["approval"], seen.role) == (request["approval_id"], "approver")
    assert "Jankovi" not in str(seen)
    for role in (Role.ANALYST, Role.AUDITOR, Role.ADMINISTRATOR):
        assert (await al.person(role).get(path)).status_code == 403
    other = next(one for one in (await al.get("/approvals"))["approvals"] if one["kind"] == "consent")
    answer = await approver.get(f"/v1/approvals/{other['approval_id']}/persons")
    assert (answer.status_code, answer.json()["code"]) == (404, "request_without_persons")
    with al.node.store.transaction("test.forge") as session:
        row = session.scalars(select(RecordRow).where(RecordRow.record_id.startswith("Q-"))).first()
        assert row is not None
        row.content = row.content.replace(b"Jankovi", b"Petrovi")
    answer = await approver.get(path)
    assert (answer.status_code, answer.json()["code"]) == (409, "list_differs_from_request")


async def test_queries_come_in_parts(world_after: WorldAfter) -> None:
    world, round_id = await world_after(round_for_queries)
    al, made = world.nodes["AL"], list[str]()
    for number in range(3):
        world.clock.time += 60
        made.insert(0, await asked(al, round_id, NOBODY | {"date_of_birth": f"197{number}-01-01"}))
    for offset, shown in ((0, made[:2]), (2, made[2:]), (3, [])):
        part = (await al.operator.get("/v1/queries", params={"offset": offset, "limit": 2})).json()
        assert [one["submission_id"] for one in part["queries"]] == shown
        assert (part["offset"], part["total"]) == (offset, 3)


async def test_progress_is_seen_without_a_look_at_persons(world_after: WorldAfter) -> None:
    world, round_id = await world_after(round_for_queries)
    al = world.nodes["AL"]
    query = await asked(al, round_id, MIRA, NOBODY)
    before = await al.get(f"/queries/{query}/progress")
    assert (before["state"], before["hits"], before["pending"]) == ("wished", 0, True)
    seen = await al.get("/changes")
    assert ("query", query) in [(one["kind"], one["subject"]) for one in seen["changes"]]
    await world.settle()
    since = await al.get(f"/changes?cursor={seen['cursor']}")
    assert [one["subject"] for one in since["changes"] if one["kind"] == "query"] == [query]
    assert {one["subject"] for one in since["changes"] if one["kind"] == "hit"} == {
        hit["hit_id"] for hit in (await al.get(f"/rounds/{round_id}/hits"))["hits"] if hit["submission_id"] == query
    }
    logged = kinds_in_log(al)
    after = await al.get(f"/queries/{query}/progress")
    assert (after["hits"], after["unconfirmed"], after["pending"]) == (1, 0, False)
    assert {one["state"] for one in after["parties"]} == {"answered"}
    assert kinds_in_log(al) == logged
    (own,) = [one["submission_id"] for one in (await al.round(round_id))["submissions"] if one["kind"] == "list"]
    for unknown in ("0" * 32, own):
        assert (await al.operator.get(f"/v1/queries/{unknown}/progress")).status_code == 404


async def test_both_sides_see_that_a_hit_is_of_a_query(world_after: WorldAfter) -> None:
    """With its purpose, case and urgency; hits of queries are filtered apart from those between lists."""
    world, round_id = await world_after(round_for_queries)
    await asked(world.nodes["AL"], round_id, MIRA, urgency="urgent")
    await world.settle()
    for code, own in (("RS", False), ("AL", True)):
        party_node = world.nodes[code]
        (hit,) = (await party_node.get("/hits?kind=query"))["hits"]
        expected = {"asker": "AL", "own": own, "reason": JUSTIFICATION | {"urgency": "urgent"}}
        assert hit["query"] == expected
        shown = await party_node.get(f"/rounds/{round_id}/hits/{hit['hit_id']}")
        # The persons of a query are few: the names are counted in the party's list.
        assert shown["own_records"] == max(one["records"] for one in (await party_node.get("/imports"))["imports"]) > 1
        assert shown["entry"]["query"] == expected
        lists = (await party_node.get("/hits?kind=list"))["hits"]
        assert lists
        assert all(one["query"] is None for one in lists)
        assert len(lists) + 1 == (await party_node.get("/hits"))["total"]
        for role, seen in ((Role.ANALYST, 1), (Role.OFFICER, int(own)), (Role.APPROVER, 0)):
            async with party_node.person(role) as person:
                assert (await person.get("/v1/waiting")).json()["counts"]["urgent_hits"] == seen


@pytest.mark.rounds
async def test_what_was_read_for_queries_goes_with_the_round(world_after: WorldAfter) -> None:
    """Each service reads rows and reports once, for all queries of a round; at its end nothing of them is kept."""
    world, round_id = await world_after(round_for_queries)
    al, found = world.nodes["AL"], []
    for _ in range(2):
        await asked(al, round_id, MIRA)
        await world.settle()
        found.append((dict(al.node.rounds.kept.rows._kept._kept), dict(al.node.rounds.kept.told._kept)))
    for first, second in zip(*found, strict=True):
        assert first
        assert len(second) > len(first)
        assert all(second[subject] is kept for subject, kept in first.items())
    matcher = world.app.state.context.rows._kept._kept
    assert matcher
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle()
    kept = al.node.rounds.kept
    assert not kept.rows._kept._kept
    assert not kept.told._kept
    assert not matcher


async def test_persons_of_a_query_are_no_list(world_after: WorldAfter) -> None:
    world, round_id = await world_after(round_for_queries)
    al = world.nodes["AL"]
    await asked(al, round_id, MIRA)
    later = await al.load(HEADER + "al-list-1,Arben,Hoxha,1980-03-04,\n", "next month")
    by_id = {one["import_id"]: one for one in await imports_of(al)}
    (persons,) = (one for one in by_id.values() if one["for_query"])
    assert (await al.get(f"/imports/{persons['import_id']}/difference"))["previous"] is None
    before = (await al.get(f"/imports/{later}/difference"))["previous"]
    assert not by_id[before]["for_query"]


async def test_what_cannot_be_asked_leaves_nothing_behind(world_after: WorldAfter) -> None:
    world, round_id = await world_after(round_for_queries)
    al, stored = world.nodes["AL"], await imports_of(world.nodes["AL"])
    refused = await al.post("/queries", json=asking(round_id, MIRA, {"given_names": "Alone"}))
    assert refused.json()["code"] == "query_person_unusable"
    assert refused.json()["fields"]["number"] == 2
    assert (await al.post("/queries", json=asking(round_id))).json()["code"] == "query_without_persons"
    both = asking(round_id, MIRA) | {"import_id": stored[0]["import_id"]}
    assert (await al.post("/queries", json=both)).json()["code"] == "query_without_persons"
    assert (await al.post("/queries", json=asking(round_id, *[MIRA] * 21))).status_code == 422
    assert (await al.post("/queries", json=asking("0" * 32, MIRA))).status_code == 404
    assert await imports_of(al) == stored
    many = await al.load(HEADER + "".join(f"m-{n},Ana,Kos{n},1980-01-01,\n" for n in range(21)), "long")
    long = {"round_id": round_id, "import_id": many, "justification": JUSTIFICATION}
    assert (await al.post("/queries", json=long)).json()["code"] == "query_persons_too_many"
    assert (await al.operator.get(f"/v1/queries/{'0' * 32}")).status_code == 404


async def test_a_stored_list_can_be_asked_for(world_after: WorldAfter) -> None:
    """A file that was imported is a query like typed persons; once its list is deleted, its persons are gone."""
    world, round_id = await world_after(round_for_queries)
    al = world.nodes["AL"]
    stored = await al.load(HEADER + "q-1,Mira,Janković,1988-08-08,\n", "file")
    body = {"round_id": round_id, "import_id": stored, "justification": JUSTIFICATION}
    query = (await al.post("/queries", json=body)).json()["submission_id"]
    await world.settle()
    (person,) = (await al.get(f"/queries/{query}"))["persons"]
    assert [hit["party"] for hit in person["hits"]] == ["RS"]
