"""A whole round over HTTP: three parties, their hits, and nothing left behind."""

import pytest
from sqlalchemy import select

from services.matcher import statistics
from services.matcher.storage.tables import KnownCountRow, SurePairRow
from tests.support.matcher_world import World

pytestmark = [pytest.mark.rounds, pytest.mark.postgresql_soak]


async def test_from_proposal_to_nothing_left(three: World) -> None:
    """Everyone learns of its hits; after the end no chunk, token or report is in files or database."""
    world = three
    await world.reported()
    view = await world.view()
    assert view["entry"]["phase"] == "reporting"
    assert sum(view["hits_by_certainty"].values()) == 2
    for node in world.nodes.values():
        await node.acknowledge()
    await world.exchange_notes()
    assert {code: len(node.hits()) for code, node in world.nodes.items()} == {"AL": 1, "RS": 2, "SI": 1}
    pairs = {code: {hit.hit_id for hit in node.hits()} for code, node in world.nodes.items()}
    assert pairs["RS"] == pairs["AL"] | pairs["SI"]
    # Persons are counted at the end, over all pairs.
    assert (world.count(SurePairRow), world.count(KnownCountRow)) == (3, 0)

    assert (await world.operate("POST", f"/{world.round_id}/close")).status_code == 202
    world.advance()
    for node in world.nodes.values():
        await node.close()
    world.advance()
    view = await world.view()
    assert view["entry"]["phase"] == "closed"
    assert view["ending"]["text"] == "closed: every party has its hits"
    assert all(party["closed"] and party["acknowledged"] for party in view["parties"])
    assert world.chunk_files() == []
    [figures] = statistics.statistics(world.context).rounds
    assert {one.party for one in figures.lists} == {"AL", "RS", "SI"}
    assert [{(of.left, of.right): of.hits.all for of in table.pairs} for table in figures.hits] == [
        {("AL", "RS"): "1-4", ("AL", "SI"): 0, ("RS", "SI"): "1-4"}
    ]
    with world.context.store.reading("test.persons") as session:
        known = {(row.certainty, row.parties): row.persons for row in session.scalars(select(KnownCountRow))}
    assert known == {("low", 2): 2, ("medium", 2): 2, ("high", 2): 2}
    assert world.count(SurePairRow) == 0
