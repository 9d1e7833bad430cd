"""The list of hits for review: order, names, reasons, decisions on several hits, undoing them, and exports."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aquila.followup.lifecycle import HOUR
from aquila.records.rules import load_rules
from tests.support.node_steps import does, hit_path, hit_with, kinds_in_log, round_with_hits
from tests.support.node_world import PartyNode, World
from tests.support.played_worlds import WorldAfter
from tests.support.stored_hits import StoredHit, store_hits


async def posted(party_node: PartyNode, path: str, **body: Any) -> dict[str, Any]:
    answer = await party_node.post(path, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def key(hit: dict[str, Any]) -> dict[str, str]:
    return {"round_id": hit["round_id"], "hit_id": hit["hit_id"]}


async def stages(party_node: PartyNode) -> list[tuple[str, str | None]]:
    return [(hit["stage"], hit["decision"]) for hit in (await party_node.get("/hits"))["hits"]]


@pytest.fixture
async def al(world: World) -> PartyNode:
    """Albania's node with three hits: one own person is known to both others, another one to Slovenia."""
    party_node, round_id = world.nodes["AL"], await world.propose()
    hits = [StoredHit(0, "RS"), StoredHit(0, "SI", "medium"), StoredHit(1, "SI", "low", ("names",))]
    store_hits(party_node.node.store, round_id, hits, world.clock.time)
    return party_node


async def test_a_list_says_why_and_who_else_knows_the_person(al: PartyNode) -> None:
    page = await posted(al, "/hits/search")
    assert [(hit["record_id"], hit["known_to"]) for hit in page["hits"]] == [
        ("r-0", ["RS", "SI"]),
        ("r-0", ["RS", "SI"]),
        ("r-1", ["SI"]),
    ]
    assert [hit["person"] for hit in page["hits"]] == [0, 0, 1]
    assert (page["persons"], page["total"]) == (2, 3)
    assert page["hits"][0]["reasons"] == ["names", "date of birth"]
    # A page has so many persons, each with all of its hits.
    for sort in ("newest", "certainty", "due", "name", "party"):
        pages = [await posted(al, "/hits/search", sort=sort, offset=n, limit=1) for n in range(3)]
        assert [[hit["record_id"] for hit in page["hits"]] for page in pages] == [["r-0", "r-0"], ["r-1"], []], sort
    # Own names in any script and order, and the record's number.
    for name, found in (("Хоџа Арбен", 2), ("hoxha", 3), ("r-1", 1), ("novak", 0), ("???", 0), ("", 3)):
        assert (await posted(al, "/hits/search", name=name))["total"] == found, name


async def test_persons_are_counted_and_have_neighbours(al: PartyNode) -> None:
    filters = [{}, {"counterpart": "SI"}, {"certainty": "low"}, {"stage": "closed"}]
    assert (await posted(al, "/hits/counts", filters=filters))["persons"] == [2, 2, 1, 0]
    assert (await posted(al, "/hits/counts", filters=[]))["persons"] == []
    page = (await posted(al, "/hits/search"))["hits"]
    first, other = key(page[0]), key(page[2])
    view = await al.get(hit_path(page[0]))
    assert [key(one) for one in view["others"]] == [key(page[1])]
    near = await posted(al, "/hits/neighbours", hit=key(page[1]), within={})
    assert near == {"place": 1, "persons": 2, "previous": None, "next": other, "undecided": other, "undo": None}
    await posted(al, "/hits/decisions", hits=[other], decision="same")
    near = await posted(al, "/hits/neighbours", hit=other, within={})
    assert (near["place"], near["previous"], near["next"], near["undecided"]) == (2, first, None, first)
    assert near["undo"]["hits"] == 1
    near = await posted(al, "/hits/neighbours", hit=other, within={"stage": "new"})
    assert (near["place"], near["persons"], near["previous"], near["undecided"]) == (None, 1, None, first)
    unknown = {"round_id": other["round_id"], "hit_id": "0" * 32}
    assert (await al.post("/hits/neighbours", json={"hit": unknown, "within": {}})).status_code == 404


async def test_hits_by_indicator(world: World) -> None:
    """By its code, which begins no other one, or by the letter of its group."""
    al, codes = world.nodes["AL"], (" T1 F2 ", " T12 ", None)
    hits = [StoredHit(number, "RS", indicators=of) for number, of in enumerate(codes)]
    store_hits(al.node.store, await world.propose(), hits, world.clock.time)
    for indicator, persons in {"T": 2, "T1": 1, "T12": 1, "F": 1, "F3": 0, "M": 0}.items():
        assert (await al.get(f"/hits?indicator={indicator}"))["persons"] == persons, indicator


async def test_a_confirmed_hit_names_the_parts_that_agree(world_after: WorldAfter) -> None:
    world, round_id = await world_after(round_with_hits)
    party_node = world.nodes["AL"]
    named = {part.name for rule in load_rules("default").rules for part in rule.parts}
    hits = (await party_node.get("/hits"))["hits"]
    assert hits
    for hit in hits:
        assert len(hit["parts"]) == len(hit["reasons"])
        assert set(hit["parts"]) <= named
    lists = {one["import_id"]: one["name"] for one in (await party_node.get("/imports"))["imports"]}
    for one in (await party_node.round(round_id))["submissions"]:
        assert one["name"] == lists[one["import_id"]]


async def test_a_new_hit_is_decided_and_undone(al: PartyNode) -> None:
    hit = await hit_with(al, "RS")
    done = await posted(al, "/hits/decisions", hits=[key(hit)], decision="not_the_same")
    assert (done["hits"], done["left_out"]) == (1, 0)
    page = await posted(al, "/hits/search")
    assert page["undo"] == {"number": done["number"], "decision": "not_the_same", "hits": 1}
    assert (await al.get(hit_path(hit)))["entry"]["stage"] == "decided"
    undone = await posted(al, "/hits/undo", number=done["number"])
    assert undone == {"hits": 1, "first": key(hit)}
    view = await al.get(hit_path(hit))
    assert (view["entry"]["stage"], view["entry"]["decision"]) == ("new", None)
    assert [step["kind"] for step in view["history"]] == ["decided", "undone"]
    assert kinds_in_log(al).count("hit_decided") == 2
    assert (await posted(al, "/hits/search"))["undo"] is None
    assert (await al.post("/hits/undo", json={"number": done["number"]})).status_code == 409


async def test_several_are_decided_with_one_reason(al: PartyNode, world: World) -> None:
    """One person's hits are decided without one."""
    found = (await al.get("/hits"))["hits"]
    both = await posted(al, "/hits/decisions", hits=[key(hit) for hit in found[:2]], decision="same")
    assert both["hits"] == 2
    await posted(al, "/hits/undo", number=both["number"])
    hits = [found[0], found[2]]
    keys = [key(hit) for hit in hits]
    answer = await al.post("/hits/decisions", json={"hits": keys, "decision": "same"})
    assert answer.status_code == 422
    assert await stages(al) == [("new", None)] * 3
    done = await posted(al, "/hits/decisions", hits=keys, decision="same", remark="the same photograph")
    assert done["hits"] == 2
    assert [step["remark"] for step in (await al.get(hit_path(hits[1])))["history"]] == ["the same photograph"]
    await does(al, hits[0], "follow-up", channel="siena")
    assert (await posted(al, "/hits/search"))["undo"]["hits"] == 1
    assert (await posted(al, "/hits/undo", number=done["number"]))["first"] == keys[1]
    assert {(await al.get(hit_path(hit)))["entry"]["stage"] for hit in hits} == {"follow_up", "new"}
    # A decision of yesterday is not offered to be undone.
    await posted(al, "/hits/decisions", hits=keys[1:], decision="same")
    world.clock.time += 9 * HOUR
    assert (await posted(al, "/hits/search"))["undo"] is None


async def test_all_of_a_filter_are_decided(al: PartyNode) -> None:
    """Those that the person saw and that have no decision; another number of hits by now is refused."""
    await posted(al, "/hits/decisions", hits=[key(await hit_with(al, "RS"))], decision="same")
    every = {"every": {}, "decision": "not_the_same", "remark": "known to us"}
    refused = await al.post("/hits/decisions", json=every | {"total": 2})
    assert refused.status_code == 409
    assert "3 hits by now" in refused.json()["detail"]
    done = await posted(al, "/hits/decisions", total=3, **every)
    assert (done["hits"], done["left_out"]) == (2, 1)
    assert sorted(await stages(al)) == [("decided", "not_the_same")] * 2 + [("decided", "same")]
    both = every | {"hits": [key(await hit_with(al, "RS"))]}
    assert (await al.post("/hits/decisions", json=both)).status_code == 422
    assert (await al.post("/hits/decisions", json={"decision": "same"})).status_code == 422


async def test_an_export_has_what_was_decided_and_is_logged(al: PartyNode) -> None:
    hit = await hit_with(al, "RS")
    await does(al, hit, "decision", decision="same", remark="the same photograph")
    await does(al, hit, "follow-up", channel="siena", reference="S-1")
    before = kinds_in_log(al)
    found = (await posted(al, "/hits/export"))["hits"]
    assert [one["entry"]["record"]["family_names"] for one in found] == [["Hoxha"], ["Hoxha"], ["Hoxha"]]
    [one] = [one for one in found if one["entry"]["counterpart"] == "RS"]
    assert (one["channel"], one["reference"], one["remark"]) == ("siena", "S-1", "the same photograph")
    assert one["decided_by"] == "ana"
    assert kinds_in_log(al)[len(before) :] == ["consultation", "export"]


async def test_several_are_closed_with_one_outcome(al: PartyNode) -> None:
    found = (await al.get("/hits"))["hits"]
    hits = [found[0], found[2]]
    await posted(al, "/hits/decisions", hits=[key(hits[0])], decision="not_the_same")
    wanted = {"hits": [key(hit) for hit in hits], "outcome": "refuted"}
    assert (await al.post("/hits/closings", json=wanted)).status_code == 422  # without a reason
    assert await posted(al, "/hits/closings", **wanted, remark="another man") == {"hits": 1, "left_out": 1}
    view = await al.get(hit_path(hits[0]))
    assert (view["entry"]["stage"], view["entry"]["outcome"]) == ("closed", "refuted")
    assert view["history"][-1]["remark"] == "another man"
    assert kinds_in_log(al).count("follow_up_closed") == 1
    # All of a filter, as many as were seen.
    await posted(al, "/hits/decisions", every={"stage": "new"}, total=2, decision="not_the_same", remark="no")
    filtered = {"every": {"stage": "decided"}, "outcome": "unresolved", "remark": "no"}
    assert (await al.post("/hits/closings", json=filtered | {"total": 3})).status_code == 409
    assert await posted(al, "/hits/closings", **filtered, total=2) == {"hits": 2, "left_out": 0}
    assert {hit["stage"] for hit in (await al.get("/hits"))["hits"]} == {"closed"}


async def test_a_reply_is_recorded_with_its_date_and_number(al: PartyNode, world: World) -> None:
    hit = await hit_with(al, "RS")
    today = datetime.fromtimestamp(world.clock.time, UTC).date()
    reply = {"date": today.isoformat(), "number": "SIENA 2026/18"}
    assert (await al.post(hit_path(hit, "/reply"), json=reply)).status_code == 409
    await does(al, hit, "decision", decision="same")
    await does(al, hit, "follow-up", channel="siena", urgency="urgent")
    before = kinds_in_log(al).count("follow_up")
    tomorrow = {"date": (today + timedelta(days=2)).isoformat()}
    assert (await al.post(hit_path(hit, "/reply"), json=tomorrow)).status_code == 422
    await does(al, hit, "reply", **reply)
    view = await al.get(hit_path(hit))
    assert (view["replied_on"], view["reply"]) == (reply["date"], reply["number"])
    assert view["entry"]["due_at"] == world.clock.time + 48 * HOUR
    step = view["history"][-1]
    assert (step["kind"], step["value"], step["reference"]) == ("replied", reply["date"], reply["number"])
    assert kinds_in_log(al).count("follow_up") == before + 1


async def test_several_are_followed_up_and_asked_about_at_once(al: PartyNode) -> None:
    """Hits that are decided are opened, one letter goes to each party, and each export is noted at its hit."""
    found = (await al.get("/hits"))["hits"]
    keys = [key(hit) for hit in found]
    by_party = {hit["counterpart"]: [] for hit in found}  # type: ignore[var-annotated] # of keys
    for hit in found:
        by_party[hit["counterpart"]].append(key(hit))
    nothing = await posted(al, "/hits/follow-ups", hits=keys, channel="siena")
    assert nothing == {"hits": [], "opened": 0, "left_out": 3}
    assert await posted(al, "/hits/letters", hits=keys) == {"letters": [], "left_out": 3}
    await posted(al, "/hits/decisions", every={}, total=3, decision="same", remark="the same photograph")
    opened = await posted(
        al, "/hits/follow-ups", every={"stage": "decided"}, total=3, channel="siena", urgency="urgent"
    )
    assert (opened["opened"], opened["left_out"]) == (3, 0)
    # Once more finds them in follow-up, and opens none.
    again = await posted(al, "/hits/follow-ups", hits=keys, channel="interpol")
    assert (again["opened"], len(again["hits"])) == (0, 3)
    drafts = await posted(al, "/hits/letters", hits=keys)
    assert drafts["left_out"] == 0
    assert [(one["letter"]["message"]["receiver"], len(one["hits"])) for one in drafts["letters"]] == [
        ("RS", 1),
        ("SI", 2),
    ]
    assert {one["letter"]["message"]["channel"] for one in drafts["letters"]} == {"siena"}
    before = kinds_in_log(al)
    assert await posted(al, "/hits/letters", hits=keys, export=True) == drafts
    assert kinds_in_log(al)[len(before) :] == ["export"] * 3
    for hit in found:
        assert [step["kind"] for step in (await al.get(hit_path(hit)))["history"]] == ["decided", "opened", "exported"]
    # What differs in more than its hits is another letter; what is closed is in none.
    await does(al, by_party["SI"][0], "reference", reference="S-1")
    await does(al, by_party["RS"][0], "outcome", outcome="confirmed")
    made = await posted(al, "/hits/letters", hits=keys)
    assert [one["letter"]["message"]["receiver"] for one in made["letters"]] == ["SI", "SI"]
    assert made["left_out"] == 1
