"""A whole round of three nodes and the real matcher, without sockets."""

from typing import Any

import pytest

from tests.support.node_world import World
from tests.support.sentence_texts import texts

pytestmark = [pytest.mark.more_rounds, pytest.mark.postgresql_soak]


def pairs(hits: dict[str, Any]) -> set[tuple[str, str]]:
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
