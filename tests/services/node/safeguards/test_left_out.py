"""Hits that a matcher leaves out, among nodes: columns sent, reports checked, both sides' words compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from aquila.protocol import matcher as roles
from aquila.protocol.messages import HitReport
from services.kit.log import entries
from services.matcher.steps import join
from services.node.rounds import paths
from services.node.storage.states import EVIDENCE
from services.node.storage.tables import ColumnPieceRow, PairCheckRow, StatementRow
from tests.support.node_steps import round_before_matching
from tests.support.node_world import PartyNode, World
from tests.support.played_worlds import WorldAfter
from tests.support.sentence_texts import texts

pytestmark = pytest.mark.more_rounds


def rows(party_node: PartyNode, table: type[Any], round_id: str) -> list[Any]:
    with party_node.node.store.reading("test.rows") as session:
        return list(session.scalars(select(table).where(table.round_id == round_id)))


def logged(party_node: PartyNode, kind: str) -> list[Any]:
    with party_node.node.store.reading("test.log") as session:
        return [entry for _, entry in entries.entries(session) if entry is not None and entry.kind == kind]


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
        pieces = rows(party_node, ColumnPieceRow, round_id)
        names = [paths.tokens(round_id, piece.submission_id, piece.index) for piece in pieces]
        assert [piece.sent for piece in pieces] == [True, True]
        assert not any(party_node.node.files.exists(name) for name in names)
        found = rows(party_node, PairCheckRow, round_id)
        assert {row.counterpart for row in found} == set(world.nodes) - {code}
        assert all(row.agreed and row.fault is None and row.met for row in found)
        for one in (await checks(party_node, round_id)).values():
            assert (one["fault"], one["told"], one["agreed"]) == (None, True, True)
        assert not texts((await party_node.round(round_id))["problems"])
        assert len(logged(party_node, "checked")) == 1
    view = (await world.operator.get(f"/v1/operator/rounds/{round_id}")).json()
    assert texts(view["problems"]) == []


async def test_hits_left_out_are_named(world_after: WorldAfter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever leaves out the hits of a pair is found out by both sides, by the pair's name, in view, log and page."""

    def suppressing(report: HitReport) -> HitReport:
        pair = {"AL", "RS"}
        hits = tuple(hit for hit in report.hits if {report.party, hit.counterpart} != pair)
        return report.model_copy(update={"hits": hits})

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
    assert "AL and RS do not both find that nothing was left out between their lists" in texts(view["problems"])


async def test_a_basis_that_no_lists_give_is_refused(world_after: WorldAfter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report with a share of common persons below the least does not count, and is kept as evidence."""

    def lowest(report: HitReport) -> HitReport:
        bases = tuple(basis.model_copy(update={"common_per_million": 1}) for basis in report.bases)
        return report.model_copy(update={"bases": bases})

    lying(monkeypatch, lowest)
    world, round_id = await world_after(round_before_matching)
    await world.settle()
    for party_node in world.nodes.values():
        view = await party_node.round(round_id)
        assert "fewer persons are common" in " ".join(texts(view["problems"]))
        assert view["hits"] is None
        assert [row.kind for row in rows(party_node, StatementRow, round_id)].count(EVIDENCE) == 1


async def test_after_a_restart_at_any_step(world: World) -> None:
    """A node that is started anew after each of its steps makes, sends and compares the same."""
    round_id = await world.begin()

    async def done() -> bool:
        world.nodes["AL"].restart()
        found = rows(world.nodes["AL"], PairCheckRow, round_id)
        return len(found) == 2 and all(row.agreed for row in found)

    await world.until(done)
    assert not texts((await world.nodes["AL"].round(round_id))["problems"])


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
