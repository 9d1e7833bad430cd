"""Erasing a record: gone everywhere here, told to the counterparts, and noticed when it comes again."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from services.node.storage.tables import (
    ExchangeRow,
    HitRow,
    NoteBatchRow,
    PairCheckRow,
    PreparedReportRow,
    RecordRow,
    StatementRow,
    SubmissionRow,
    WithdrawalRow,
)
from tests.support import stored_log
from tests.support.node_steps import closed_round, counts, does, hit_path, hit_with, kinds_in_log
from tests.support.node_world import HEADER, LISTS, PartyNode, World
from tests.support.played_worlds import WorldAfter
from tests.support.sentence_texts import texts

pytestmark = [pytest.mark.rounds, pytest.mark.postgresql_soak]

HOUR = 3_600
SOON = 301  # seconds, after which counterparts tell of confirmed hits


async def erase(party_node: PartyNode, record_id: str) -> httpx.Response:
    """Let one person ask a node to erase a record with its hits, and another approve it."""
    return await party_node.post("/erasure-requests", json={"record_id": record_id, "reason": "the court says so"})


def note_at(party_node: PartyNode, hit: dict[str, Any]) -> object:
    """Return what the counterpart's note on a hit said, as a node keeps it."""
    with party_node.node.store.reading("test.note") as session:
        return session.get_one(ExchangeRow, (hit["round_id"], hit["hit_id"])).note


@pytest.mark.database_files
async def test_nothing_of_it_is_left_and_the_counterpart_marks_it(world_after: WorldAfter) -> None:
    """Record, hit, history and remark are gone from the database, and the counterpart says that it marked the hit."""
    world, _ = await world_after(closed_round)
    al, rs = world.nodes["AL"], world.nodes["RS"]
    hit, other = await hit_with(al, "RS"), await hit_with(al, "SI")
    await does(al, hit, "acknowledge")
    await does(al, hit, "decision", decision="same", remark="seen at Rruga e Durrësit")
    assert b"Arben" in al.stored_bytes()
    assert b" arben " in al.stored_bytes()
    assert note_at(rs, hit) is not None
    world.clock.time += SOON
    await world.settle()
    assert [one["state"] for one in (await rs.get(hit_path(hit)))["case"]] == ["open"]
    alone = await al.post("/erasures", json={"record_id": "al-list-1"})
    assert (alone.status_code, alone.json()["code"]) == (403, "record_has_hits")
    assert (await erase(al, "al-list-1")).status_code == 202
    for word in (b"Arben", b" arben ", b"Hoxha", b"1980-03-04", "Durrësit".encode(), b"al-list-1"):
        assert word not in al.stored_bytes()
    assert (await al.operator.get(f"/v1{hit_path(hit)}")).status_code == 404
    assert (await al.get(hit_path(other)))["entry"]["record"]["family_names"] == ["Kola"]
    await world.settle()
    seen = await rs.get(hit_path(hit))
    assert (seen["entry"]["stage"], seen["withdrawals"][0]["ground"]) == ("withdrawn", "erased")
    assert [(one["state"], one["also"]) for one in seen["case"]] == [(None, [])]
    assert note_at(rs, hit) is None
    with al.node.store.reading("test.told") as session:
        assert session.scalars(select(WithdrawalRow)).one().acknowledged_at is not None
        entries = [entry for _, entry in stored_log.entries(session) if entry and entry.kind == "erasure"]
    assert [entry.counts for entry in entries] == [{"records": 1, "hits": 1, "imports": 1}]
    assert not entries[0].ids
    assert not entries[0].digests
    with world.app.state.context.round_cache.reading(hit["round_id"]) as turn:
        assert [(one.hits, one.erased) for one in turn.round.acknowledgements.values()] == [(1, True)]


@pytest.mark.more_rounds
async def test_its_hits_still_count_among_the_outcomes(world_after: WorldAfter) -> None:
    world, round_id = await world_after(closed_round)
    al = world.nodes["AL"]
    hit = await hit_with(al, "RS")
    await does(al, hit, "acknowledge")
    await does(al, hit, "decision", decision="same")
    await does(al, hit, "outcome", outcome="confirmed")
    await erase(al, "al-list-1")
    await erase(al, "al-list-2")
    world.clock.time += 24 * HOUR
    await world.settle()
    said = {(one, outcome) for party, one, _, outcome, _ in counts(world, round_id) if party == "AL"}
    assert said == {("RS", "confirmed"), ("SI", "withdrawn")}


async def test_it_is_noticed_when_it_comes_again(world: World) -> None:
    al = world.nodes["AL"]
    await al.load(HEADER + LISTS["AL"])
    assert (await al.post("/erasures", json={"record_id": "al-list-2"})).status_code == 200
    content = (HEADER + LISTS["AL"]).encode()
    check = (await al.post("/records/check", content=content)).json()
    assert [(one["record_id"], one["severity"]) for one in check["findings"]] == [("al-list-2", "refusal")]
    assert "was erased" in check["findings"][0]["reason"]["text"]
    assert (await al.post("/imports", params={"name": "again"}, content=content)).status_code == 422
    again = {"name": "again", "accept_refused": "true"}
    assert (await al.post("/imports", params=again, content=content)).json()["accepted"] == 2


async def test_a_record_that_is_not_there(world: World) -> None:
    al = world.nodes["AL"]
    assert (await erase(al, "al-list-9")).status_code == 404
    assert "erasure" not in kinds_in_log(al)


async def test_the_last_record_takes_its_import_with_it(world: World) -> None:
    al = world.nodes["AL"]
    await al.load(HEADER + "al-list-1,Arben,Hoxha,1980-03-04,\n")
    await erase(al, "al-list-1")
    assert (await al.get("/imports"))["imports"] == []


@pytest.mark.more_rounds
async def test_a_record_that_is_erased_while_its_round_goes_on(world: World) -> None:
    """Its hit comes as erased: it is told and never shown; the list can be used again when the round is over."""
    first = await world.begin()
    al, rs = world.nodes["AL"], world.nodes["RS"]

    async def sent() -> bool:
        return bool((await al.round(first))["submissions"][0]["state"] == "tokens_sent")

    await world.until(sent, "AL", "RS", "SI")
    assert (await al.round(first))["hits"] is None
    assert (await al.post("/erasures", json={"record_id": "al-list-1"})).json()["hits"] == 0
    await world.settle()
    assert [hit["record_id"] for hit in (await al.get("/hits"))["hits"]] == ["al-list-2"]
    assert texts((await al.round(first))["problems"]) == []
    assert (await rs.get("/hits?counterpart=AL"))["by_stage"] == {"withdrawn": 1}
    with al.node.store.reading("test.gap") as session:
        import_id = session.scalars(select(SubmissionRow.import_id)).one()
    second = await world.propose()
    await al.post(f"/rounds/{second}/consent")
    await al.submit(second, import_id)
    for code in ("RS", "SI"):
        await world.nodes[code].post(f"/rounds/{second}/consent")
        await world.nodes[code].submit(second, await world.nodes[code].load(HEADER + LISTS[code]))
    await world.step()
    await world.step()
    await world.step()
    assert any("was erased while another round" in text for text in texts((await al.round(second))["problems"]))
    await world.operator.post(f"/v1/operator/rounds/{first}/close")
    await world.settle()
    await al.submit(second, import_id)
    await world.settle()
    hits = (await al.get(f"/hits?round_id={second}"))["hits"]
    assert [(hit["record_id"], hit["record"]["family_names"]) for hit in hits] == [("al-list-2", ["Kola"])]


@pytest.mark.more_rounds
async def test_a_list_that_is_being_prepared_is_left_alone(world: World) -> None:
    round_id = await world.begin()
    al = world.nodes["AL"]

    async def preparing() -> bool:
        return bool((await al.round(round_id))["submissions"][0]["state"] == "preparing")

    await world.until(preparing)
    answer = await erase(al, "al-list-1")
    assert (answer.status_code, "being prepared" in answer.json()["detail"]) == (403, True)
    with al.node.store.reading("test.kept") as session:
        assert len(session.scalars(select(RecordRow)).all()) == 3


async def test_retention_erases_hits_and_statements(world: World) -> None:
    """After the manifest's days nothing of a round is left but its terms; the entry says how many hits there were."""
    round_id = await world.begin(retention_days=10)
    await world.settle()
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle()
    al = world.nodes["AL"]
    hit = await hit_with(al, "RS")
    await does(al, hit, "withdrawal", ground="incorrect")
    await world.settle()
    closes_at = (await al.round(round_id))["manifest"]["window"]["closes_at"]
    world.clock.time = closes_at + 10 * 24 * HOUR
    await world.settle()
    assert (await al.get("/hits"))["total"] == 2
    world.clock.time += 2 * HOUR
    await world.settle()
    assert (await al.get("/hits"))["total"] == 0
    with al.node.store.reading("test.left") as session:
        for table in (HitRow, StatementRow, WithdrawalRow, ExchangeRow, NoteBatchRow, PreparedReportRow, PairCheckRow):
            assert not session.scalars(select(table)).all()
        # A justification is kept for three years, however short the hits' retention is.
        assert session.scalars(select(SubmissionRow.justification)).one()["case_reference"] == "2026/1"
        entries = [entry for _, entry in stored_log.entries(session) if entry and entry.kind == "erasure"]
    assert [(entry.round, entry.counts, entry.ids) for entry in entries] == [
        (round_id, {"hits": 2}, {"why": "expired"})
    ]
    view = await al.round(round_id)
    assert (view["entry"]["phase"], view["hits"], texts(view["problems"])) == ("closed", None, [])
    al.restart()
    await world.settle()
    assert (await al.round(round_id))["entry"]["phase"] == "closed"
