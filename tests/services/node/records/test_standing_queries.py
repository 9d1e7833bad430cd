"""Standing queries: approved once, asked in each coming round of the same terms, until they end."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from aquila.audit.roles import Role
from aquila.interface.queries import MOST_DAYS, REMINDED_DAYS
from aquila.protocol.rounds.verified_round import JUSTIFICATION_DAYS
from services.node.records.queries import standing_queries
from services.node.rounds import requests
from services.node.steps.close import erase_justifications
from services.node.storage.tables import StandingQueryRow
from tests.support import stored_log
from tests.support.node_steps import does, round_for_queries
from tests.support.node_world import HEADER, JUSTIFICATION, LISTS, PartyNode, World
from tests.support.played_worlds import WorldAfter

pytestmark = pytest.mark.more_rounds

MIRA = {"given_names": "Mira", "family_names": "Janković", "date_of_birth": "1988-08-08"}
NOBODY = {"given_names": "Nobody", "family_names": "Unheard", "date_of_birth": "1970-01-01"}
FOUND = "rs-9,Nobody,Unheard,1970-01-01,\n"
DAY = 86_400
TERMS = {"mode": "lists_and_queries"}


async def asks(world: World, round_id: str, *persons: dict[str, str], days: int = 90, **more: Any) -> httpx.Response:
    body = {
        "round_id": round_id,
        "persons": list(persons),
        "justification": JUSTIFICATION,
        "until": world.clock.time + days * DAY,
        **more,
    }
    return await world.nodes["AL"].post("/standing-queries", json=body)


async def watch(world: World, round_id: str, *persons: dict[str, str], days: int = 90, **more: Any) -> dict[str, Any]:
    """Set up a standing query at AL, later than those before, and return it."""
    world.clock.time += 1
    answer = await asks(world, round_id, *persons, days=days, **more)
    assert answer.status_code == 202, answer.text
    return await listed(world)


async def listed(world: World) -> dict[str, Any]:
    found: dict[str, Any] = (await world.nodes["AL"].get("/standing-queries"))["queries"][0]
    return found


async def asked(world: World) -> bool:
    found = standing_queries.advance(world.nodes["AL"].node)
    await world.settle()
    return found


async def later_round(world: World, more: str = "", **terms: Any) -> str:
    world.clock.time += DAY
    round_id = await world.propose(**TERMS | terms)
    for code, party_node in world.nodes.items():
        if code in terms.get("participants", world.nodes):
            assert (await party_node.post(f"/rounds/{round_id}/consent")).status_code == 202
            content = HEADER + LISTS[code] + (more if code == "RS" else "")
            assert (await party_node.submit(round_id, await party_node.load(content))).status_code == 202
    await world.settle()
    return round_id


def log_of(party_node: PartyNode, kind: str) -> list[Any]:
    with party_node.node.store.reading("test.log") as session:
        return [entry for _, entry in stored_log.entries(session) if entry is not None and entry.kind.value == kind]


async def waiting(party_node: PartyNode, role: Role) -> dict[str, Any]:
    async with party_node.person(role) as person:
        found: dict[str, Any] = (await person.get("/v1/waiting")).json()["counts"]
        return found


async def test_only_what_is_new_in_a_later_round_is_told(world_after: WorldAfter) -> None:
    world, first = await world_after(round_for_queries)
    al = world.nodes["AL"]
    made = await watch(world, first, MIRA, NOBODY)
    assert (made["state"], made["persons"], made["rounds"], made["unasked"]) == ("active", 2, [], [])
    assert made["terms"]["parties"] == ["RS", "SI"]
    assert made["officer_name"]
    assert await asked(world)
    assert not await asked(world)  # once in a round
    (round_one,) = (await listed(world))["rounds"]
    assert [round_one[name] for name in ("round_id", "answer", "hits", "first_hits", "new_hits")] == [
        first,
        "answered",
        1,
        1,
        1,
    ]
    for role, seen in ((Role.OFFICER, 1), (Role.ANALYST, 1), (Role.APPROVER, 0)):
        assert (await waiting(al, role))["standing_hits"] == seen
    # An analyst decides; in the next round the pair is known, and the other person is new.
    (hit,) = (await al.get("/hits?kind=query"))["hits"]
    await does(al, hit, "decision", decision="same")
    assert (await waiting(al, Role.OFFICER))["standing_hits"] == 0
    second = await later_round(world, FOUND)
    assert await asked(world)
    round_two, _ = (await listed(world))["rounds"]
    assert [round_two[name] for name in ("round_id", "answer", "hits", "first_hits", "new_hits")] == [
        second,
        "answered",
        2,
        1,
        1,
    ]
    answer = await al.get(f"/queries/{round_two['submission_id']}")
    stages = {person["record"]["family_names"][0]: person["hits"][0]["stage"] for person in answer["persons"]}
    assert stages == {"Janković": "known", "Unheard": "new"}
    assert (await waiting(al, Role.OFFICER))["standing_hits"] == 1
    # A pair that nobody decided on returns in place of its earlier hit, and waits as that did.
    await later_round(world, FOUND)
    assert await asked(world)
    newest = (await listed(world))["rounds"][0]
    assert (newest["hits"], newest["first_hits"]) == (2, 1)
    assert (await waiting(al, Role.OFFICER))["standing_hits"] == 1
    # The log says under which approval each was asked.
    told = log_of(al, "standing_query")
    assert [entry.ids["how"] for entry in told] == ["created", "asked", "asked", "asked"]
    assert {entry.ids["standing"] for entry in told} == {made["standing_id"]}
    assert {entry.ids["author"] for entry in told} == {made["officer"]}
    assert [entry.round for entry in told[1:3]] == [first, second]
    assert told[1].ids["submission"] == round_one["submission_id"]
    requests = [entry for entry in log_of(al, "approved") if entry.ids["what"] == "standing_query"]
    assert len(requests) == 1


async def test_a_round_of_other_terms_needs_its_own_approval(world_after: WorldAfter) -> None:
    """It is shown and counted, and nothing is sent; an officer can ask in it as ever, with a second person."""
    world, first = await world_after(round_for_queries)
    al = world.nodes["AL"]
    made = await watch(world, first, MIRA)
    await asked(world)
    names = ("area", "legal_basis", "purpose", "category")
    rounds = [await world.propose(**TERMS | {name: "another one"}) for name in names]
    await world.settle()
    for one in rounds:
        assert (await al.post(f"/rounds/{one}/consent")).status_code == 202
    assert not standing_queries.advance(al.node)
    found = (await listed(world))["unasked"]
    assert {one["round_id"]: one["reason"] for one in found} == dict.fromkeys(rounds, "terms")
    assert (await waiting(al, Role.OFFICER))["standing_queries"] == 1
    assert (await waiting(al, Role.ANALYST))["standing_queries"] == 0
    for one in rounds:
        body = {"round_id": one, "import_id": made["import_id"], "justification": JUSTIFICATION}
        assert (await al.post("/queries", json=body)).status_code == 202
    after = await listed(world)
    assert (after["unasked"], {one["round_id"] for one in after["rounds"]}) == ([], {first, *rounds})
    assert (await waiting(al, Role.OFFICER))["standing_queries"] == 0


async def test_a_round_takes_so_many_queries(world_after: WorldAfter, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is refused before anybody approves it; a standing query says why it is not asked, and needs nobody."""
    world, round_id = await world_after(round_for_queries)
    monkeypatch.setattr(requests, "PLANNED_QUERIES", 1)
    al, body = world.nodes["AL"], {"round_id": round_id, "persons": [MIRA], "justification": JUSTIFICATION}
    assert (await al.post("/queries", json=body)).status_code == 202
    answer = await al.post("/queries", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "node_queries_used_up")
    await watch(world, round_id, NOBODY)
    assert not await asked(world)
    assert [one["reason"] for one in (await listed(world))["unasked"]] == ["used_up"]
    assert (await waiting(al, Role.OFFICER))["standing_queries"] == 0


async def test_a_party_that_was_not_approved_is_not_told(world_after: WorldAfter) -> None:
    world, _ = await world_after(round_for_queries)
    small = await later_round(world, participants=["AL", "RS"])
    await watch(world, small, MIRA)
    assert await asked(world)
    seen = await listed(world)
    assert [one["round_id"] for one in seen["rounds"]] == [small]
    assert [one["reason"] for one in seen["unasked"]] == ["parties"]
    # Approved for both, it goes to fewer as well.
    await watch(world, seen["unasked"][0]["round_id"], NOBODY)
    assert await asked(world)
    assert len((await listed(world))["rounds"]) == 2


async def test_it_ends_at_its_time_by_a_word_or_by_another(world_after: WorldAfter) -> None:
    """A reminder comes before its end; continued under another approval, the one before is replaced."""
    world, first = await world_after(round_for_queries)
    al = world.nodes["AL"]
    made = await watch(world, first, MIRA, days=REMINDED_DAYS + 1)
    assert not made["reminds"]
    await asked(world)
    world.clock.time += DAY
    made = await listed(world)
    assert made["reminds"]
    assert (await waiting(al, Role.OFFICER))["standing_queries"] == 1
    # The same persons, for longer: the history stays with them.
    again = await watch(world, first, import_id=made["import_id"], days=MOST_DAYS)
    before = (await al.get("/standing-queries"))["queries"][1]
    assert (before["state"], before["standing_id"]) == ("replaced", made["standing_id"])
    assert [one["round_id"] for one in again["rounds"]] == [first]
    # While it is asked, its list cannot go; a withdrawal is final, and what was asked stays.
    refused = await al.operator.delete(f"/v1/imports/{made['import_id']}")
    assert refused.json()["code"] in {"list_of_standing_query", "list_in_unfinished_round"}
    path = f"/standing-queries/{again['standing_id']}/withdraw"
    assert (await al.post(path, json={"reason": "the case is closed"})).status_code == 204
    assert (await al.post(path, json={"reason": "again"})).json()["code"] == "standing_query_has_ended"
    ended = await listed(world)
    assert (ended["state"], ended["ended_because"]) == ("withdrawn", "the case is closed")
    assert ended["ended_by_name"]
    await later_round(world)
    assert not await asked(world)
    # One that nobody withdraws ends by itself, and is asked no more.
    await watch(world, first, NOBODY, days=1)
    world.clock.time += DAY
    assert not await asked(world)
    assert (await listed(world))["state"] == "expired"
    how = [entry.ids["how"] for entry in log_of(al, "standing_query")]
    assert how == ["created", "asked", "replaced", "created", "withdrawn", "created", "expired"]
    withdrawn = log_of(al, "standing_query")[4]
    assert (withdrawn.person, withdrawn.role) == (ended["ended_by"], "officer")
    # Three years after its end nothing of it is left.
    world.clock.time += (JUSTIFICATION_DAYS + 1) * DAY
    assert erase_justifications(al.node)
    assert (await al.get("/standing-queries"))["queries"] == []


async def test_persons_may_become_fewer_and_no_others(world_after: WorldAfter) -> None:
    world, first = await world_after(round_for_queries)
    al = world.nodes["AL"]
    made = await watch(world, first, MIRA, NOBODY)
    await asked(world)
    persons = (await al.get(f"/standing-queries/{made['standing_id']}"))["persons"]
    assert [one["record"]["family_names"] for one in persons] == [["Janković"], ["Unheard"]]
    erased = await al.post("/erasures", json={"record_id": persons[1]["record_id"]})
    assert erased.status_code == 200, erased.text
    # The open round goes by the places of the records: the next one waits until it is over.
    second = await later_round(world, FOUND)
    assert not await asked(world)
    assert [one["reason"] for one in (await listed(world))["unasked"]] == ["later"]
    assert (await waiting(al, Role.OFFICER))["standing_queries"] == 0
    await world.operator.post(f"/v1/operator/rounds/{first}/close")
    await world.settle()
    # A change that no erasure explains is not asked for.
    approved = change_approved_persons(al, "0" * 64)
    assert not await asked(world)
    assert [one["reason"] for one in (await listed(world))["unasked"]] == ["persons"]
    change_approved_persons(al, approved)
    assert await asked(world)
    newest = (await listed(world))["rounds"][0]
    assert (newest["round_id"], newest["answer"], newest["hits"]) == (second, "answered", 1)
    assert len((await al.get(f"/queries/{newest['submission_id']}"))["persons"]) == 1


def change_approved_persons(party_node: PartyNode, digest: str) -> str:
    with party_node.node.store.transaction("test.changed") as session:
        row = session.scalars(select(StandingQueryRow)).one()
        approved, row.records_digest = row.records_digest, digest
        return approved


async def test_one_without_persons_ends(world_after: WorldAfter) -> None:
    world, first = await world_after(round_for_queries)
    al = world.nodes["AL"]
    made = await watch(world, first, NOBODY)
    (person,) = (await al.get(f"/standing-queries/{made['standing_id']}"))["persons"]
    assert (await al.post("/erasures", json={"record_id": person["record_id"]})).status_code == 200
    assert not await asked(world)
    ended = await listed(world)
    assert (ended["state"], ended["persons"]) == ("emptied", 0)


async def test_its_list_stays_while_it_is_asked(world_after: WorldAfter) -> None:
    world, first = await world_after(round_for_queries)
    al = world.nodes["AL"]
    made = await watch(world, first, MIRA, NOBODY)
    refused = await al.operator.delete(f"/v1/imports/{made['import_id']}")
    assert refused.json()["code"] == "list_of_standing_query"
    taken = await al.operator.delete(f"/v1/imports/{made['import_id']}/records/1")
    assert taken.status_code == 204, taken.text
    assert await asked(world)
    assert (await listed(world))["persons"] == 1


async def test_what_cannot_be_approved_leaves_nothing_behind(world_after: WorldAfter) -> None:
    """An end too far away or past, an urgency, a round of lists alone, and one without consent."""
    world, first = await world_after(round_for_queries)
    al = world.nodes["AL"]
    stored = (await al.get("/imports"))["imports"]
    assert (await asks(world, first, MIRA, days=MOST_DAYS + 1)).json()["code"] == "standing_query_too_long"
    assert (await asks(world, first, MIRA, days=0)).json()["code"] == "standing_query_over"
    urgent = {"justification": JUSTIFICATION | {"urgency": "urgent"}}
    assert (await asks(world, first, MIRA, **urgent)).json()["code"] == "standing_query_urgent"
    assert (await asks(world, "0" * 32, MIRA)).status_code == 404
    proposed = await world.propose(**TERMS)
    await world.settle()
    assert (await asks(world, proposed, MIRA)).json()["code"] == "node_not_consented"
    lists = await world.propose()
    await world.settle()
    assert (await asks(world, lists, MIRA)).json()["code"] == "round_takes_no_queries"
    many = await al.load(HEADER + "".join(f"m-{n},Ana,Kos{n},1980-01-01,\n" for n in range(21)), "long")
    assert (await asks(world, first, import_id=many)).json()["code"] == "query_persons_too_many"
    assert (await al.operator.get(f"/v1/standing-queries/{'0' * 32}")).status_code == 404
    assert len((await al.get("/imports"))["imports"]) == len(stored) + 1
    assert (await al.get("/standing-queries"))["queries"] == []
    offered = await al.get("/queries")
    assert [one["round_id"] for one in offered["rounds"]] == [first]
    assert offered["earlier"] == []


async def test_earlier_rounds_lend_their_terms(world_after: WorldAfter) -> None:
    world, first = await world_after(round_for_queries)
    al = world.nodes["AL"]
    await world.operator.post(f"/v1/operator/rounds/{first}/close")
    await world.settle()
    offered = await al.get("/queries")
    assert (offered["rounds"], [one["round_id"] for one in offered["earlier"]]) == ([], [first])
    await watch(world, first, MIRA)
    assert not await asked(world)
    second = await later_round(world)
    assert await asked(world)
    assert [one["round_id"] for one in (await listed(world))["rounds"]] == [second]
