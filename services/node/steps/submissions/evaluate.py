"""Step 6: other parties' chunks, each evaluated once and counted before the answer leaves (PROTOCOL.md 3.5).

Several chunks are fetched and evaluated at once; each is signed, counted and committed alone, in order.
Bytes to be fetched wait in two queues, of chunks and of evaluations. A failed fetch is repeated a few times, since
bytes can change on the way; then they are given up.
"""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from aquila.crypto.group import ELEMENT_BYTES
from aquila.crypto.keys import KEY_BYTES
from aquila.errors import CapError, DigestError, MalformedError, OrderError
from aquila.protocol.messages import Evaluation
from aquila.protocol.party import EvaluatedChunk, chunk_of
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.submissions.tasks import ChunkEvaluation, EvaluateTask
from aquila.sentences import Sentence
from services.kit.errors import NotFoundError
from services.kit.log.entries import Journal
from services.kit.logging import Log
from services.kit.storage.store import Store
from services.kit.work.drivers import run_in_order, until
from services.node.context import NodeContext, Signer
from services.node.round_memory import RoundMemories
from services.node.rounds import paths, statements
from services.node.safeguards import evaluation_limits
from services.node.steps.submissions.tasks import EVALUATE, SMALL_ELEMENTS
from services.node.storage.states import ChunkDownloadState
from services.node.storage.tables import ChunkDownloadRow, EvaluationCountRow, EvaluationDownloadRow, EvaluationRow

_LOG = Log("node.evaluate")


async def evaluate(node: NodeContext, round_id: str, ends: Callable[[], bool]) -> bool:
    """Evaluate the next chunks of other parties, and return whether there were any.

    Raises:
        KeyMaterialError: The round key is missing.
        ExecutorError: A worker is gone; its chunk is evaluated again.
    """
    if node.rounds.of(round_id).is_paused():
        return False  # the matcher has no room for answers: more of them would only fill our own disk
    rows = await to_thread(_allowed, node, round_id)
    if not rows:
        return False
    await run_in_order(until(ends, rows), partial(_begin, node), partial(_finish, node), await node.ahead())
    return True


def _allowed(node: NodeContext, round_id: str) -> Sequence[ChunkDownloadRow]:
    """Return the next chunks within this node's evaluation limits; the others wait, and that is reported."""
    memory = node.rounds.of(round_id)
    round_ = memory.record()
    if node.code not in round_.locks:
        return []  # no evaluation counts before them; whoever has none in time compares nothing in this round
    with node.store.reading("evaluation.allowance") as session:
        rows, full = evaluation_limits.allowed(
            session, node.clock, node.settings.caps, round_, partial(waiting, session, ChunkDownloadRow, round_id)
        )
    if full != memory.no_room_for:
        with node.store.transaction("evaluation.no_room") as session:
            evaluation_limits.report_exhausted(session, node, round_, memory.no_room_for, full)
        memory.no_room_for = full
    return rows


async def _begin(node: NodeContext, row: ChunkDownloadRow) -> ChunkEvaluation:
    chunk = node.rounds.of(row.round_id).brought.pop((row.submission_id, row.index, ""), None)
    if chunk is None:
        path = f"/v1/rounds/{row.round_id}/submissions/{row.submission_id}/blinded/{row.index}"
        chunk = (await node.peer.call("GET", path)).content
    small = len(chunk) <= SMALL_ELEMENTS * ELEMENT_BYTES
    return await node.workers.run(EVALUATE, await to_thread(_work, node, row, chunk), small=small)


def _work(node: NodeContext, row: ChunkDownloadRow, chunk: bytes) -> EvaluateTask:
    memory = node.rounds.of(row.round_id)
    with node.store.reading("evaluation.cap") as session:
        _check_cap(session, memory.record(), row)
    return node.party.to_evaluate(
        memory.record(), memory.secrets(), row.submission_id, row.index, chunk, node.random(KEY_BYTES)
    )


async def _finish(node: NodeContext, row: ChunkDownloadRow, begun: Awaitable[ChunkEvaluation]) -> None:
    try:
        await to_thread(store_answer, node, row, await begun)
    except (DigestError, NotFoundError, OrderError) as error:
        problem = Sentence.of("chunk_cannot_be_had", reason=error.sentence)
        await to_thread(try_again, node.journal, row, problem)
    except (MalformedError, CapError) as error:
        origin = await to_thread(_origin, node.rounds, row)
        problem = Sentence.of("chunk_not_evaluated", chunk=row.index, party=origin, reason=error.sentence)
        await to_thread(give_up, node.journal, row, problem)
        await to_thread(node.files.delete, paths.answer(row.round_id, row.submission_id, row.index))


def store_answer(node: NodeContext, row: ChunkDownloadRow, evaluated: ChunkEvaluation) -> None:
    """Sign one evaluation, and commit statement, count and answer together.

    Raises:
        CapError: With this chunk it would be more than the cap.
        OrderError: Meanwhile its origin left the round.
        KeyMaterialError: The round key is missing.
    """
    memory = node.rounds.of(row.round_id)
    memory.check_key()
    # If we crash here, nobody has seen an answer; the elements come out the same, the proof is made again.
    node.files.write(paths.answer(row.round_id, row.submission_id, row.index), evaluated.elements)
    # The evaluation and its count are committed before the answer leaves.
    with memory.reading() as round_, node.store.transaction("evaluation.commit") as session:
        stored = session.get_one(ChunkDownloadRow, row.key)
        if stored.state != ChunkDownloadState.WAITING:
            return  # answered or given up already: it is never signed twice
        # Counted once more: what was in flight beside it may have used the cap up.
        _check_cap(session, round_, row)
        if not evaluation_limits.has_remaining(session, node.clock, node.settings.caps, round_, row):
            return  # so does what was evaluated in another round meanwhile; the chunk waits
        number = statements.next_number(session, row.round_id)
        answer = node.party.sign_evaluation(round_, number, row.submission_id, row.index, evaluated)
        _commit(session, node.signer, round_, row, answer)
        stored.enter(ChunkDownloadState.EVALUATED)
    # If we crash here, the outbox sends both.
    _LOG.info("chunk_evaluated", round=row.round_id, submission=row.submission_id, chunk=row.index)


def _check_cap(session: Session, round_: Round, row: ChunkDownloadRow) -> None:
    """Count once more what this node evaluated for the origin, by itself (PROTOCOL.md 3.4.3)."""
    submission = round_.submissions.get(row.submission_id)
    if submission is None:
        return  # its origin left; whoever works on it says so
    reference = chunk_of(submission, row.index)
    counted = session.get(EvaluationCountRow, (row.round_id, submission.party, reference.input_class.value))
    total = (counted.elements if counted else 0) + reference.elements
    cap = round_.cap_of(submission.party, reference.input_class)
    if total > cap:
        raise CapError("node_evaluation_cap_reached", expected=cap, got=total)


def _commit(session: Session, signer: Signer, round_: Round, row: ChunkDownloadRow, answer: EvaluatedChunk) -> None:
    statements.put_signed(session, signer, row.round_id, answer.envelope)
    said = Evaluation.from_payload(statements.open_statement(signer.registry, answer.envelope).payload)
    session.add(
        EvaluationRow(
            submission_id=row.submission_id,
            index=row.index,
            round_id=row.round_id,
            origin=said.origin,
            input_class=said.input_class.value,
            elements=said.elements,
            output_digest=said.output_digest,
        )
    )
    counted = session.get(EvaluationCountRow, (row.round_id, said.origin, said.input_class.value))
    if counted is None:
        counted = EvaluationCountRow(
            round_id=row.round_id, origin=said.origin, input_class=said.input_class.value, elements=0
        )
        session.add(counted)
    counted.elements += said.elements
    evaluation_limits.count(session, signer.clock, round_, said)


def _origin(rounds: RoundMemories, row: ChunkDownloadRow) -> str:
    return rounds.of(row.round_id).record().submissions[row.submission_id].party


MOST_ATTEMPTS = 3
PER_TURN = 512

RowT = TypeVar("RowT", ChunkDownloadRow, EvaluationDownloadRow)


def next_waiting(store: Store, queue: type[RowT], round_id: str) -> Sequence[RowT]:
    """Return the next rows of a queue that wait, as many as one turn takes."""
    with store.reading("download.next") as session:
        return waiting(session, queue, round_id)


def waiting(
    session: Session, queue: type[RowT], round_id: str, without: frozenset[str] = frozenset()
) -> Sequence[RowT]:
    """Return the next rows of a queue that wait, without those of some submissions."""
    query = select(queue).where(queue.round_id == round_id, queue.is_waiting(), queue.submission_id.not_in(without))
    return session.scalars(query.order_by(queue.attempts, *inspect(queue).primary_key).limit(PER_TURN)).all()


def try_again(journal: Journal, row: RowT, problem: Sentence) -> None:
    """Count a failed fetch; after a few the bytes are given up."""
    if row.attempts + 1 >= MOST_ATTEMPTS:
        give_up(journal, row, Sentence.of("given_up", problem=problem, attempts=MOST_ATTEMPTS))
        return
    with journal.store.transaction("download.again") as session:
        session.get_one(type(row), row.key).attempts = row.attempts + 1


def give_up(journal: Journal, row: RowT, problem: Sentence) -> None:
    """Reject these bytes for good, and report why."""
    with journal.store.transaction("download.give_up") as session:
        session.get_one(type(row), row.key).fail()
        statements.report_problem(session, journal.clock, row.round_id, row.subject, problem)
