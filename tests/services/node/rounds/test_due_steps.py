"""What is due in a round: one reading names it, and nothing that a step or a lane would find is left out."""

import pytest

from services.kit.errors import NotFoundError
from services.node.rounds.due_steps import Piece, due_in
from services.node.steps import exchange_notes, outbox
from services.node.steps.submissions import finalize, prepare, verify
from services.node.steps.submissions.evaluate import next_waiting
from services.node.storage.tables import ChunkDownloadRow, EvaluationDownloadRow, PendingStatementRow
from tests.support.node_world import PartyNode, World

pytestmark = pytest.mark.parties("AL", "RS")


def found_by_lanes(party_node: PartyNode, round_id: str) -> set[Piece]:
    """Return what the pieces of work of a node find in a round by looking themselves."""
    node = party_node.node
    with node.store.reading("test.due") as session:
        signs = session.query(PendingStatementRow).first() is not None
        exchanges = exchange_notes._is_exchanging(session, round_id)
    found = {
        Piece.SIGN: signs,
        Piece.EXCHANGE: exchanges,
        Piece.PREPARE: prepare._next(node.store, round_id) is not None,
        Piece.EVALUATE: bool(next_waiting(node.store, ChunkDownloadRow, round_id)),
        Piece.VERIFY: bool(next_waiting(node.store, EvaluationDownloadRow, round_id)),
        Piece.FINALIZE: finalize._due(node, round_id) is not None,
        Piece.ACKNOWLEDGE: bool(verify._verified(node.store, round_id)),
        Piece.SAY: bool(outbox._unsent(node.store, round_id)),
        Piece.SEND: bool(outbox._pending_uploads(node, round_id)),
    }
    return {piece for piece, is_found in found.items() if is_found}


@pytest.mark.rounds
async def test_nothing_that_is_due_is_left_out(world: World) -> None:
    """From the consents to the end of a round, before each step, whatever a lane finds was named."""
    round_id = await world.begin()
    seen = set[Piece]()
    for _ in range(30):
        for party_node in world.nodes.values():
            due, found = due_in(party_node.node.store, round_id), found_by_lanes(party_node, round_id)
            assert found <= due.pieces
            seen |= found
        await world.step()
    assert {Piece.PREPARE, Piece.ACKNOWLEDGE} <= seen  # the others come to their end within their step


async def test_an_unknown_round_is_refused(world: World) -> None:
    """A round that the node does not know."""
    with pytest.raises(NotFoundError):
        due_in(world.nodes["AL"].node.store, "0" * 32)
