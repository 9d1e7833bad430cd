"""The walks of docs/WALKTHROUGHS.md, played step by step as they stand there: terms, lists, hits, answers, report."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from services.node.records.queries import standing_queries
from tests.support.ceremony import REGISTRY, accept
from tests.support.node_steps import does, hit_path, hit_with
from tests.support.node_world import JUSTIFICATION, PartyNode, World
from tests.support.sample_templates import TEMPLATES_FILE
from tests.support.sentence_texts import without_random

pytestmark = pytest.mark.rounds

HEADER = "record_id,given_names,family_names,date_of_birth,document_numbers,category,indicators\n"
ARBEN = "Arben,Hoxha,1980-03-04,AB123456"
MIRA = "Mira,Janković,1988-08-08,RS777777"
OTHERS = {
    "AL": "al-9,Besa,Dervishi,1990-09-09,,,\n",
    "RS": "rs-9,Dragan,Petrović,1971-05-06,,,\n",
    "SI": "si-9,Ana,Novak,1985-07-07,,,\n",
}
WATCHED = {
    "given_names": "Mira",
    "family_names": "Janković",
    "date_of_birth": "1988-08-08",
    "document_numbers": "RS777777",
}
SMALL = {"padding": {"inputs_per_record": [], "records_multiple": 1}}
DAY = 86_400


@pytest.fixture
async def agreed(world: World) -> World:
    """The matcher states the templates that come with Aquila, and every party accepts them by their words."""
    answer = await world.operator.post(f"{REGISTRY}/templates", json={"content": TEMPLATES_FILE.decode()})
    assert answer.status_code == 202, answer.text
    for party_node in world.nodes.values():
        await accept(party_node)
    return world


async def proposed(world: World, template: str, **changes: Any) -> str:
    defaults = await world.operator.get("/v1/operator/proposal-defaults", params={"template": template})
    return await world.propose(**defaults.json()["draft"] | SMALL | changes)


async def played(world: World, round_id: str, lists: dict[str, str]) -> None:
    """Let each party consent and submit its list, until everybody has its hits and notes."""
    for code, party_node in world.nodes.items():
        assert (await party_node.post(f"/rounds/{round_id}/consent")).status_code == 202
        answer = await party_node.submit(round_id, await party_node.load(HEADER + lists.get(code, "") + OTHERS[code]))
        assert answer.status_code == 202, answer.text
    await world.settle()


async def hits(party_node: PartyNode, **restricting: str) -> list[tuple[str, str]]:
    page = (await party_node.operator.get("/v1/hits", params=restricting)).json()
    return [(one["record_id"], one["counterpart"]) for one in page["hits"]]


async def reported(world: World, round_id: str) -> dict[str, Any]:
    """Close a round, and return its numbers in the annual report."""
    assert (await world.operator.post(f"/v1/operator/rounds/{round_id}/close")).status_code == 202
    await world.settle()
    assert await world.phase(round_id) == "closed"
    report = (await world.operator.get("/v1/operator/report?since=2000-01-01&until=2100-01-01")).json()
    assert round_id in [one["round_id"] for one in report["rounds"]]
    found: dict[str, Any] = next(one for one in report["pictures"] if one["round"]["round_id"] == round_id)
    return found


async def test_the_shared_list_of_foreign_fighters(agreed: World) -> None:
    al, rs, si = (agreed.nodes[code] for code in ("AL", "RS", "SI"))
    # 1. AL cleans its list: two rows tell of one person, and one of them is taken out.
    rows = f"al-1,{ARBEN},foreign-fighters,T1;F2\nal-2,Arben,Hoxha,1980-03-04,,foreign-fighters,T2\n"
    list_id = await al.load(HEADER + rows + OTHERS["AL"])
    (pair,) = (await al.get(f"/imports/{list_id}/duplicates"))["pairs"]
    assert (pair["record_id_a"], pair["record_id_b"]) == ("al-1", "al-2")
    assert (await al.operator.delete(f"/v1/imports/{list_id}/records/{pair['position_b']}")).status_code == 204
    # 2. RS and SI are not compared: each pair is agreed on by itself.
    round_id = await proposed(agreed, "foreign-fighters", pairs=[["AL", "RS"], ["AL", "SI"]])
    for party_node in (al, rs, si):
        assert (await party_node.post(f"/rounds/{round_id}/consent")).status_code == 202
    assert (await al.submit(round_id, list_id)).status_code == 202
    assert (await rs.submit(round_id, await rs.load(f"{HEADER}rs-1,{ARBEN},foreign-fighters,T4\n"))).status_code == 202
    assert (await si.submit(round_id, await si.load(f"{HEADER}si-1,{ARBEN},,\n"))).status_code == 202
    await agreed.settle()
    # 3. Both owners of each hit are told, once for the person, and nobody else.
    assert sorted(await hits(al)) == [("al-1", "RS"), ("al-1", "SI")]
    assert await hits(rs) == [("rs-1", "AL")]
    assert await hits(si) == [("si-1", "AL")]
    assert await hits(al, indicator="F") == await hits(al)
    # 4. Notes tell category and indicators; who has no codes is told the other's.
    notes = {}
    for party_node, other in ((al, "RS"), (al, "SI"), (rs, "AL"), (si, "AL")):
        seen = await party_node.get(hit_path(await hit_with(party_node, other)))
        notes[party_node.node.code, other] = (
            seen["exchange"]["note"]["category"],
            seen["exchange"]["note"]["indicators"],
        )
        assert seen["knows_indicators"]
    told = ("foreign-fighters", ["T1", "F2"])
    assert notes == {
        ("AL", "RS"): ("foreign-fighters", ["T4"]),
        ("AL", "SI"): (None, []),
        ("RS", "AL"): told,
        ("SI", "AL"): told,
    }
    al.node.indicators, known = replace(al.node.indicators, digest="0" * 64), al.node.indicators
    assert not (await al.get(hit_path(await hit_with(al, "RS"))))["knows_indicators"]
    al.node.indicators = known
    # 5. AL decides, asks and closes; RS reads what came of it.
    hit = await hit_with(al, "RS")
    await does(al, hit, "decision", decision="same")
    await does(al, hit, "follow-up", channel="siena", urgency="normal")
    await does(al, hit, "outcome", outcome="confirmed")
    agreed.clock.time += 301
    await agreed.settle()
    (line,) = (await rs.get(hit_path(await hit_with(rs, "AL"))))["case"]
    assert (line["counterpart"], line["state"]) == ("AL", "confirmed")
    # 6. The annual report has the round under its category, and no small number.
    picture = await reported(agreed, round_id)
    assert picture["round"]["category"] == "foreign terrorist fighters"
    (table,) = picture["round"]["hits"]
    assert {(one["left"], one["right"]): one["hits"]["high"] for one in table["pairs"]} == {
        ("AL", "RS"): "1-4",
        ("AL", "SI"): "1-4",
    }
    assert (await al.get("/picture?days=30"))["indicators"][0]["category"] == picture["round"]["category"]


@pytest.mark.more_rounds
async def test_organised_crime(agreed: World) -> None:
    al, rs = agreed.nodes["AL"], agreed.nodes["RS"]
    # 1. Lists are compared, of all pairs.
    round_id = await proposed(agreed, "organised-crime")
    await played(agreed, round_id, {"AL": f"al-1,{ARBEN},,F1\n", "RS": f"rs-1,{ARBEN},,\n", "SI": f"si-1,{MIRA},,\n"})
    assert (await hits(al), await hits(rs)) == ([("al-1", "RS")], [("rs-1", "AL")])
    # 2. Later RS asks for one person more; the owner's analyst reads why, and both have the hit.
    question = {"round_id": round_id, "persons": [WATCHED], "justification": JUSTIFICATION}
    asked = await rs.post("/queries", json=question)
    assert asked.status_code == 202, asked.text
    await agreed.settle()
    answer = await rs.get(f"/queries/{asked.json()['submission_id']}")
    assert [one["party"] for one in answer["persons"][0]["hits"]] == ["SI"]
    si = agreed.nodes["SI"]
    seen = await si.get(hit_path(await hit_with(si, "RS")))
    assert seen["entry"]["query"]["reason"]["purpose"] == JUSTIFICATION["purpose"]
    # 3. AL asks by the usual channel: the letter has references of both notes, and nobody's name.
    hit = await hit_with(al, "RS")
    await does(al, hit, "decision", decision="same")
    await does(al, hit, "follow-up", channel="siena", urgency="normal")
    key = {"round_id": round_id, "hit_id": hit["hit_id"]}
    (bundle,) = (await al.post("/hits/letters", json={"hits": [key], "export": True})).json()["letters"]
    text, numbers = bundle["letter"]["text"], (await al.get(hit_path(hit)))["exchange"]
    assert all(number in text for number in (numbers["reference"], numbers["note"]["reference"]))
    assert not any(word in without_random(text) for word in ("Arben", "Hoxha", "1980", "AB123456", "F1"))
    today = dt.datetime.fromtimestamp(agreed.clock.time, dt.UTC).date().isoformat()
    await does(al, hit, "reply", date=today)
    await does(al, hit, "outcome", outcome="refuted")
    # 4. RS finds that its record was wrong, and withdraws the hit; AL marks it.
    await does(rs, await hit_with(rs, "AL"), "withdrawal", ground="incorrect")
    await agreed.settle()
    assert (await al.get(hit_path(hit)))["entry"]["stage"] == "withdrawn"
    # 5. The report has lists and queries apart.
    picture = await reported(agreed, round_id)
    assert {one["kind"] for one in picture["round"]["hits"]} == {"list", "query"}
    assert sum(one["queries"] for one in picture["queries"]) == 1


@pytest.mark.more_rounds
async def test_queries_of_a_border_post(agreed: World) -> None:
    al, si = agreed.nodes["AL"], agreed.nodes["SI"]
    first = await proposed(agreed, "border-queries")
    await played(agreed, first, {})
    # 1. Two persons approve a standing query once; it is asked now, and finds nobody.
    wanted = {"round_id": first, "persons": [WATCHED], "justification": JUSTIFICATION}
    asked = await al.post("/standing-queries", json=wanted | {"until": agreed.clock.time + 90 * DAY})
    assert asked.status_code == 202, asked.text
    assert standing_queries.advance(al.node)
    await agreed.settle()
    assert await hits(al) == []
    # 2. In the next round of the template it is asked by itself; the person is known to SI by now.
    agreed.clock.time += DAY
    second = await proposed(agreed, "border-queries")
    await played(agreed, second, {"SI": f"si-1,{MIRA},,\nsi-2,{ARBEN},,\n"})
    assert standing_queries.advance(al.node)
    await agreed.settle()
    (query,) = (await al.get("/standing-queries"))["queries"]
    assert {one["round_id"]: one["new_hits"] for one in query["rounds"]} == {first: 0, second: 1}
    # 3. Another person stands at the border: the query is urgent, as its owner reads, and so is the request after it.
    agreed.clock.time += 1
    person = {"given_names": "Arben", "family_names": "Hoxha", "date_of_birth": "1980-03-04"}
    urgent = {"round_id": second, "persons": [person], "justification": JUSTIFICATION | {"urgency": "urgent"}}
    asked = await al.post("/queries", json=urgent)
    assert asked.status_code == 202, asked.text
    await agreed.settle()
    answer = await al.get(f"/queries/{asked.json()['submission_id']}")
    assert [one["party"] for one in answer["persons"][0]["hits"]] == ["SI"]
    entries = (await si.get("/hits?kind=query"))["hits"]
    (hit,) = [one for one in entries if one["query"]["reason"]["urgency"] == "urgent"]
    own = {"round_id": second, "hit_id": hit["hit_id"]}
    await does(al, own, "decision", decision="same")
    await does(al, own, "follow-up", channel="interpol", urgency="urgent")
    assert (await al.get(hit_path(own)))["entry"]["due_at"] == agreed.clock.time + 8 * 3_600
    # 4. The report counts the queries of each party.
    picture = await reported(agreed, second)
    assert [(one["party"], one["queries"]) for one in picture["queries"]] == [("AL", 2)]
