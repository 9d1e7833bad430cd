"""Step 8: verified evaluations become tokens, sealed on the disk, then a signed statement (PROTOCOL.md 3.6)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import func, select

from aquila.matching.join import TOKEN_ROW_BYTES
from aquila.protocol.submission import finalize_chunk
from aquila.records.rules import InputClass
from services.kit.logs import Log
from services.node import ledger, places
from services.node.book import book_of
from services.node.steps.amend import signed_under
from services.node.tables import AvailableRow, ChunkRow, SubmissionRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from aquila.protocol.rounds import Round
    from services.node.node import Node

_LOG = Log("node.finalize")


def finalize(node: Node, round_id: str) -> bool:
    """Finalize the next chunk of a submission whose tokens are due, or sign for all; tell whether there was one."""
    book = book_of(node, round_id)
    round_ = book.record()
    with node.store.reading("finalize.next") as session:
        query = select(SubmissionRow).where(SubmissionRow.round_id == round_id, SubmissionRow.state == "submitted")
        due = [row for row in session.scalars(query) if _is_due(session, round_, row, book.ready)]
        if not due or signed_under(session, node, round_):
            return False
        row = due[0]
        chunks = select(ChunkRow).where(ChunkRow.submission_id == row.submission_id)
        chunk = session.scalars(chunks.where(ChunkRow.token_rows.is_(None)).order_by(ChunkRow.index)).first()
    book.check_key()
    if chunk is not None:
        _finalize_chunk(node, round_, chunk)
    else:
        _sign(node, round_, row)
    return True


def _is_due(session: Session, round_: Round, row: SubmissionRow, ready: frozenset[str]) -> bool:
    """Tell whether every evaluation is verified here and the matcher holds that tokens are due."""
    submission = round_.submissions.get(row.submission_id)
    if submission is None or row.submission_id not in ready:
        return False
    evaluators = round_.evaluators_of(row.submission_id)
    query = select(func.count()).where(
        AvailableRow.submission_id == row.submission_id,
        AvailableRow.party.in_(evaluators),
        AvailableRow.state.in_(["done", "acknowledged"]),
    )
    return session.scalar(query) == len(submission.chunks) * len(evaluators)


def _finalize_chunk(node: Node, round_: Round, chunk: ChunkRow) -> None:
    """Make one chunk's tokens, and seal them and their secrets."""
    book, index, submission = book_of(node, chunk.round_id), chunk.index, chunk.submission_id
    rows = np.load(node.files.path(places.rows(chunk.round_id, submission, index)), allow_pickle=False)
    evaluations = [
        node.files.read(places.evaluated(chunk.round_id, submission, party, index))
        for party in round_.evaluators_of(submission)
    ]
    share = book.secrets().shares[InputClass(chunk.input_class)]
    with book.seed(submission) as seed:
        made = finalize_chunk(node.group, rows, seed, share, evaluations)
    for name, content in (
        (places.tokens(chunk.round_id, submission, index), made.rows),
        (places.token_secrets(chunk.round_id, submission, index), made.secrets),
    ):
        node.files.write(name, book.seal(name, content))
    # If we crash here, the same tokens are made again.
    with node.store.transaction("finalize.chunk") as session:
        stored = session.get_one(ChunkRow, (submission, index))
        stored.token_rows = len(made.rows) // TOKEN_ROW_BYTES
        stored.token_digest = hashlib.sha256(made.rows).hexdigest()


def _sign(node: Node, round_: Round, row: SubmissionRow) -> None:
    """Sign for the tokens; from here on this node signs no amendment."""
    with node.store.transaction("finalize.sign") as session:
        query = select(ChunkRow).where(ChunkRow.submission_id == row.submission_id).order_by(ChunkRow.index)
        chunks = [(chunk.token_rows or 0, chunk.token_digest or "") for chunk in session.scalars(query)]
        ledger.sign(
            session, node, row.round_id, lambda number: node.party.tokens(round_, number, row.submission_id, chunks)
        )
        session.get_one(SubmissionRow, row.submission_id).state = "finalized"
    # If we crash here, what is not needed any more stays until the round is closed.
    folder = places.submission(row.round_id, row.submission_id)
    node.files.delete_tree(f"{folder}/evaluated")
    node.files.delete_tree(f"{folder}/rows")
    _LOG.info("tokens_signed", round=row.round_id, submission=row.submission_id, count=len(chunks))
