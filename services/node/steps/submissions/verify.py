"""Step 7: evaluations of own chunks, verified before anything is made of them (PROTOCOL.md 3.6)."""

from __future__ import annotations

from asyncio import to_thread
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import select

from aquila.crypto.group import ELEMENT_BYTES
from aquila.errors import DigestError, MalformedError, OrderError, ProofError
from aquila.protocol.messages import Kind
from aquila.protocol.rounds.round_state import EvaluationKey
from aquila.sentences import Sentence
from services.kit.errors import NotFoundError
from services.kit.logging import Log
from services.kit.work.pipeline import run_in_order, until
from services.node.rounds import paths
from services.node.steps.submissions.downloads import PER_TURN, give_up, next_waiting, try_again
from services.node.steps.submissions.tasks import SMALL_ELEMENTS, VERIFY
from services.node.storage.states import EvaluationDownloadState
from services.node.storage.tables import EvaluationDownloadRow, SubmissionRow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from aquila.protocol.submissions.tasks import VerifyTask
    from services.kit.http.peer import Peer
    from services.kit.storage.files import ChunkFiles
    from services.kit.storage.store import Store
    from services.node.context import NodeContext

_LOG = Log("node.verify")


async def verify(node: NodeContext, round_id: str, ends: Callable[[], bool]) -> bool:
    """Fetch and verify the next evaluations of own chunks, and return whether there were any.

    Raises:
        PeerUnavailableError: The matcher is away.
        ExecutorError: A worker is gone; its evaluation is fetched and verified again.
    """
    rows = await to_thread(next_waiting, node.store, EvaluationDownloadRow, round_id)
    if not rows:
        return False
    await run_in_order(until(ends, rows), partial(_begin, node), partial(_finish, node), await node.ahead())
    return True


async def _begin(node: NodeContext, row: EvaluationDownloadRow) -> bytes:
    """Return an evaluation that is what its evaluator's share gives."""
    content = node.rounds.of(row.round_id).brought.pop((row.submission_id, row.index, row.party), None)
    if content is None:
        content = (await node.peer.call("GET", _path(row))).content
    small = len(content) <= SMALL_ELEMENTS * ELEMENT_BYTES
    await node.workers.run(VERIFY, await to_thread(_work, node, row, content), small=small)
    return content


def _work(node: NodeContext, row: EvaluationDownloadRow, content: bytes) -> VerifyTask:
    round_ = node.rounds.of(row.round_id).record()
    evaluation = round_.evaluations[EvaluationKey(row.submission_id, row.index, row.party)]
    chunk = node.files.read(paths.blinded(row.round_id, row.submission_id, row.index))
    return node.party.to_verify(round_, evaluation, chunk, content)


async def _finish(node: NodeContext, row: EvaluationDownloadRow, begun: Awaitable[bytes]) -> None:
    try:
        await to_thread(_keep, node.store, node.files, row, await begun)
    except (DigestError, NotFoundError) as error:
        # The matcher, or what lies between, gave other bytes than were signed: nobody says it was the evaluator.
        problem = Sentence.of("evaluation_cannot_be_had", party=row.party, reason=error.sentence)
        await to_thread(try_again, node.journal, row, problem)
    except (ProofError, MalformedError) as error:
        problem = Sentence.of("chunk_evaluated_wrongly", party=row.party, chunk=row.index, reason=error.sentence)
        await to_thread(give_up, node.journal, row, problem)
        node.counts.add(type(error).__name__)
        _LOG.error("wrong_evaluation", round=row.round_id, counterpart=row.party, chunk=row.index, error=error)


def _keep(store: Store, files: ChunkFiles, row: EvaluationDownloadRow, content: bytes) -> None:
    files.write(paths.evaluated(row.round_id, row.submission_id, row.party, row.index), content)
    # If we crash here, it is fetched and verified again.
    with store.transaction("evaluation.verified") as session:
        stored = session.get_one(EvaluationDownloadRow, row.key)
        stored.enter(EvaluationDownloadState.VERIFIED)


async def acknowledge(node: NodeContext, round_id: str, ends: Callable[[], bool]) -> bool:
    """Let the matcher delete evaluations that are verified and stored here, and return whether there were any.

    Those of a query go by themselves as soon as it is matched.

    Raises:
        PeerUnavailableError: The matcher is away.
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
