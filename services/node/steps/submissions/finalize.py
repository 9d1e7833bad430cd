"""Step 8: verified evaluations become tokens, sealed on the disk, then a signed statement (PROTOCOL.md 3.6).

Several chunks are finalized at once; each is sealed and committed alone, in order.
"""

from __future__ import annotations

import hashlib
from asyncio import to_thread
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aquila.protocol.messages import Kind
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.submissions.submission import ROW, FinalizedChunk
from aquila.protocol.submissions.tasks import FinalizeTask
from services.kit.logging import Log
from services.kit.storage.files import ChunkFiles
from services.kit.storage.store import Store
from services.kit.work.drivers import run_in_order, until
from services.node.context import NodeContext
from services.node.logs.checks import may_sign
from services.node.rounds import paths, statements
from services.node.safeguards import shadow_columns
from services.node.steps.consent import signed_under
from services.node.steps.submissions.tasks import FINALIZE, SMALL_ELEMENTS
from services.node.steps.verify_logs import prove_log
from services.node.storage.states import VERIFIED, SubmissionState
from services.node.storage.tables import ChunkRow, EvaluationDownloadRow, SubmissionRow, TokenPartRow

_LOG = Log("node.finalize")


async def finalize(node: NodeContext, round_id: str, ends: Callable[[], bool]) -> bool:
    """Finalize the next chunks of a submission whose tokens are due, and sign for all; return whether there was one.

    Raises:
        ExecutorError: A worker is gone; its chunk is finalized again.
        AquilaError: The matcher's log cannot be found right; the tokens are signed when it can.
    """
    if not node.rounds.of(round_id).ready:
        return False
    row = await to_thread(_due, node, round_id)
    if row is None:
        return False
    round_ = node.rounds.of(round_id).record()
    chunks = await to_thread(_unfinished, node.store, row)
    begin, finish = partial(_begin, node, round_), partial(_finish, node)
    if await run_in_order(until(ends, chunks), begin, finish, await node.ahead()) == len(chunks):
        if await to_thread(_sign, node, round_, row):
            return True
        await prove_log(node)
        return await to_thread(_sign, node, round_, row) or bool(chunks)
    return True


def _due(node: NodeContext, round_id: str) -> SubmissionRow | None:
    memory = node.rounds.of(round_id)
    round_ = memory.record()
    query = select(SubmissionRow).where(
        SubmissionRow.round_id == round_id, SubmissionRow.state == SubmissionState.SUBMITTED
    )
    with node.store.reading("finalize.due") as session:
        due = [row for row in session.scalars(query) if _is_due(session, round_, row, memory.ready)]
        if not due or signed_under(session, node.registry, round_):
            return None
    return due[0]


def _unfinished(store: Store, row: SubmissionRow) -> Sequence[ChunkRow]:
    query = select(ChunkRow).where(ChunkRow.submission_id == row.submission_id, ~ChunkRow.finalized)
    with store.reading("finalize.chunks") as session:
        return session.scalars(query.order_by(ChunkRow.index)).all()


def _is_due(session: Session, round_: Round, row: SubmissionRow, ready: frozenset[str]) -> bool:
    """Return whether every list is signed and every evaluation verified here, and the matcher holds tokens for due."""
    submission = round_.submissions.get(row.submission_id)
    if submission is None or row.submission_id not in ready:
        return False
    if row.kind == Kind.QUERY and not shadow_columns.is_next(session, round_, row.submission_id):
        return False
    if any(round_.list_of(party) is None for party in round_.participants):
        return False  # the matcher's word alone is not enough (3.6.4)
    evaluators = round_.evaluators_of(row.submission_id)
    query = select(func.count()).where(
        EvaluationDownloadRow.submission_id == row.submission_id,
        EvaluationDownloadRow.party.in_(evaluators),
        EvaluationDownloadRow.state.in_(VERIFIED),
    )
    return session.scalar(query) == len(submission.chunks) * len(evaluators)


async def _begin(node: NodeContext, round_: Round, chunk: ChunkRow) -> dict[str, FinalizedChunk]:
    small = chunk.elements <= SMALL_ELEMENTS
    return await node.workers.run(FINALIZE, await to_thread(_work, node, round_, chunk), small=small)


def _work(node: NodeContext, round_: Round, chunk: ChunkRow) -> FinalizeTask:
    parties = round_.evaluators_of(chunk.submission_id)
    return work_on_tokens(node, round_, chunk, {party: read_evaluated(node.files, chunk, party) for party in parties})


def read_evaluated(files: ChunkFiles, chunk: ChunkRow, party: str) -> bytes:
    """Return a party's evaluation of a chunk, which was verified; raises as `ChunkFiles.read` does."""
    return files.read(paths.evaluated(chunk.round_id, chunk.submission_id, party, chunk.index))


async def _finish(node: NodeContext, chunk: ChunkRow, begun: Awaitable[dict[str, FinalizedChunk]]) -> None:
    await to_thread(_keep, node, chunk, await begun)


def _keep(node: NodeContext, chunk: ChunkRow, made: Mapping[str, FinalizedChunk]) -> None:
    """Seal one chunk's tokens and their secrets."""
    parts = seal_tokens(node, chunk.round_id, chunk.submission_id, chunk.index, made)
    # If we crash here, the same tokens are made again.
    with node.store.transaction("finalize.chunk") as session:
        record_tokens(session, (chunk.submission_id, chunk.index), parts)


def seal_tokens(
    node: NodeContext, round_id: str, submission_id: str, index: int, made: Mapping[str, FinalizedChunk]
) -> list[TokenPartRow]:
    """Write one chunk's tokens for each counterpart and their secrets, encrypted; return rows for `record_tokens`.

    Raises:
        KeyMaterialError: The round key is missing.
    """
    memory, parts = node.rounds.of(round_id), []
    round_ = memory.record()
    chunks = len(round_.submissions[submission_id].chunks)
    for number, counterpart in enumerate(round_.evaluators_of(submission_id)):
        chunk = made[counterpart]
        place = number * chunks + index
        for name, content in (
            (paths.tokens(round_id, submission_id, place), chunk.rows),
            (paths.token_secrets(round_id, submission_id, place), chunk.secrets),
        ):
            node.files.write(name, memory.seal(name, content))
        parts.append(
            TokenPartRow(
                submission_id=submission_id,
                index=place,
                round_id=round_id,
                counterpart=counterpart,
                is_rows=True,
                size=len(chunk.rows),
                digest=hashlib.sha256(chunk.rows).hexdigest(),
            )
        )
    return parts


def record_tokens(session: Session, chunk: tuple[str, int], parts: Sequence[TokenPartRow]) -> None:
    """Note that the tokens of a chunk are made, which `seal_tokens` wrote."""
    row = session.get_one(ChunkRow, chunk)
    if not row.finalized:
        row.finalized = True
        session.add_all(parts)


def work_on_tokens(node: NodeContext, round_: Round, chunk: ChunkRow, evaluations: Mapping[str, bytes]) -> FinalizeTask:
    """Return the work of making a chunk's tokens from all its evaluations; of some the bytes may follow.

    Raises:
        OrderError: One is missing.
        KeyMaterialError: The round key is missing.
    """
    memory, index, submission = node.rounds.of(chunk.round_id), chunk.index, chunk.submission_id
    rows = np.frombuffer(node.files.read(paths.rows(chunk.round_id, submission, index)), dtype=ROW)
    with memory.seed(submission) as seed:
        return node.party.to_finalize(round_, memory.secrets(), seed, submission, index, rows, evaluations)


def _sign(node: NodeContext, round_: Round, row: SubmissionRow) -> bool:
    """Sign for the tokens, once the matcher's log provably holds all earlier statements; return whether it did.

    From here on this node signs no amendment.
    """
    node.rounds.of(row.round_id).check_key()
    with node.store.reading("finalize.may_sign") as session:
        if not may_sign(session, row.round_id):
            return False
    # If we crash here, the same columns are made again.
    columns, pieces = shadow_columns.make_columns(node, round_, row)
    with node.store.transaction("finalize.sign") as session:
        if not may_sign(session, row.round_id):
            return False
        session.add_all(pieces)
        statements.sign(
            session,
            node.signer,
            row.round_id,
            lambda number: node.party.tokens(round_, number, row.submission_id, columns),
        )
        session.get_one(SubmissionRow, row.submission_id).enter(SubmissionState.FINALIZED)
    # If we crash here, what is not needed any more stays until the round is closed.
    folder = paths.submission(row.round_id, row.submission_id)
    node.files.delete_tree(f"{folder}/evaluated")
    node.files.delete_tree(f"{folder}/rows")
    _LOG.info("tokens_signed", round=row.round_id, submission=row.submission_id, count=len(columns))
    return True
