"""Canaries between nodes: carried, met, told of, judged, and never shown as hits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from aquila.matching.certainty import Level
from aquila.protocol import matcher as roles
from services.kit.log import entries
from services.matcher.steps import join
from services.node.storage.states import EVIDENCE
from services.node.storage.tables import CanaryRow, HitRow, StatementRow
from tests.services.node.test_whole_round import pairs
from tests.support.node_steps import round_before_matching
from tests.support.sentence_texts import texts

if TYPE_CHECKING:
    import pytest

    from aquila.protocol.messages import HitReport
    from tests.support.node_world import PartyNode, World
    from tests.support.played_worlds import WorldAfter

PADDED = {"padding": {"inputs_per_record": [8, 16], "records_multiple": 40}, "canaries": 8}


async def play(world: World, **options: Any) -> str:
    """Play a round with canaries until nobody has anything to do, and return its id."""
    round_id = await world.begin(**(PADDED | options))
    await world.settle()
    assert await world.phase(round_id) == "reporting"
    return round_id


async def padded_round_before_matching(world: World) -> str:
    """Play a round with canaries until everyone has sent its tokens."""
    return await round_before_matching(world, **PADDED)


def rows(party_node: PartyNode, table: type[Any], round_id: str) -> list[Any]:
    """Return a node's rows of a round."""
    with party_node.node.store.reading("test.rows") as session:
        return list(session.scalars(select(table).where(table.round_id == round_id)))


def logged(party_node: PartyNode, kind: str) -> list[Any]:
    """Return a node's log entries of a kind."""
    with party_node.node.store.reading("test.log") as session:
        return [entry for _, entry in entries.entries(session) if entry is not None and entry.kind == kind]


async def test_they_meet_and_nobody_sees_them_as_hits(world: World) -> None:
    """Every pair's canaries are met on both sides; hits are the persons', and the matcher's counts are theirs too."""
    round_id = await play(world)
    expected = {"AL": {("al-list-1", "RS"), ("al-list-2", "SI")}, "RS": {("rs-1", "AL"), ("rs-2", "SI")}}
    for code, party_node in world.nodes.items():
        judged = rows(party_node, CanaryRow, round_id)
        assert {row.counterpart for row in judged} == set(world.nodes) - {code}
        assert all(row.judged_at and row.expected and not (row.missing or row.wrong or row.differing) for row in judged)
        view = await party_node.round(round_id)
        hits = await party_node.get(f"/rounds/{round_id}/hits")
        assert pairs(hits) == expected.get(code, pairs(hits))
        assert view["hits"] == len(hits["hits"]) == 2
        assert all(one["drift_centibits"] > 100 for one in hits["chance"])
        assert not texts(view["problems"])
        planted = [row for row in rows(party_node, HitRow, round_id) if row.canary]
        assert len(planted) == sum(row.high + row.medium + row.low for row in judged) > 8
        assert (await party_node.get("/hits"))["total"] == 2
        ids = hits["hits"][0]["hit_id"], planted[0].hit_id
        answers = [await party_node.operator.get(f"/v1/rounds/{round_id}/hits/{one}") for one in ids]
        assert [answer.status_code for answer in answers] == [200, 404]
    view = (await world.operator.get(f"/v1/operator/rounds/{round_id}")).json()
    assert sum(view["hits_by_certainty"].values()) == 3
    assert sum(view["canaries_by_certainty"].values()) > 12
    assert {party["hits"] for party in view["parties"]} == {2}
    assert texts(view["problems"]) == []


async def test_a_matcher_that_suppresses_hits_is_named(
    world_after: WorldAfter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever drops the hits of a pair is found out by both sides, by the pair's name, in view and log."""

    def suppressing(*arguments: Any) -> roles.GradedPairs:
        graded = roles.grade_pairs(*arguments)
        return roles.GradedPairs(
            graded.grading_bases, [one for one in graded.pairs if (one.pair.left, one.pair.right) != (0, 1)]
        )

    monkeypatch.setattr(join, "grade_pairs", suppressing)
    world, round_id = await world_after(padded_round_before_matching)
    await world.settle()
    for code, other in (("AL", "RS"), ("RS", "AL")):
        problems = texts((await world.nodes[code].round(round_id))["problems"])
        assert any("the hits of AL-RS in this round are not to be trusted" in problem for problem in problems)
        assert not any("SI" in problem for problem in problems)
        (entry,) = logged(world.nodes[code], "canaries_missing")
        assert entry.recipient == other
        assert entry.counts["missing"] == entry.counts["expected"] > 0
        (need,) = (await world.nodes[code].get("/needs"))["needs"]
        assert (need["kind"], need["parties"], need["round_id"]) == ("canaries", [other], round_id)
    assert not texts((await world.nodes["SI"].round(round_id))["problems"])


async def test_a_matcher_that_shows_one_side_less_is_named_by_both(
    world_after: WorldAfter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hits that only one side was shown differ between what the two tell, which both and the matcher's officer see."""

    def one_sided(*arguments: Any) -> list[Any]:
        reports = roles.make_reports(*arguments)
        return [r.model_copy(update={"hits": ()}) if r.party == "RS" else r for r in reports]

    monkeypatch.setattr(join, "make_reports", one_sided)
    world, round_id = await world_after(padded_round_before_matching)
    await world.settle()
    assert any(
        "were not reported" in problem for problem in texts((await world.nodes["RS"].round(round_id))["problems"])
    )
    problems = texts((await world.nodes["AL"].round(round_id))["problems"])
    assert any("AL-RS" in problem and "the other side was shown other hits" in problem for problem in problems)
    view = (await world.operator.get(f"/v1/operator/rounds/{round_id}")).json()
    assert "AL and RS tell of different canaries among the same hits" in texts(view["problems"])
    needs = (await world.operator.get("/v1/operator/needs")).json()["needs"]
    assert ("canaries", ["AL", "RS"]) in [(need["kind"], need["parties"][:2]) for need in needs]


async def test_a_changed_level_is_named(world_after: WorldAfter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sides compute the level of a canary by themselves."""

    def low(report: HitReport) -> HitReport:
        hits = tuple(hit.model_copy(update={"certainty": Level.LOW}) for hit in report.hits)
        return report.model_copy(update={"hits": hits})

    def lowered(*arguments: Any) -> list[HitReport]:
        return [low(report) for report in roles.make_reports(*arguments)]

    monkeypatch.setattr(join, "make_reports", lowered)
    world, round_id = await world_after(padded_round_before_matching)
    await world.settle()
    for party_node in world.nodes.values():
        problems = " ".join(texts((await party_node.round(round_id))["problems"]))
        assert "were reported of another certainty" in problems


async def test_a_basis_that_no_lists_give_is_refused(world_after: WorldAfter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report with a share of common persons below the least does not count, and is kept as evidence."""

    def lowest(report: HitReport) -> HitReport:
        bases = tuple(basis.model_copy(update={"common_per_million": 1}) for basis in report.bases)
        return report.model_copy(update={"bases": bases})

    def strange(*arguments: Any) -> list[HitReport]:
        return [lowest(report) for report in roles.make_reports(*arguments)]

    monkeypatch.setattr(join, "make_reports", strange)
    world, round_id = await world_after(padded_round_before_matching)
    await world.settle()
    for party_node in world.nodes.values():
        view = await party_node.round(round_id)
        assert "fewer persons are common" in " ".join(texts(view["problems"]))
        assert view["hits"] is None
        assert [row.kind for row in rows(party_node, StatementRow, round_id)].count(EVIDENCE) == 1


async def test_after_a_restart_at_any_step(world: World) -> None:
    """A node that is started anew after each of its steps carries, tells and judges the same."""
    round_id = await world.begin(**PADDED)

    async def done() -> bool:
        world.nodes["AL"].restart()
        judged = rows(world.nodes["AL"], CanaryRow, round_id)
        return len(judged) == 2 and all(row.judged_at for row in judged)

    await world.until(done)
    assert not texts((await world.nodes["AL"].round(round_id))["problems"])


async def test_a_round_that_ends_at_once_is_judged_all_the_same(world: World) -> None:
    """The end comes after what the others tell, and the keys go after it was judged."""
    round_id = await world.begin(**PADDED)

    async def closable() -> bool:
        answer = await world.operator.post(f"/v1/operator/rounds/{round_id}/close", json={"reason": "done"})
        return answer.status_code == 202

    async def closed() -> bool:
        return await world.phase(round_id) == "closed"

    await world.until(closable)
    await world.until(closed)
    await world.settle()
    for party_node in world.nodes.values():
        assert all(row.judged_at for row in rows(party_node, CanaryRow, round_id))
        assert not (await party_node.round(round_id))["keys_present"]


async def test_pairs_that_may_not_be_matched_share_none(world: World) -> None:
    """Canaries are between allowed pairs alone, and no round without them has any."""
    round_id = await play(world, pairs=[["AL", "RS"], ["RS", "SI"]])
    assert {row.counterpart for row in rows(world.nodes["AL"], CanaryRow, round_id)} == {"RS"}
    without = await play(world, canaries=0)
    assert rows(world.nodes["AL"], CanaryRow, without) == []
