"""Alarms: a query that hits far too often is held back by the owner of the list until a person releases it."""

from typing import Any

import pytest
from sqlalchemy import select, update

from aquila.protocol.messages import StatementKind
from aquila.records.rules import InputClass
from services.node.storage.states import Promise
from services.node.storage.tables import AlarmRow, RoundRow, StatementRow
from tests.support.fishing import fishing
from tests.support.node_steps import PEOPLE, answered
from tests.support.node_world import PartyNode, World
from tests.support.played_worlds import WorldAfter
from tests.support.renewing import logged
from tests.support.sentence_texts import texts

pytestmark = pytest.mark.rounds


@pytest.fixture
async def asked(world_after: WorldAfter) -> tuple[World, str, str]:
    """A round in which RS asked for nearly everyone on AL's list, and the report to AL is there."""
    world, (round_id, query) = await world_after(fishing)
    return world, round_id, query


async def test_it_is_held_back_and_released_by_a_person(asked: tuple[World, str, str]) -> None:
    world, round_id, query = asked
    owner, asker = world.nodes["AL"], world.nodes["RS"]
    assert len(await answered(owner, round_id)) == len(PEOPLE)
    # The answer of SI does not wait for that of AL.
    assert await answering(asker, round_id) == ["SI"]
    # The asker is told that the other one is on hold and by whom, and no number.
    assert states(await query_of(asker, round_id)) == {"AL": "on_hold", "SI": "answered"}
    page = await asker.get(f"/queries/{query}")
    assert {one["party"]: (one["state"], one["awaited"]) for one in page["parties"]} == {
        "AL": ("on_hold", "nothing"),
        "SI": ("answered", "nothing"),
    }
    assert [(one["counterpart"], one["agreed"]) for one in page["checks"]] == [("SI", True)]
    assert page["entry"]["answer"] == "awaited"
    (need,) = (await asker.get("/needs"))["needs"]
    assert (need["kind"], need["parties"]) == ("withheld", ["AL"])
    assert (await asker.get(f"/rounds/{round_id}/safeguards"))["alarms"] == []
    assert any("is held back until an approver" in line for line in texts((await owner.round(round_id))["problems"]))
    (alarm,) = (await owner.get(f"/rounds/{round_id}/safeguards"))["alarms"]
    assert (alarm["asker"], alarm["hits"], alarm["released_at"]) == ("RS", len(PEOPLE), None)
    assert logged(owner.node.store, "fishing_alarm")
    (need,) = (await owner.get("/needs"))["needs"]
    assert (need["kind"], need["parties"]) == ("held_back", ["RS"])
    (need,) = (await world.operator.get("/v1/operator/needs")).json()["needs"]
    assert (need["kind"], need["parties"]) == ("held_back", ["AL"])
    view = (await world.operator.get(f"/v1/operator/rounds/{round_id}")).json()
    assert any("AL holds back the report of a query of RS" in line for line in texts(view["problems"]))
    # While it is on hold, nobody closes the round.
    answer = await owner.post(f"/rounds/{round_id}/close")
    assert (answer.status_code, answer.json()["code"]) == (409, "round_report_on_hold")
    answer = await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    assert (answer.status_code, answer.json()["code"]) == (409, "round_report_on_hold_at")
    # A restart changes nothing, and an unknown one cannot be released.
    owner.restart()
    await world.settle()
    assert await answering(asker, round_id) == ["SI"]
    assert (await owner.post(f"/rounds/{round_id}/alarms/{'0' * 32}/release")).status_code == 404
    answer = await owner.post(f"/rounds/{round_id}/alarms/{query}/release")
    assert answer.status_code == 204, answer.text
    await world.settle()
    assert len(await answered(asker, round_id)) == len(PEOPLE) + 1
    assert states(await query_of(asker, round_id)) == {"AL": "answered", "SI": "answered"}
    for party_node in (owner, asker):
        assert (await party_node.get("/needs"))["needs"] == []
    assert (await world.operator.get("/v1/operator/needs")).json()["needs"] == []
    (entry,) = logged(owner.node.store, "alarm_released")
    assert entry.person
    assert entry.recipient == "RS"
    assert not any("held back" in line for line in texts((await owner.round(round_id))["problems"]))
    assert (await owner.post(f"/rounds/{round_id}/alarms/{query}/release")).status_code == 404


async def answering(party_node: PartyNode, round_id: str) -> list[str]:
    """Return with whom each hit of a node's queries is."""
    return [hit["counterpart"] for hit in await answered(party_node, round_id)]


async def query_of(party_node: PartyNode, round_id: str) -> Any:
    (query,) = [one for one in (await party_node.round(round_id))["submissions"] if one["kind"] == "query"]
    return query


def states(submission: Any) -> dict[str, str]:
    return {one["party"]: one["state"] for one in submission["answers"]}


@pytest.mark.more_rounds
async def test_a_release_does_not_wait_for_another_look(asked: tuple[World, str, str]) -> None:
    """Where something of the round is not proved yet, the receipt is signed in the step that proves it.

    The next look by itself may come an hour later.
    """
    world, round_id, query = asked
    owner = world.nodes["AL"]
    of_alarm = StatementRow.round_id == round_id, StatementRow.own, StatementRow.kind == StatementKind.ALARM.value
    with owner.node.store.transaction("test.promise") as session:
        assert session.scalars(select(StatementRow).where(*of_alarm)).one().promise == Promise.PROVED
        session.execute(update(StatementRow).where(*of_alarm).values(promise=Promise.PROMISED, log_index=None))
    assert (await owner.post(f"/rounds/{round_id}/alarms/{query}/release")).status_code == 204
    assert await owner.look_at(round_id)
    with owner.node.store.reading("test.alarm") as session:
        assert session.get_one(AlarmRow, (round_id, query)).acknowledged
        assert session.scalars(select(StatementRow).where(*of_alarm)).one().promise == Promise.PROVED


async def test_one_answer_is_refused_and_the_round_goes_on(asked: tuple[World, str, str]) -> None:
    world, round_id, query = asked
    owner, asker = world.nodes["AL"], world.nodes["RS"]
    (alarm,) = (await owner.get(f"/rounds/{round_id}/safeguards"))["alarms"]
    assert alarm["justification"]["purpose"]
    assert alarm["asked_records"] >= len(PEOPLE)
    path = f"/rounds/{round_id}/alarms/{query}/refuse"
    assert (await owner.post(path, json={"reason": ""})).status_code == 422
    reason = {"reason": "the case names two persons"}
    assert (await owner.post(path, json=reason)).status_code == 204
    # It is decided, and neither refused again nor released.
    assert (await owner.post(path, json=reason)).status_code == 404
    assert (await owner.post(f"/rounds/{round_id}/alarms/{query}/release")).status_code == 404
    (alarm,) = (await owner.get(f"/rounds/{round_id}/safeguards"))["alarms"]
    assert (alarm["refused_because"], alarm["released_at"]) == (reason["reason"], None)
    await world.settle()
    assert await answering(asker, round_id) == ["SI"]
    told = {one["party"]: one for one in (await query_of(asker, round_id))["answers"]}
    assert (told["AL"]["state"], told["SI"]["state"]) == ("refused", "answered")
    page = await asker.get(f"/queries/{query}")
    assert {one["party"]: one["state"] for one in page["parties"]} == {"AL": "refused", "SI": "answered"}
    assert told["AL"]["since"] <= world.clock.time
    (whole,) = [one for one in (await asker.get(f"/rounds/{round_id}/hits"))["answers"] if one["kind"] == "query"]
    assert whole["state"] == "answered"  # by the others
    (need,) = (await asker.get("/needs"))["needs"]
    assert (need["kind"], need["parties"]) == ("withheld", ["AL"])
    assert (await owner.get("/needs"))["needs"] == []
    assert (await world.operator.get("/v1/operator/needs")).json()["needs"] == []
    view = (await world.operator.get(f"/v1/operator/rounds/{round_id}")).json()
    assert any("AL refuses its answer to a query of RS" in line for line in texts(view["problems"]))
    (entry,) = logged(owner.node.store, "answer_refused")
    assert (entry.recipient, bool(entry.person), entry.reason) == ("RS", True, None)
    assert [entry.ids["value"] for entry in logged(owner.node.store, "answer_withheld")] == ["on_hold", "refused"]
    # The owner's own hits are no hits of the round for anyone else, and notes are not waited for; the owner may close.
    assert (await owner.post(f"/rounds/{round_id}/close")).status_code == 202
    await world.settle()
    assert not (await owner.round(round_id))["keys_present"]
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")

    async def over() -> bool:
        return await world.phase(round_id) == "closed"

    await world.until(over)
    await world.settle()
    assert world.nodes["RS"].node.rounds.of(round_id).record().closings["AL"].hits == 0
    assert await answering(asker, round_id) == ["SI"]


@pytest.mark.more_rounds
async def test_who_aborts_releases_nothing(asked: tuple[World, str, str]) -> None:
    """The end of the round is the end of the time for a word: what nobody released is never told."""
    world, round_id, _ = asked
    await world.nodes["AL"].post(f"/rounds/{round_id}/abort", json={"reason": "this is fishing"})

    async def over() -> bool:
        return await world.phase(round_id) == "aborted"

    await world.until(over)
    await world.settle()
    assert await answering(world.nodes["RS"], round_id) == ["SI"]
    with world.nodes["AL"].node.store.reading("test.alarm") as session:
        assert session.scalars(select(AlarmRow)).one().released_at is None


@pytest.mark.more_rounds
async def test_a_closing_does_not_count_what_the_asker_was_not_told(asked: tuple[World, str, str]) -> None:
    """Every party reads the closings: that of AL would tell RS how many of its guesses were right."""
    world, round_id, _ = asked
    world.clock.time = 2 * 10**9

    async def over() -> bool:
        return await world.phase(round_id) in {"closed", "aborted"}

    await world.until(over)
    await world.settle()
    closings = world.nodes["RS"].node.rounds.of(round_id).record().closings
    assert closings["AL"].hits == 0
    assert await answering(world.nodes["RS"], round_id) == ["SI"]


async def test_a_wish_to_close_waits_for_a_report_on_hold(asked: tuple[World, str, str]) -> None:
    """Who wanted to close before the query came keeps the keys until its report is released."""
    world, round_id, query = asked
    owner = world.nodes["AL"]
    with owner.node.store.transaction("test.wish") as session:
        session.get_one(RoundRow, round_id).close_wished = True
    await world.settle()
    assert (await owner.round(round_id))["keys_present"]
    assert (await owner.post(f"/rounds/{round_id}/alarms/{query}/release")).status_code == 204
    await world.settle()
    assert not (await owner.round(round_id))["keys_present"]


@pytest.mark.more_rounds
async def test_what_was_spent_is_shown(asked: tuple[World, str, str]) -> None:
    """Elements of each party and class beside the round's cap and the node's own."""
    world, round_id, _ = asked
    party_node = world.nodes["AL"]
    found = await party_node.get(f"/rounds/{round_id}/safeguards")
    assert {(one["origin"], one["input_class"]) for one in found["spent"]} == {
        (code, kind) for code in ("RS", "SI") for kind in InputClass
    }
    for one in found["spent"]:
        assert 0 < one["in_round"] == one["in_day"] == one["in_window"] <= one["round_cap"]
        assert one["window_rounds"] == 1
    assert (found["earlier_rounds"], found["earlier_sentence"]) == ([], "")
