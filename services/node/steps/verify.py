"""Step 7: evaluations of own chunks, verified before anything is made of them (PROTOCOL.md 3.6)."""

from __future__ import annotations

from asyncio import to_thread
from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy import select

from aquila.errors import DigestError, MalformedError, OrderError, ProofError
from services.kit.errors import NotFoundError
from services.kit.logs import Log
from services.node import places
from services.node.book import book_of
from services.node.steps.evaluate import give_up, next_available, try_again
from services.node.tables import AvailableRow

if TYPE_CHECKING:
    from services.node.node import Node

_LOG = Log("node.verify")


async def verify(node: Node, round_id: str) -> bool:
    """Fetch and verify the next evaluation of an own chunk, and tell whether there was one.

    Raises:
        PeerUnavailableError: The matcher is away.
    """
    row = await to_thread(next_available, node, round_id, evaluations=True)
    if row is None:
        return False
    try:
        content = (await node.peer.call("GET", _path(row))).content
        await to_thread(verify_chunk, node, row, content)
    except (DigestError, NotFoundError) as error:
        # The matcher, or what lies between, gave other bytes than were signed: nobody says it was the evaluator.
        await to_thread(try_again, node, row, f"an evaluation of {row.party} cannot be had: {error.message}")
    except (ProofError, MalformedError) as error:
        sentence = f"{row.party} evaluated chunk {row.index} wrongly: {error.message}"
        await to_thread(give_up, node, row, sentence)
        _LOG.error("wrong_evaluation", round=round_id, counterpart=row.party, chunk=row.index, error=error)
    return True


def verify_chunk(node: Node, row: AvailableRow, content: bytes) -> None:
    """Verify one evaluation and keep it.

    Raises:
        DigestError, MalformedError, ProofError: It is none of what its evaluator's share gives.
    """
    round_ = book_of(node, row.round_id).record()
    evaluation = round_.evaluations[row.submission_id, row.index, row.party]
    chunk = node.files.read(places.blinded(row.round_id, row.submission_id, row.index))
    node.party.check_evaluation(round_, evaluation, chunk, content)
    node.files.write(places.evaluated(row.round_id, row.submission_id, row.party, row.index), content)
    # If we crash here, it is fetched and verified again.
    with node.store.transaction("evaluation.verified") as session:
        session.get_one(AvailableRow, (row.submission_id, row.index, row.party)).state = "done"


async def acknowledge(node: Node, round_id: str) -> bool:
    """Let the matcher delete evaluations that are verified and stored here, and tell whether there were any.

    Raises:
        PeerUnavailableError: The matcher is away.
    """
    rows = await to_thread(_verified, node, round_id)
    for row in rows:
        with suppress(NotFoundError, OrderError):  # gone already
            await node.peer.call("DELETE", _path(row))
        await to_thread(_acknowledged, node, row)
    return bool(rows)


def _verified(node: Node, round_id: str) -> list[AvailableRow]:
    query = select(AvailableRow).where(
        AvailableRow.round_id == round_id, AvailableRow.party != "", AvailableRow.state == "done"
    )
    with node.store.reading("evaluation.verified") as session:
        return list(session.scalars(query.limit(16)))


def _acknowledged(node: Node, row: AvailableRow) -> None:
    with node.store.transaction("evaluation.acknowledged") as session:
        stored = session.get(AvailableRow, (row.submission_id, row.index, row.party))
        if stored is not None:
            stored.state = "acknowledged"


def _path(row: AvailableRow) -> str:
    return f"/v1/rounds/{row.round_id}/submissions/{row.submission_id}/evaluations/{row.party}/{row.index}"
