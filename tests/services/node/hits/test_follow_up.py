"""What analysts do with hits at a node: steps, clocks, history, letters and lists, each with its entry in the log."""

import json

import pytest
from sqlalchemy import delete, update

from aquila.followup.lifecycle import HOUR
from aquila.interface.hits import LetterView
from aquila.matching.certainty import Level
from services.node.storage.tables import ExchangeRow, RecordRow, StatementRow
from tests.support.letter_example import head_of
from tests.support.node_steps import does, hit_path, hit_with, kinds_in_log, round_with_hits
from tests.support.node_world import World
from tests.support.played_worlds import WorldAfter
from tests.support.sentence_texts import without_random

pytestmark = [pytest.mark.rounds, pytest.mark.postgresql_soak]


async def test_a_hit_is_followed_up_and_closed(world_after: WorldAfter) -> None:
    """Each step changes the stage, sets the clock, stands in the history with its person, and is logged."""
    world, _ = await world_after(round_with_hits)
    al = world.nodes["AL"]
    hit = await hit_with(al, "RS")
    assert (hit["stage"], hit["record"]["family_names"], hit["overdue"]) == ("new", ["Hoxha"], False)
    await does(al, hit, "acknowledge")
    await does(al, hit, "decision", decision="same", remark="the same photograph")
    await does(al, hit, "follow-up", channel="siena", urgency="urgent")
    await does(al, hit, "reference", reference="SIENA-4711")
    view = await al.get(hit_path(hit))
    assert (view["entry"]["stage"], view["channel"], view["reference"]) == ("follow_up", "siena", "SIENA-4711")
    assert view["entry"]["due_at"] == world.clock.time + 8 * HOUR
    world.clock.time += 9 * HOUR
    assert (await al.get("/hits?overdue=true"))["total"] == 1
    await does(al, hit, "outcome", outcome="confirmed")
    view = await al.get(hit_path(hit))
    assert [step["kind"] for step in view["history"]] == ["acknowledged", "decided", "opened", "referenced", "closed"]
    assert all(step["person"].startswith("p-") for step in view["history"])
    assert (view["entry"]["outcome"], view["entry"]["due_at"], view["possible"]) == (
        "confirmed",
        None,
        ["remarked", "replied", "received", "reopened", "withdrawn"],
    )
    await does(al, hit, "reopening", reason="the counterpart found another document")
    view = await al.get(hit_path(hit))
    assert (view["entry"]["stage"], view["entry"]["outcome"], view["reference"]) == ("follow_up", None, "SIENA-4711")
    assert (await al.post(hit_path(hit, "/reopening"), json={"reason": "x"})).status_code == 409
    kinds = kinds_in_log(al)
    for kind in ("consultation", "hit_acknowledged", "hit_decided", "follow_up", "follow_up_closed"):
        assert kind in kinds


async def test_a_hit_says_why(world_after: WorldAfter) -> None:
    world, _ = await world_after(round_with_hits)
    al = world.nodes["AL"]
    hit = await hit_with(al, "RS")
    shown = await al.get(hit_path(hit))
    sentences, exchange = shown["sentences"], shown["exchange"]
    assert ["name and initial", "whole date"] in exchange["parts"]
    assert len(exchange["parts"]) == len(exchange["rules"])
    assert "the whole date of birth agrees, day and month in either order" in sentences
    assert "two names agree in spelling" in sentences
    # Its weights add up to the odds of its level, from which they go down to what is no hit.
    weights = (await al.get(hit_path(hit)))["weights"]
    assert weights[0]["kind"] == "prior"
    assert {one["sentence"] for one in weights if one["kind"] == "agrees"} == set(sentences)
    assert sum(one["centibits"] for one in weights) >= Level(hit["certainty"]).centibits
    # How rare that is: by chance, and in the own list, which is counted whole.
    assert shown["strangers_centibits"] < 0
    assert {one["records"] for one in shown["own_names"]} == {1}
    assert [one["name"] for one in shown["own_names"]] == [
        *shown["entry"]["record"]["given_names"],
        *shown["entry"]["record"]["family_names"],
    ]
    assert shown["own_records"] == (await al.get("/imports"))["imports"][0]["records"]
    with al.node.store.transaction("test.unconfirmed") as session:
        session.execute(update(ExchangeRow).values(accepted=False))
    view = await al.get(hit_path(hit))
    assert {"names", "date of birth"} <= set(view["sentences"])
    assert (view["weights"], view["exchange"]["parts"], view["strangers_centibits"]) == ([], [], None)
    with al.node.store.transaction("test.unlisted") as session:
        session.execute(delete(RecordRow))
    view = await al.get(hit_path(hit))
    assert (view["own_names"], view["own_records"]) == ([], 0)


async def test_a_hit_says_what_chance_would_give(world_after: WorldAfter) -> None:
    """How many hits of its level there are with that party, and how many of these chance alone would give."""
    world, round_id = await world_after(round_with_hits)
    al = world.nodes["AL"]
    chance = {one["counterpart"]: one["chance_hits"] for one in (await al.get(f"/rounds/{round_id}/hits"))["chance"]}
    for other in ("RS", "SI"):
        hit = await hit_with(al, other)
        said = (await al.get(hit_path(hit)))["chance"]
        assert said == {"hits": 1, "expected": chance[other][hit["certainty"]]}
    # Where the report was erased, nothing is said of chance.
    with al.node.store.transaction("test.erased") as session:
        session.execute(delete(StatementRow).where(StatementRow.kind == "hitreport"))
    assert (await al.get(hit_path(hit)))["chance"] is None


async def test_the_letter_has_references_only(world_after: WorldAfter) -> None:
    """It names round, hit, channel and both sides' references, no field of the record, and is logged when exported."""
    world, _ = await world_after(round_with_hits)
    al = world.nodes["AL"]
    hit = await hit_with(al, "RS")
    await does(al, hit, "acknowledge")
    await does(al, hit, "decision", decision="cannot_tell", remark="Arben H. perhaps")
    assert (await al.post(hit_path(hit, "/letter"))).status_code == 409
    await does(al, hit, "follow-up", channel="bilateral", reference="B-1")
    letter = (await al.post(hit_path(hit, "/letter"))).json()
    exchange = (await al.get(hit_path(hit)))["exchange"]
    numbers = exchange["reference"], exchange["note"]["reference"]
    head = head_of(LetterView.model_validate(letter))
    assert (head["Reference of AL"], head["Reference of RS"]) == numbers
    for part in (hit["hit_id"], hit["round_id"], "B-1", "RS, counter-terrorism unit", *numbers):
        assert part in letter["text"]
    for part in ("Arben", "Hoxha", "1980", "al-list-1"):
        assert part not in without_random(json.dumps(letter))
    assert letter["message"]["references"][4] == ["number in the channel", "B-1"]
    assert "export" in kinds_in_log(al)


async def test_filters_and_pages(world_after: WorldAfter) -> None:
    """A list is cut by round, counterpart, certainty, stage and age, and says how many there are."""
    world, round_id = await world_after(round_with_hits)
    al = world.nodes["AL"]
    page = await al.get(f"/hits?round_id={round_id}&limit=1")
    assert (len(page["hits"]), page["total"], page["by_stage"]) == (1, 2, {"new": 2})
    second = await al.get(f"/hits?round_id={round_id}&limit=1&offset=1")
    assert page["hits"][0]["hit_id"] != second["hits"][0]["hit_id"]
    assert (await al.get("/hits?counterpart=SI"))["total"] == 1
    assert (await al.get(f"/hits?hit={page['hits'][0]['hit_id'][:12]}"))["total"] == 1
    assert (await al.get("/hits?stage=closed"))["total"] == 0
    assert (await al.get("/hits?certainty=high"))["total"] + (await al.get("/hits?certainty=low"))["total"] <= 2
    assert (await al.get("/hits?older_than_hours=1"))["total"] == 0
    world.clock.time += 49 * HOUR
    assert (await al.get("/hits?older_than_hours=1"))["total"] == 2
    assert (await al.get("/hits"))["overdue"] == 2
    assert (await al.operator.get("/v1/hits?stage=asleep")).status_code == 422


async def test_a_handling_code_blocks_the_letter(world: World) -> None:
    header = "record_id,given_names,family_names,date_of_birth,handling_code\n"
    lists = {"AL": "al-list-1,Arben,Hoxha,1980-03-04,H2\n", "RS": "rs-1,Arben,Hoxha,1980-03-04,H2\n"}
    lists["SI"] = "si-1,Ana,Novak,1985-07-07,H0\n"
    round_id = await world.propose()
    for name, party_node in world.nodes.items():
        await party_node.post(f"/rounds/{round_id}/consent")
        await party_node.submit(round_id, await party_node.load(header + lists[name]))
    await world.settle()
    al = world.nodes["AL"]
    hit = await hit_with(al, "RS")
    await does(al, hit, "acknowledge")
    await does(al, hit, "decision", decision="same")
    await does(al, hit, "follow-up", channel="interpol")
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle()
    [list_] = (await al.get("/imports"))["imports"]
    assert (await al.operator.delete(f"/v1/imports/{list_['import_id']}")).status_code == 204
    view = await al.get(hit_path(hit))
    assert (view["entry"]["record"], view["handling_code"], view["blocked_by"]) == ({}, "H2", "H2")
    condition = "H2: not to be disseminated without the permission of the provider"
    assert [": ".join(one) for one in view["conditions"]][-1] == condition
    answer = await al.post(hit_path(hit, "/letter"))
    assert (answer.status_code, "H2" in answer.json()["detail"]) == (403, True)
    await does(al, hit, "permission", reference="originator's letter 12/26")
    answer = await al.post(hit_path(hit, "/letter"))
    assert "originator's letter 12/26" in answer.json()["text"]
    assert "export_permitted" in kinds_in_log(al)
    lines = head_of(LetterView.model_validate(answer.json()))
    assert lines["Handling code"] == lines["Handling code of RS"] == condition
    assert "export" in kinds_in_log(al)
