"""Step 6: other parties' chunks, each evaluated once and counted before the answer leaves (PROTOCOL.md 3.5)."""

from __future__ import annotations

from asyncio import to_thread
from typing import TYPE_CHECKING

from sqlalchemy import select

from aquila.crypto.keys import KEY_BYTES
from aquila.errors import CapError, DigestError, MalformedError, OrderError
from aquila.protocol.messages import Evaluation
from aquila.protocol.party import chunk_of
from services.kit.errors import NotFoundError
from services.kit.logs import Log
from services.node import ledger, places
from services.node.book import book_of
from services.node.tables import AvailableRow, EvaluationRow, SpentRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from aquila.protocol.party import EvaluatedChunk
    from aquila.protocol.rounds import Round
    from services.node.node import Node

_LOG = Log("node.evaluate")
MOST_ATTEMPTS = 3


async def evaluate(node: Node, round_id: str) -> bool:
    """Evaluate the next chunk of another party, and tell whether there was one.

    Raises:
        PeerUnavailableError: The matcher is away.
        KeyMaterialError: The round key is missing.
    """
    row = await to_thread(next_available, node, round_id, evaluations=False)
    if row is None:
        return False
    path = f"/v1/rounds/{round_id}/submissions/{row.submission_id}/blinded/{row.index}"
    try:
        chunk = (await node.peer.call("GET", path)).content
        await to_thread(evaluate_chunk, node, row, chunk)
    except (DigestError, NotFoundError, OrderError) as error:
        await to_thread(try_again, node, row, f"the chunk cannot be had: {error.message}")
    except (MalformedError, CapError) as error:
        origin = await to_thread(_origin, node, row)
        sentence = f"chunk {row.index} of {origin} is not evaluated: {error.message}"
        await to_thread(give_up, node, row, sentence)
    return True


def evaluate_chunk(node: Node, row: AvailableRow, chunk: bytes) -> None:
    """Evaluate one chunk and commit statement, count and answer.

    Raises:
        DigestError, MalformedError, CapError, OrderError: The chunk is not evaluated.
        KeyMaterialError: The round key is missing.
    """
    book = book_of(node, row.round_id)
    book.check_key()
    round_ = book.record()
    with node.store.reading("evaluation.number") as session:
        number = ledger.next_number(session, row.round_id)
        _check_cap(session, round_, row)
    answer = node.party.evaluate(
        round_, book.secrets(), number, row.submission_id, row.index, chunk, node.random(KEY_BYTES)
    )
    # If we crash here, nobody has seen an answer; the elements come out the same, the proof is made anew.
    node.files.write(places.answer(row.round_id, row.submission_id, row.index), answer.elements)
    # The evaluation and its count are committed before the answer leaves.
    with node.store.transaction("evaluation.commit") as session:
        _commit(session, node, row, answer)
    # If we crash here, the outbox sends both.
    _LOG.info("chunk_evaluated", round=row.round_id, submission=row.submission_id, chunk=row.index)


def _check_cap(session: Session, round_: Round, row: AvailableRow) -> None:
    """Count once more what this node evaluated for the origin, by itself (PROTOCOL.md 3.4.3).

    Raises:
        CapError: With this chunk it would be more than the cap.
    """
    submission = round_.submissions[row.submission_id]
    reference = chunk_of(submission, row.index)
    counted = session.get(SpentRow, (row.round_id, submission.party, reference.input_class.value))
    total = (counted.elements if counted else 0) + reference.elements
    cap = round_.manifest.cap_of(submission.party, reference.input_class)
    if total > cap:
        raise CapError("this node has evaluated as many elements as the cap allows", expected=cap, got=total)


def _commit(session: Session, node: Node, row: AvailableRow, answer: EvaluatedChunk) -> None:
    ledger.put_signed(session, node, row.round_id, answer.envelope)
    said = Evaluation.from_payload(ledger.opened(node, answer.envelope).payload)
    session.add(
        EvaluationRow(
            submission_id=row.submission_id, index=row.index, round_id=row.round_id, origin=said.origin,
            input_class=said.input_class.value, elements=said.elements, output_digest=said.output_digest,
        )
    )  # fmt: skip
    counted = session.get(SpentRow, (row.round_id, said.origin, said.input_class.value))
    if counted is None:
        counted = SpentRow(round_id=row.round_id, origin=said.origin, input_class=said.input_class.value, elements=0)
        session.add(counted)
    counted.elements += said.elements
    session.get_one(AvailableRow, (row.submission_id, row.index, row.party)).state = "done"


def next_available(node: Node, round_id: str, *, evaluations: bool) -> AvailableRow | None:
    """Return the next thing to fetch: an evaluation of an own chunk, or a chunk of another party."""
    query = select(AvailableRow).where(
        AvailableRow.round_id == round_id,
        AvailableRow.state == "waiting",
        AvailableRow.party != "" if evaluations else AvailableRow.party == "",
    )
    order = AvailableRow.attempts, AvailableRow.submission_id, AvailableRow.index, AvailableRow.party
    with node.store.reading("available.next") as session:
        return session.scalars(query.order_by(*order)).first()


def try_again(node: Node, row: AvailableRow, sentence: str) -> None:
    """Count a failed fetch; after a few the bytes are given up."""
    if row.attempts + 1 >= MOST_ATTEMPTS:
        give_up(node, row, f"{sentence} (tried {MOST_ATTEMPTS} times)")
        return
    with node.store.transaction("available.again") as session:
        session.get_one(AvailableRow, (row.submission_id, row.index, row.party)).attempts = row.attempts + 1


def give_up(node: Node, row: AvailableRow, sentence: str) -> None:
    """Never use these bytes, and say why."""
    with node.store.transaction("available.give_up") as session:
        session.get_one(AvailableRow, (row.submission_id, row.index, row.party)).state = "failed"
        place = f"chunk {row.submission_id} {row.index} {row.party}"
        ledger.note_problem(session, node, row.round_id, place, sentence)


def _origin(node: Node, row: AvailableRow) -> str:
    return book_of(node, row.round_id).record().submissions[row.submission_id].party
