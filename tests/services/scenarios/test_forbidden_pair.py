"""Two parties of three may not be compared: a whole round of nodes, in which neither has anything of the other."""

import pytest
from sqlalchemy import select

from aquila.errors import PolicyError
from aquila.protocol.messages.feed import EventKind, Events
from services.kit.errors import NotFoundError
from services.node.storage.tables import ChunkDownloadRow, EvaluationDownloadRow
from tests.support.node_world import PartyNode, World
from tests.support.sentence_texts import texts


async def told_of(party_node: PartyNode, round_id: str) -> set[str]:
    """Return of whose blinded bytes the matcher tells a node."""
    feed = await party_node.node.peer.call("GET", f"/v1/rounds/{round_id}/events?after=0")
    events = Events.model_validate_json(feed.content).events
    return {event.party for event in events if event.kind is EventKind.BLINDED and event.party}


@pytest.mark.rounds
async def test_a_pair_that_may_not_be_compared_has_nothing_of_each_other(world: World) -> None:
    """Neither AL nor SI is told of the other's elements, gets or evaluates them, or is given a column; hits stay."""
    round_id = await world.begin(pairs=[["AL", "RS"], ["RS", "SI"]])
    await world.settle()
    found = {code: await one.get(f"/rounds/{round_id}/hits") for code, one in world.nodes.items()}
    assert {code: {(hit["record_id"], hit["counterpart"]) for hit in hits["hits"]} for code, hits in found.items()} == {
        "AL": {("al-list-1", "RS")},
        "RS": {("rs-1", "AL"), ("rs-2", "SI")},
        "SI": {("si-1", "RS")},
    }
    record = world.nodes["RS"].node.rounds.of(round_id).record()
    lists = {code: record.list_of(code) or "" for code in world.nodes}
    columns = {code: sorted(to for one, to in record.tokens if one == lists[code]) for code in lists}
    assert columns == {"AL": ["RS"], "RS": ["AL", "SI"], "SI": ["RS"]}
    for code, party_node in world.nodes.items():
        allowed = set(columns[code])
        assert await told_of(party_node, round_id) == allowed
        for other in lists.keys() - {code}:
            # All have evaluated and have their evaluations, so that nothing is left of whom it may ask.
            with pytest.raises(NotFoundError if other in allowed else PolicyError):
                await party_node.node.peer.call("GET", f"/v1/rounds/{round_id}/submissions/{lists[other]}/blinded/0")
        with party_node.node.store.reading("test.downloads") as session:
            assert {lists[other] for other in allowed} == set(session.scalars(select(ChunkDownloadRow.submission_id)))
            assert allowed == set(session.scalars(select(EvaluationDownloadRow.party)))
        assert {of.evaluator for of in record.evaluations if of.submission_id == lists[code]} == allowed
        assert texts((await party_node.round(round_id))["problems"]) == []
