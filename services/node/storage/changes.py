"""What changed at this node, numbered in the order of commits, so that a program asks only for what is new.

Each flush numbers the rounds, queries and hits whose rows it writes; one that changes again gets a new number and
loses its old one, so that there is one row for each. The store has one writer at a time, on both databases: no number
appears behind one that a reader has seen. No number is used again, but after a restore.
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import bindparam, delete, event, insert, inspect
from sqlalchemy.orm import Session

from aquila.interface.hits import ChangeKind
from aquila.protocol.messages import HitReport, Kind, WithheldAnswer
from services.kit.storage.row_seals import SealedSession
from services.node.storage.tables import ChangeRow, ExchangeRow, HitRow, HitStatusRow, RoundRow, SubmissionRow

_OF_ROUND = ("phase", "state", "outcome", "refused", "hits_erased_at")

Subject = tuple[str, ChangeKind, str]
"""A round, what changed, and its id there; empty for the round itself."""


def note(session: Session, subjects: Iterable[Subject]) -> None:
    """Number subjects anew, in the caller's transaction."""
    rows = [{"round_id": one, "kind": kind.value, "subject": subject} for one, kind, subject in dict.fromkeys(subjects)]
    if rows:
        old = [getattr(ChangeRow, name) == bindparam(f"old_{name}") for name in rows[0]]
        session.connection().execute(
            delete(ChangeRow).where(*old), [{f"old_{name}": value for name, value in row.items()} for row in rows]
        )
        session.connection().execute(insert(ChangeRow), rows)


def note_answer(session: Session, answer: HitReport | WithheldAnswer) -> None:
    """Number a query of this node anew, because a party answered it, or said that it does not now."""
    own = session.get(SubmissionRow, answer.submission_id) if answer.submission_id else None
    if own is not None:
        note(session, [(own.round_id, ChangeKind.QUERY, own.submission_id)])


@event.listens_for(SealedSession, "after_flush")
def _flushed(session: Session, _context: object) -> None:
    note(session, [subject for rows in (session.new, session.dirty, session.deleted) for subject in _subjects(rows)])


def _subjects(rows: Iterable[object]) -> Iterator[Subject]:
    for row in rows:
        if isinstance(row, HitRow | HitStatusRow | ExchangeRow):
            yield row.round_id, ChangeKind.HIT, row.hit_id
        elif isinstance(row, SubmissionRow) and row.kind == Kind.QUERY.value:
            yield row.round_id, ChangeKind.QUERY, row.submission_id
        elif isinstance(row, RoundRow) and any(inspect(row).attrs[name].history.has_changes() for name in _OF_ROUND):
            yield row.round_id, ChangeKind.ROUND, ""
