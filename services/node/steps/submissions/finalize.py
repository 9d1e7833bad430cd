"""Step 8: verified evaluations become columns of tokens, sealed on the disk, then signed statements (PROTOCOL.md 3.6).

A column is due as soon as its counterpart's list and evaluations are here; no other party is waited for. Several
chunks are finalized at once; each is sealed and committed alone, in order.
"""

from __future__ import annotations

from asyncio import to_thread
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aquila.interface.rounds import SubmissionState
from aquila.protocol.messages import Kind
from aquila.protocol.rounds.round_state import ColumnKey
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.submissions.submission import ROW, FinalizedChunk
from aquila.protocol.submissions.tasks import FinalizeTask
from services.kit.logging import Log
from services.kit.storage.files import ChunkFiles
from services.kit.storage.store import Store
from services.kit.work.drivers import run_in_order, until
from services.node.context import NodeContext
from services.node.logs.checks import may_sign
from services.node.rounds import paths, progress, statements
from services.node.safeguards import shadow_columns
from services.node.steps.submissions.tasks import FINALIZE, SMALL_ELEMENTS
from services.node.steps.verify_logs import prove_log
from services.node.storage.states import VERIFIED
from services.node.storage.tables import ChunkRow, EvaluationDownloadRow, SubmissionRow, TokenPartRow

_LOG = Log("node.finalize")


class DueColumns(NamedTuple):
    """A submission with columns that are due."""

    row: SubmissionRow
    """The submission."""
    counterparts: tuple[str, ...]
    """For whom they are; nobody where no column is left to come."""


async def finalize(node: NodeContext, round_id: str, ends: Callable[[], bool]) -> bool:
    """Make the columns of a submission that are due, and sign for each; return whether there was anything to do.

    Columns that are due together are made together, which takes less time than one by one.

    Raises:
        ExecutorError: A worker is gone; its chunk is finalized again.
        AquilaError: The matcher's log cannot be found right; the tokens are signed when it can.
    """
    due = await to_thread(_due, node, round_id)
    if due is None:
        return False
    round_ = node.rounds.of(round_id).record()
    chunks = await to_thread(_unfinished, node.store, due)
    begin, finish = partial(_begin, node, round_), partial(_finish, node)
    if await run_in_order(until(ends, chunks), begin, finish, await node.ahead()) == len(chunks):
        if await to_thread(_sign, node, round_, due):
            return True
        await prove_log(node)
        return await to_thread(_sign, node, round_, due) or bool(chunks)
    return True


def _due(node: NodeContext, round_id: str) -> DueColumns | None:
    """Return the submission that was asked for first of those with columns that are due, or with none to come."""
    round_ = node.rounds.of(round_id).record()
    query = select(SubmissionRow).where(
        SubmissionRow.round_id == round_id, SubmissionRow.state == SubmissionState.SUBMITTED
    )
    with node.store.reading("finalize.due") as session:
        rows = session.scalars(query.order_by(SubmissionRow.wished_at, SubmissionRow.submission_id)).all()
        signed = shadow_columns.signed_columns(session, round_id)
        found = _columns(session, round_, node.code, [row.submission_id for row in rows], signed)
    asked_next = shadow_columns.asked_next(round_, node.code, signed)
    for row in rows:
        if row.submission_id in found:
            columns = found[row.submission_id]
            may_go = asked_next if row.kind == Kind.QUERY else {one for one in columns.evaluated if round_.list_of(one)}
            due = tuple(one for one in columns.evaluated if one in may_go)
            if due or columns.are_over:
                return DueColumns(row, due)
    return None


@dataclass(slots=True)
class _Columns:
    """The counterparts of a submission, by how far its columns for them are."""

    signed: set[str]
    """Those whose column is signed."""
    evaluated: list[str]
    """Of the others those by whom every chunk was evaluated, and verified here."""
    to_come: list[str]
    """Of all others those by whom it can still be."""

    @property
    def are_over(self) -> bool:
        """Whether every column that can come is signed."""
        return bool(self.signed) and not self.evaluated and not self.to_come


def _columns(
    session: Session, round_: Round, code: str, submissions: Iterable[str], signed: Collection[ColumnKey]
) -> dict[str, _Columns]:
    """Return how far the columns of own submissions are, of those that the feed has shown."""
    own, of = [one for one in submissions if one in round_.submissions], EvaluationDownloadRow
    counted = select(of.submission_id, of.party, func.count()).where(of.submission_id.in_(own), of.state.in_(VERIFIED))
    groups = session.execute(counted.group_by(of.submission_id, of.party))
    verified = Counter({(submission, party): count for submission, party, count in groups})
    over = progress.never_come(session, round_, code).union(signed)
    found = {}
    for one in own:
        evaluators, chunks = round_.evaluators_of(one), len(round_.submissions[one].chunks)
        left = [p for p in evaluators if (one, p) not in over]
        found[one] = _Columns(
            signed={p for p in evaluators if (one, p) in signed},
            evaluated=[p for p in left if verified[one, p] == chunks],
            to_come=[p for p in left if verified[one, p] < chunks],
        )
    return found


def _unfinished(store: Store, due: DueColumns) -> Sequence[tuple[ChunkRow, list[str]]]:
    """Return the chunks of which token rows are missing, and for whom."""
    chunks = select(ChunkRow).where(ChunkRow.submission_id == due.row.submission_id).order_by(ChunkRow.index)
    with store.reading("finalize.chunks") as session:
        missing = ((chunk, missing_rows(session, chunk, due.counterparts)) for chunk in session.scalars(chunks).all())
        return [(chunk, counterparts) for chunk, counterparts in missing if counterparts]


def missing_rows(session: Session, chunk: ChunkRow, counterparts: Iterable[str]) -> list[str]:
    """Return those of some counterparts for whom the token rows of a chunk are not made."""
    rows = TokenPartRow.submission_id == chunk.submission_id, TokenPartRow.index == chunk.index
    made = set(session.scalars(select(TokenPartRow.counterpart).where(*rows)))
    return [counterpart for counterpart in counterparts if counterpart not in made]


async def _begin(node: NodeContext, round_: Round, place: tuple[ChunkRow, list[str]]) -> dict[str, FinalizedChunk]:
    small = place[0].elements <= SMALL_ELEMENTS
    return await node.workers.run(FINALIZE, await to_thread(_work, node, round_, *place), small=small)


def _work(node: NodeContext, round_: Round, chunk: ChunkRow, counterparts: Sequence[str]) -> FinalizeTask:
    return work_on_tokens(node, round_, chunk, {one: read_evaluated(node.files, chunk, one) for one in counterparts})


def read_evaluated(files: ChunkFiles, chunk: ChunkRow, party: str) -> bytes:
    """Return a party's evaluation of a chunk, which was verified; raises as `ChunkFiles.read` does."""
    return files.read(paths.evaluated(chunk.round_id, chunk.submission_id, party, chunk.index))


async def _finish(
    node: NodeContext, place: tuple[ChunkRow, list[str]], begun: Awaitable[dict[str, FinalizedChunk]]
) -> None:
    await to_thread(_keep, node, place[0], await begun)


def _keep(node: NodeContext, chunk: ChunkRow, made: Mapping[str, FinalizedChunk]) -> None:
    """Seal one chunk's tokens and their secrets."""
    parts = seal_tokens(node, chunk.round_id, chunk.submission_id, chunk.index, made)
    # If we crash here, the same tokens are made again.
    with node.store.transaction("finalize.chunk") as session:
        session.add_all(parts)


def seal_tokens(
    node: NodeContext, round_id: str, submission_id: str, index: int, made: Mapping[str, FinalizedChunk]
) -> list[TokenPartRow]:
    """Write one chunk's tokens for counterparts and their secrets, encrypted; return the rows that say so.

    Raises:
        KeyMaterialError: The round key is missing.
    """
    memory, parts = node.rounds.of(round_id), []
    for counterpart, chunk in made.items():
        place = round_id, submission_id, counterpart, index
        name = paths.finalized(*place)
        node.files.write(name, memory.seal(name, chunk.to_bytes()))
        parts.append(
            TokenPartRow(
                submission_id=submission_id,
                counterpart=counterpart,
                index=index,
                round_id=round_id,
                is_rows=True,
                size=len(chunk.rows),
            )
        )
    return parts


def work_on_tokens(node: NodeContext, round_: Round, chunk: ChunkRow, evaluations: Mapping[str, bytes]) -> FinalizeTask:
    """Return the work of making a chunk's tokens for those who evaluated it; of some the bytes may follow.

    Raises:
        KeyMaterialError: The round key is missing.
    """
    memory, index, submission = node.rounds.of(chunk.round_id), chunk.index, chunk.submission_id
    rows = np.frombuffer(node.files.read(paths.rows(chunk.round_id, submission, index)), dtype=ROW)
    with memory.seed(submission) as seed:
        return node.party.to_finalize(round_, memory.secrets(), seed, submission, index, rows, evaluations)


def _sign(node: NodeContext, round_: Round, due: DueColumns) -> bool:
    """Sign for one column after the other, as long as the matcher's log provably holds all earlier statements.

    Returns:
        Whether a column was signed, or none was left to sign for.
    """
    row = due.row
    node.rounds.of(row.round_id).check_key()
    for number, counterpart in enumerate(due.counterparts):
        if not _sign_column(node, round_, row, counterpart):
            return number > 0
    with node.store.transaction("finalize.over") as session:
        signed = shadow_columns.signed_columns(session, row.round_id)
        is_over = _columns(session, round_, node.code, [row.submission_id], signed)[row.submission_id].are_over
        if is_over:
            session.get_one(SubmissionRow, row.submission_id).enter(SubmissionState.FINALIZED)
            statements.note_all_sent(session, row.submission_id)
    # If we crash here, what is not needed any more stays until the round is closed.
    if is_over:
        folder = paths.submission(row.round_id, row.submission_id)
        node.files.delete_tree(f"{folder}/evaluated")
        node.files.delete_tree(f"{folder}/rows")
    _LOG.info("tokens_signed", round=row.round_id, submission=row.submission_id, count=len(due.counterparts))
    return True


def _sign_column(node: NodeContext, round_: Round, row: SubmissionRow, counterpart: str) -> bool:
    """Put a column in order, make its tags and sign for it, if that may be; return whether it was signed."""
    with node.store.reading("finalize.may_sign") as session:
        if not may_sign(session, row.round_id):
            return False
    # If we crash here, the same column is made again.
    column, pieces = shadow_columns.make_column(node, round_, row, counterpart)
    with node.store.transaction("finalize.sign") as session:
        if not may_sign(session, row.round_id):
            return False
        session.add_all(pieces)
        statements.sign(session, node.signer, round_, node.party.tokens, row.submission_id, column)
    # If we crash here, what the column was made of stays until the round is closed.
    node.files.delete_tree(f"{paths.submission(row.round_id, row.submission_id)}/finalized/{counterpart}")
    return True
