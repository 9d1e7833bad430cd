"""Step 7: evaluations of own chunks, verified before anything is made of them (PROTOCOL.md 3.6)."""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import select

from aquila.crypto.group import ELEMENT_BYTES
from aquila.errors import AquilaError, DigestError, MalformedError, OrderError, ProofError
from aquila.protocol.messages import Kind
from aquila.protocol.rounds.round_state import EvaluationKey
from aquila.protocol.submissions.submission import FinalizedChunk
from aquila.protocol.submissions.tasks import VerifyTask
from aquila.sentences import Sentence
from services.kit.errors import NotFoundError
from services.kit.http.peer import Peer
from services.kit.logging import Log
from services.kit.storage.store import Store
from services.kit.work.drivers import run_in_order, until
from services.node.context import NodeContext
from services.node.rounds import paths
from services.node.steps.submissions.evaluate import PER_TURN, give_up, next_waiting, try_again
from services.node.steps.submissions.finalize import missing_rows, read_evaluated, seal_tokens, work_on_tokens
from services.node.steps.submissions.tasks import SMALL_ELEMENTS, VERIFY_ANSWERS, AnswersTask
from services.node.storage.states import VERIFIED, EvaluationDownloadState
from services.node.storage.tables import ChunkRow, EvaluationDownloadRow, SubmissionRow

_LOG = Log("node.verify")


async def verify(node: NodeContext, round_id: str, ends: Callable[[], bool]) -> bool:
    """Fetch and verify the next evaluations of own chunks, and return whether there were any.

    Those of one chunk are verified together. With the last ones its tokens are made too, while the elements are at
    hand; they are signed for when they are due (`finalize`), and where some evaluations are missing, made then.

    Raises:
        KeyMaterialError: The round key is missing.
        ExecutorError: A worker is gone; its evaluations are fetched and verified again.
    """
    rows = await to_thread(next_waiting, node.store, EvaluationDownloadRow, round_id)
    if not rows:
        return False
    answers = _by_chunk(rows)
    await run_in_order(until(ends, answers), partial(_begin, node), partial(_finish, node), await node.ahead())
    return True


def _by_chunk(rows: Sequence[EvaluationDownloadRow]) -> list[list[EvaluationDownloadRow]]:
    """Part evaluations by their chunks, in the order in which these come first."""
    parted: dict[tuple[str, int], list[EvaluationDownloadRow]] = {}
    for row in rows:
        parted.setdefault((row.submission_id, row.index), []).append(row)
    return list(parted.values())


@dataclass(slots=True)
class _Answers:
    """Outcome of the fetch and verification of evaluations of one chunk, by their parties."""

    right: dict[str, bytes] = field(default_factory=dict)
    """The bytes of those that are what their evaluators' shares give."""
    wrong: dict[str, AquilaError] = field(default_factory=dict)
    """The reason of each of the others."""
    made: dict[str, FinalizedChunk] | None = None
    """The tokens of the chunk, if these were the last ones."""


async def _begin(node: NodeContext, rows: Sequence[EvaluationDownloadRow]) -> _Answers:
    """Fetch and verify evaluations of one chunk."""
    found = _Answers()
    works: dict[str, VerifyTask] = {}
    for row in rows:
        try:
            content = await _fetch(node, row)
            works[row.party] = await to_thread(_work, node, row, content)
        except (DigestError, NotFoundError) as error:
            found.wrong[row.party] = error
    if not works:
        return found
    together = await to_thread(_together, node, rows[0], works)
    small = len(together.chunk) <= SMALL_ELEMENTS * ELEMENT_BYTES
    try:
        found.made = await node.workers.run(VERIFY_ANSWERS, together, small=small)
        found.right = {party: work.elements for party, work in works.items()}
    except (ProofError, MalformedError):
        await _tell_apart(node, works, together.chunk, found, small=small)
    return found


async def _tell_apart(
    node: NodeContext, works: Mapping[str, VerifyTask], chunk: bytes, found: _Answers, *, small: bool
) -> None:
    """Verify evaluations one by one, of which one is wrong at least."""
    for party, work in works.items():
        try:
            await node.workers.run(VERIFY_ANSWERS, AnswersTask(chunk, {party: work}), small=small)
            found.right[party] = work.elements
        except (ProofError, MalformedError) as error:
            found.wrong[party] = error


async def _fetch(node: NodeContext, row: EvaluationDownloadRow) -> bytes:
    """Return the bytes of an evaluation, which came with the feed or are at the matcher; raises as `Peer.call` does."""
    content = node.rounds.of(row.round_id).brought.pop((row.submission_id, row.index, row.party), None)
    return (await node.peer.call("GET", _path(row))).content if content is None else content


def _work(node: NodeContext, row: EvaluationDownloadRow, content: bytes) -> VerifyTask:
    round_ = node.rounds.of(row.round_id).record()
    evaluation = round_.evaluations[EvaluationKey(row.submission_id, row.index, row.party)]
    return node.party.to_verify(round_, evaluation, content)


def _together(node: NodeContext, row: EvaluationDownloadRow, works: Mapping[str, VerifyTask]) -> AnswersTask:
    """Return the work of verifying evaluations of a row's chunk, and of making its tokens if they are the last ones."""
    chunk = node.files.read(paths.blinded(row.round_id, row.submission_id, row.index))
    round_ = node.rounds.of(row.round_id).record()
    with node.store.reading("evaluation.others") as session:
        own = session.get_one(ChunkRow, (row.submission_id, row.index))
        query = select(EvaluationDownloadRow.party).where(
            EvaluationDownloadRow.submission_id == row.submission_id,
            EvaluationDownloadRow.index == row.index,
            EvaluationDownloadRow.state.in_(VERIFIED),
        )
        verified = set(session.scalars(query))
        evaluators = round_.evaluators_of(row.submission_id)
        missing = missing_rows(session, own, evaluators)
    if not verified.union(works).issuperset(evaluators):
        return AnswersTask(chunk, works)
    earlier = {party: read_evaluated(node.files, own, party) for party in missing if party not in works}
    return AnswersTask(chunk, works, work_on_tokens(node, round_, own, dict.fromkeys(works, b"") | earlier))


async def _finish(node: NodeContext, rows: Sequence[EvaluationDownloadRow], begun: Awaitable[_Answers]) -> None:
    found = await begun
    if found.right:
        await to_thread(_keep, node, [row for row in rows if row.party in found.right], found)
    for row in rows:
        if row.party in found.wrong:
            await to_thread(_refuse, node, row, found.wrong[row.party])


def _refuse(node: NodeContext, row: EvaluationDownloadRow, error: AquilaError) -> None:
    """Have an evaluation fetched again, or give it up where the evaluator signed a wrong one."""
    if isinstance(error, DigestError | NotFoundError):
        # The matcher, or what lies between, gave other bytes than were signed: nobody says it was the evaluator.
        problem = Sentence.of("evaluation_cannot_be_had", party=row.party, reason=error.sentence)
        try_again(node.journal, row, problem)
        return
    problem = Sentence.of("chunk_evaluated_wrongly", party=row.party, chunk=row.index, reason=error.sentence)
    give_up(node.journal, row, problem)
    node.counts.add(type(error).__name__)
    _LOG.error("wrong_evaluation", round=row.round_id, counterpart=row.party, chunk=row.index, error=error)


def _keep(node: NodeContext, rows: Sequence[EvaluationDownloadRow], found: _Answers) -> None:
    """Store evaluations of one chunk that are right, and its tokens if they are made."""
    first, made = rows[0], found.made
    for row in rows:
        name = paths.evaluated(row.round_id, row.submission_id, row.party, row.index)
        node.files.write(name, found.right[row.party])
    parts = [] if made is None else seal_tokens(node, first.round_id, first.submission_id, first.index, made)
    # If we crash here, they are fetched and verified again.
    with node.store.transaction("evaluation.verified") as session:
        for row in rows:
            session.get_one(EvaluationDownloadRow, row.key).enter(EvaluationDownloadState.VERIFIED)
        session.add_all(parts)


async def acknowledge(node: NodeContext, round_id: str, ends: Callable[[], bool]) -> bool:
    """Let the matcher delete evaluations that are verified and stored here, and return whether there were any.

    Those of a query go by themselves as soon as it is matched.
    """
    rows = await to_thread(_verified, node.store, round_id)
    if not rows:
        return False
    await run_in_order(until(ends, rows), partial(_delete, node.peer), partial(_acknowledge, node.store), node.calls)
    return True


def _verified(store: Store, round_id: str) -> Sequence[EvaluationDownloadRow]:
    lists = select(SubmissionRow.submission_id).where(SubmissionRow.kind == Kind.LIST.value)
    query = select(EvaluationDownloadRow).where(
        EvaluationDownloadRow.round_id == round_id,
        EvaluationDownloadRow.state == EvaluationDownloadState.VERIFIED,
        EvaluationDownloadRow.submission_id.in_(lists),
    )
    with store.reading("evaluation.verified") as session:
        return session.scalars(query.limit(PER_TURN)).all()


async def _delete(peer: Peer, row: EvaluationDownloadRow) -> None:
    await peer.call("DELETE", _path(row))


async def _acknowledge(store: Store, row: EvaluationDownloadRow, begun: Awaitable[None]) -> None:
    try:
        await begun
    except (NotFoundError, OrderError):
        _LOG.debug("evaluation_is_gone", round=row.round_id, submission=row.submission_id, chunk=row.index)
    await to_thread(_acknowledged, store, row)


def _acknowledged(store: Store, row: EvaluationDownloadRow) -> None:
    with store.transaction("evaluation.acknowledged") as session:
        stored = session.get(EvaluationDownloadRow, row.key)
        if stored is not None:
            stored.enter(EvaluationDownloadState.ACKNOWLEDGED)


def _path(row: EvaluationDownloadRow) -> str:
    return f"/v1/rounds/{row.round_id}/submissions/{row.submission_id}/evaluations/{row.party}/{row.index}"
