"""Downloads: bytes that the matcher holds for this node, in two queues, of chunks and of evaluations.

A failed fetch is repeated a few times, since bytes can change on the way; then they are given up.
"""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from aquila.sentences import Sentence
from services.kit.storage.store import Store
from services.node.context import Journal
from services.node.rounds import statements
from services.node.storage.tables import ChunkDownloadRow, EvaluationDownloadRow

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
