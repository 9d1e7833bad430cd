"""A whole round of three nodes and the real matcher, without sockets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.node_steps import closed_round
from tests.support.node_world import World
from tests.support.played_worlds import WorldAfter
from tests.support.sentence_texts import texts

pytestmark = [pytest.mark.more_rounds, pytest.mark.postgresql]


def pairs(hits: dict[str, Any]) -> set[tuple[str, str]]:
    """Return own record and counterpart of each hit."""
    return {(hit["record_id"], hit["counterpart"]) for hit in hits["hits"]}


async def test_three_nodes_find_the_persons_they_share(world: World) -> None:
    """Each node learns which of its own records another party holds too, with its record beside it."""
    round_id = await world.begin()
    await world.settle()
    al, rs, si = [await world.nodes[code].get(f"/rounds/{round_id}/hits") for code in ("AL", "RS", "SI")]
    assert pairs(al) == {("al-list-1", "RS"), ("al-list-2", "SI")}
    assert pairs(rs) == {("rs-1", "AL"), ("rs-2", "SI")}
    assert pairs(si) == {("si-1", "RS"), ("si-3", "AL")}
    assert next(hit for hit in al["hits"] if hit["record_id"] == "al-list-1")["record"]["family_names"] == ["Hoxha"]
    assert all(hit["sentences"] for hit in al["hits"])
    assert {one["counterpart"] for one in al["chance"]} >= {hit["counterpart"] for hit in al["hits"]}
    assert await world.phase(round_id) == "reporting"
    view = await world.nodes["AL"].round(round_id)
    assert texts(view["problems"]) == []
    assert view["hits"] == 2
    assert view["submissions"][0]["state"] == "tokens_sent"


async def test_a_later_consent_shows_what_was_spent_before(world_after: WorldAfter) -> None:
    """What a node evaluated for the same parties in an earlier round is shown before its next consent, and is in it."""
    world, first = await world_after(closed_round)
    submissions = world.nodes["AL"].node.rounds.of(first).record().submissions
    lists = {one.party: one.elements for one in submissions.values()}
    second = await world.propose()
    await world.settle()
    found = await world.nodes["AL"].get(f"/rounds/{second}/safeguards")
    (earlier,) = found["earlier_rounds"]
    assert (earlier["round_id"], earlier["came_at"]) == (first, world.clock())
    assert {one["origin"]: (one["full"], one["partial"]) for one in earlier["spent"]} == {
        code: (lists[code].full, lists[code].partial) for code in ("RS", "SI")
    }
    assert {one["evaluator"] for one in earlier["spent"]} == {"AL"}
    assert "compare" in found["earlier_sentence"]
    for party_node in world.nodes.values():
        await party_node.post(f"/rounds/{second}/consent")
    await world.settle()
    found = await world.nodes["AL"].get(f"/rounds/{second}/safeguards")
    assert {one["evaluator"] for one in found["earlier_rounds"][0]["spent"]} == set(world.nodes)
    consent = world.nodes["AL"].node.rounds.of(second).record().consents["RS"]
    assert [earlier.round_id for earlier in consent.earlier_rounds] == [first]
    spent = {one.origin: one.elements for one in consent.earlier_rounds[0].spent}
    assert spent == {"AL": lists["AL"], "SI": lists["SI"]}
    assert all(elements.full and elements.partial for elements in spent.values())
