"""Hits that a matcher leaves out, among nodes: columns sent, reports checked, both sides' words compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from aquila.protocol import matcher as roles
from aquila.protocol.messages import CheckFault, HitReport, ReportCheck
from aquila.protocol.rounds.round_state import ReportKey
from services.matcher.steps import join
from services.node.rounds import paths
from services.node.storage.tables import PairCheckRow, QueryHitsRow, TokenPartRow
from tests.support import stored_log
from tests.support.fishing import fishing
from tests.support.node_steps import round_before_matching, round_for_queries
from tests.support.node_world import HEADER, PartyNode, World
from tests.support.played_worlds import WorldAfter
from tests.support.samples import SAMPLES
from tests.support.sentence_texts import texts

pytestmark = pytest.mark.more_rounds


def rows(party_node: PartyNode, table: type[Any], round_id: str) -> list[Any]:
    with party_node.node.store.reading("test.rows") as session:
        return list(session.scalars(select(table).where(table.round_id == round_id)))


def logged(party_node: PartyNode, kind: str) -> list[Any]:
    with party_node.node.store.reading("test.log") as session:
        return [entry for _, entry in stored_log.entries(session) if entry is not None and entry.kind == kind]


def lying(monkeypatch: pytest.MonkeyPatch, lie: Any) -> None:
    def changed(*arguments: Any, **more: Any) -> Iterator[HitReport]:
        return map(lie, roles.make_reports(*arguments, **more))

    monkeypatch.setattr(join, "make_reports", changed)


async def checks(party_node: PartyNode, round_id: str) -> dict[str, dict[str, Any]]:
    """Return what the node's page of a round says of each pair."""
    found = await party_node.get(f"/rounds/{round_id}/safeguards")
    return {one["counterpart"]: one for one in found["checks"]}


async def test_nothing_was_left_out(world_after: WorldAfter) -> None:
    """Every column was sent and is gone here; both sides of every pair checked it, with the same word of what met."""
    world, round_id = await world_after(round_before_matching)
    await world.settle()
    for code, party_node in world.nodes.items():
        parts = rows(party_node, TokenPartRow, round_id)
        names = [
            paths.tokens(round_id, part.submission_id, part.counterpart, part.index)
            for part in parts
            if not part.is_rows
        ]
        assert len(names) == len(set(world.nodes) - {code})
        assert all(part.sent for part in parts)
        assert not any(party_node.node.files.exists(name) for name in names)
        found = rows(party_node, PairCheckRow, round_id)
        assert {row.counterpart for row in found} == set(world.nodes) - {code}
        assert all(row.agreed and row.fault is None and row.met for row in found)
        for one in (await checks(party_node, round_id)).values():
            assert (one["fault"], one["told"], one["agreed"]) == (None, True, True)
        assert not texts((await party_node.round(round_id))["problems"])
        assert len(logged(party_node, "checked")) == 2
    view = (await world.operator.get(f"/v1/operator/rounds/{round_id}")).json()
    assert texts(view["problems"]) == []


async def test_hits_left_out_are_named(world_after: WorldAfter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever leaves out the hits of a pair is found out by both sides, by the pair's name, in view, log and page."""

    def suppressing(report: HitReport) -> HitReport:
        is_hidden = {report.party, report.counterpart} == {"AL", "RS"}
        return report.model_copy(update={"hits": ()}) if is_hidden else report

    lying(monkeypatch, suppressing)
    world, round_id = await world_after(round_before_matching)
    await world.settle()
    for code, other in (("AL", "RS"), ("RS", "AL")):
        problems = texts((await world.nodes[code].round(round_id))["problems"])
        assert any("the hits of AL-RS in this round are not to be trusted" in problem for problem in problems)
        assert not any("SI" in problem for problem in problems)
        (entry,) = logged(world.nodes[code], "hits_left_out")
        assert (entry.recipient, entry.counts) == (other, {"tags": 1})
        needs = (await world.nodes[code].get("/needs"))["needs"]
        assert (needs[0]["kind"], needs[0]["parties"], needs[0]["round_id"]) == ("left_out", [other], round_id)
        assert (await checks(world.nodes[code], round_id))[other]["fault"] == "tags"
    assert not texts((await world.nodes["SI"].round(round_id))["problems"])
    needs = (await world.operator.get("/v1/operator/needs")).json()["needs"]
    assert ("left_out", ["AL", "RS"]) in [(need["kind"], need["parties"]) for need in needs]


async def test_a_side_that_is_shown_less_warns_the_other(
    world_after: WorldAfter, monkeypatch: pytest.MonkeyPatch
) -> None:
    lying(monkeypatch, lambda report: report.model_copy(update={"hits": ()}) if report.party == "RS" else report)
    world, round_id = await world_after(round_before_matching)
    await world.settle()
    problems = texts((await world.nodes["RS"].round(round_id))["problems"])
    assert any("hits were left out" in problem for problem in problems)
    problems = texts((await world.nodes["AL"].round(round_id))["problems"])
    assert any("AL-RS" in problem and "found something left out" in problem for problem in problems)
    told = (await checks(world.nodes["AL"], round_id))["RS"]
    assert (told["fault"], told["told"], told["agreed"]) == (None, True, False)
    view = (await world.operator.get(f"/v1/operator/rounds/{round_id}")).json()
    assert "AL and RS do not both find that nothing was left out between them" in texts(view["problems"])


async def test_a_round_that_ends_at_once_is_compared_all_the_same(world: World) -> None:
    round_id = await world.begin(pairs=[["AL", "RS"], ["RS", "SI"]])

    async def closable() -> bool:
        answer = await world.operator.post(f"/v1/operator/rounds/{round_id}/close", json={"reason": "done"})
        return answer.status_code == 202

    async def closed() -> bool:
        return await world.phase(round_id) == "closed"

    await world.until(closable)
    await world.until(closed)
    await world.settle()
    for party_node in world.nodes.values():
        assert all(row.agreed for row in rows(party_node, PairCheckRow, round_id))
        assert not (await party_node.round(round_id))["keys_present"]
    assert {row.counterpart for row in rows(world.nodes["AL"], PairCheckRow, round_id)} == {"RS"}


ASKED = HEADER + "q-1,Mira,Janković,1988-08-08,\n"


def query_checks(party_node: PartyNode, round_id: str) -> list[Any]:
    """Return what a node found of queries."""
    return [row for row in rows(party_node, PairCheckRow, round_id) if row.submission_id]


async def ask(party_node: PartyNode, round_id: str) -> str:
    """Ask for one person, and return the query."""
    before = {one["submission_id"] for one in (await party_node.round(round_id))["submissions"]}
    await party_node.submit(round_id, await party_node.load(ASKED, "query"), "query")
    (found,) = {one["submission_id"] for one in (await party_node.round(round_id))["submissions"]} - before
    return str(found)


async def test_an_answer_to_a_query_is_checked(world_after: WorldAfter) -> None:
    """Both sides find that nothing was left out, of two queries that wait at once and ask for the same person."""
    world, round_id = await world_after(round_for_queries)
    asker = world.nodes["AL"]
    names = {await ask(asker, round_id), await ask(asker, round_id)}
    await world.settle()
    assert len(query_checks(asker, round_id)) == 4
    for code, party_node in world.nodes.items():
        found = query_checks(party_node, round_id)
        assert {row.submission_id for row in found} <= names
        assert {row.counterpart for row in found} == (set(world.nodes) - {code} if code == "AL" else {"AL"})
        assert all(row.agreed and row.fault is None and row.met for row in found)
        assert not texts((await party_node.round(round_id))["problems"])
    for name in names:
        answer = await asker.get(f"/queries/{name}")
        assert {(one["submission_id"], one["agreed"]) for one in answer["checks"]} == {(name, True)}


async def test_lists_with_pairs_called_too_weak_are_whole(world_after: WorldAfter) -> None:
    """All their pairs are told, so an answer to a query can be checked against them."""
    world, round_id = await world_after(round_for_queries)
    asker = world.nodes["AL"]
    with asker.node.store.transaction("test.levels") as session:
        for row in session.scalars(select(PairCheckRow)):
            row.fault = CheckFault.LEVELS.value
    await ask(asker, round_id)
    await world.settle()
    found = query_checks(asker, round_id)
    assert [(row.fault, row.agreed) for row in found] == [(None, True)] * 2


async def test_an_owner_says_nothing_while_it_holds_its_answer(world_after: WorldAfter) -> None:
    """A check that its asker makes up changes nothing; once the answer is released, both sides check it."""
    world, (round_id, query) = await world_after(fishing)
    owner, asker = world.nodes["AL"], world.nodes["RS"]
    memory = owner.node.rounds.of(round_id)
    made_up = ReportCheck.model_validate(SAMPLES[ReportCheck] | {"met": "0" * 64, "below": 0, "fault": None})
    memory.record().checked[ReportKey("RS", "AL", query)] = made_up
    said = len(logged(owner, "checked"))
    await owner.step()
    assert [row.agreed for row in query_checks(owner, round_id)] == [None]
    assert len(logged(owner, "checked")) == said
    memory.forget_record()
    assert (await owner.post(f"/rounds/{round_id}/alarms/{query}/release")).status_code == 204
    await world.settle()
    for party_node in (owner, asker):
        assert all(row.agreed for row in query_checks(party_node, round_id))
    assert len(logged(owner, "checked")) == said + 1


async def test_who_is_nearly_hit_again_is_counted_once(
    world_after: WorldAfter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the alarm of a list's owner: whether a person is a hit or nearly one, now and before."""
    world, round_id = await world_after(round_for_queries)
    lies, grade_pairs = [True], roles.grade_pairs

    def weakened(*arguments: Any) -> roles.GradedPairs:
        found = grade_pairs(*arguments)
        return found._replace(pairs=[], below=found.every) if lies[0] else found

    monkeypatch.setattr(roles, "grade_pairs", weakened)
    counted = []
    for lie in (True, True, False, True):
        lies[0] = lie
        query = await ask(world.nodes["AL"], round_id)
        await world.settle()
        with world.nodes["RS"].node.store.reading("test.counted") as session:
            row = session.get_one(QueryHitsRow, (round_id, query))
            counted.append((row.hits, len(row.below)))
    assert counted == [(1, 1), (0, 1), (0, 0), (0, 1)]


async def answered_before(world_after: WorldAfter) -> tuple[World, str, str]:
    """Play a round until RS has the answers to its later queries, while AL holds that to its first one back."""
    world, (round_id, held) = await world_after(fishing)
    asker = world.nodes["RS"]
    second, third = await ask(asker, round_id), await ask(asker, round_id)
    await world.settle()
    found = {(row.submission_id, row.counterpart): (row.fault, row.agreed) for row in query_checks(asker, round_id)}
    assert found == {(name, "AL"): ("earlier", None) for name in (second, third)} | {
        (name, "SI"): (None, True) for name in (held, second, third)
    }
    return world, round_id, held


async def test_an_answer_that_comes_before_an_earlier_one(world_after: WorldAfter) -> None:
    """It is checked, and so is one after it, when the earlier one has come, and before nobody says anything of it."""
    world, round_id, held = await answered_before(world_after)
    before = len(logged(world.nodes["RS"], "checked"))
    assert (await world.nodes["AL"].post(f"/rounds/{round_id}/alarms/{held}/release")).status_code == 204
    await world.settle()
    assert len(logged(world.nodes["RS"], "checked")) == before + 3
    for code in world.nodes:
        found = query_checks(world.nodes[code], round_id)
        assert len(found) == (6 if code == "RS" else 3)
        assert all(row.agreed and row.fault is None for row in found)


async def test_an_answer_whose_earlier_one_never_comes(world_after: WorldAfter) -> None:
    """At the end of the round its asker signs, once, that it could not be checked; nobody holds that against anyone."""
    world, round_id, _ = await answered_before(world_after)
    asker = world.nodes["RS"]
    before = len(logged(asker, "checked"))
    world.clock.time = (await asker.round(round_id))["manifest"]["window"]["closes_at"] + 1
    await world.settle()
    asker.restart()
    await world.settle()
    assert await world.phase(round_id) == "closed"
    assert len(logged(asker, "checked")) == before + 2
    found = [row for row in query_checks(world.nodes["AL"], round_id) if row.agreed is not None]
    assert [(row.fault, row.their_fault) for row in found] == [(None, "earlier")] * 2
    for code in ("AL", "SI"):
        assert not [line for line in texts((await world.nodes[code].round(round_id))["problems"]) if "trusted" in line]
    view = (await world.operator.get(f"/v1/operator/rounds/{round_id}")).json()
    assert not any("do not both find" in line for line in texts(view["problems"]))


async def test_hits_of_a_query_left_out_are_named(world_after: WorldAfter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sides name the pair and the query."""
    world, round_id = await world_after(round_for_queries)

    def suppressing(report: HitReport) -> HitReport:
        return report if report.submission_id is None else report.model_copy(update={"hits": (), "below": ()})

    lying(monkeypatch, suppressing)
    asker = world.nodes["AL"]
    first = await ask(asker, round_id)
    await world.settle()
    owner = next(row.counterpart for row in query_checks(asker, round_id) if row.fault)
    for code, other in (("AL", owner), (owner, "AL")):
        problems = " ".join(texts((await world.nodes[code].round(round_id))["problems"]))
        assert f"is told of the query {first[:8]} is not to be trusted" in problems
        (entry,) = logged(world.nodes[code], "hits_left_out")
        assert (entry.recipient, entry.ids) == (other, {"submission": first})
