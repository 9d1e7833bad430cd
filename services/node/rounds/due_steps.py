"""The work of a round by one reading of the store: pieces that would find nothing are left out.

What is named here may turn out to be nothing, as each piece looks for itself; nothing that is due is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, ColumnExpressionArgument, Exists, bindparam, func, insert, literal, select

from aquila.interface.rounds import SubmissionState
from aquila.protocol.rounds.round_state import ENDED_PHASES
from services.kit.errors import NotFoundError
from services.kit.storage.store import Store
from services.node.rounds.statements import LOST
from services.node.rounds.work import NOW
from services.node.storage import tables
from services.node.storage.states import UNSIGNED, EvaluationDownloadState, LocalRoundState, Step


class Piece(Enum):
    """A kind of work that a round can have: the step that does it, and when there may be some."""

    SIGN = Step.LOOK, "a receipt or a closing waits to be signed"
    ALARM = Step.LOOK, "a report was held back"
    CORRECT = Step.FOLLOW_UP, "hits were withdrawn, or outcomes or follow-ups are to be told, now or in some hours"
    EXCHANGE = Step.FOLLOW_UP, "notes are on their way"
    PREPARE = Step.WORK, "a submission is to be made"
    EVALUATE = Step.WORK, "a chunk of another party waits"
    VERIFY = Step.WORK, "an evaluation of an own chunk waits"
    FINALIZE = Step.WORK, "a column of a submission is to come"
    ACKNOWLEDGE = Step.WORK, "an evaluation was verified, and the matcher holds it still"
    SAY = Step.WORK, "an own statement is not sent"
    SEND = Step.WORK, "own bytes are not sent"

    def __init__(self, step: Step, when: str) -> None:
        self.step, self.when = step, when


def _any(table: type[Any], *where: ColumnExpressionArgument[bool]) -> Exists:
    """Return whether a table has a row of a round under these conditions."""
    return select(literal(1)).where(table.round_id == tables.RoundRow.round_id, *where).exists()


_CONDITIONS: Mapping[Piece, ColumnElement[bool]] = {
    Piece.SIGN: _any(tables.PendingStatementRow),
    Piece.CORRECT: tables.RoundRow.outcomes_changed_at.is_not(None)
    | tables.RoundRow.follow_ups_at.is_not(None)
    | _any(tables.WithdrawalRow, tables.WithdrawalRow.is_unsigned() | tables.WithdrawalRow.is_unanswered()),
    Piece.EXCHANGE: _any(tables.NoteSecretRow)
    | _any(tables.NoteBatchRow, tables.NoteBatchRow.own, ~tables.NoteBatchRow.done),
    Piece.ALARM: _any(tables.AlarmRow),
    Piece.PREPARE: _any(tables.SubmissionRow, tables.SubmissionRow.state.in_(UNSIGNED)),
    Piece.EVALUATE: _any(tables.ChunkDownloadRow, tables.ChunkDownloadRow.is_waiting()),
    Piece.VERIFY: _any(tables.EvaluationDownloadRow, tables.EvaluationDownloadRow.is_waiting()),
    Piece.FINALIZE: _any(tables.SubmissionRow, tables.SubmissionRow.state == SubmissionState.SUBMITTED),
    Piece.ACKNOWLEDGE: _any(
        tables.EvaluationDownloadRow, tables.EvaluationDownloadRow.state == EvaluationDownloadState.VERIFIED
    ),
    Piece.SAY: _any(
        tables.StatementRow, tables.StatementRow.own, ~tables.StatementRow.sent, tables.StatementRow.refusal.is_(None)
    ),
    Piece.SEND: _any(tables.ChunkRow, ~tables.ChunkRow.sent)
    | _any(tables.TokenPartRow, ~tables.TokenPartRow.sent)
    | _any(tables.EvaluationRow, ~tables.EvaluationRow.sent),
}

_IS_LOST = _any(tables.ProblemRow, tables.ProblemRow.place == LOST)  # and the matcher does not know it
_SIGNS = tables.RoundRow.refused.is_(None) & (_CONDITIONS[Piece.SIGN] | (_CONDITIONS[Piece.CORRECT] & ~_IS_LOST))
_IS_OVER = (
    (tables.RoundRow.state == LocalRoundState.DESTROYED)
    & tables.RoundRow.phase.in_(ENDED_PHASES)
    & ~(_SIGNS | _CONDITIONS[Piece.SAY] | _CONDITIONS[Piece.EXCHANGE])
)


@dataclass(frozen=True, slots=True)
class Due:
    """A round as it is stored, and what is due in it."""

    row: tables.RoundRow
    """The round."""
    prepared: int
    """Reports whose hits are prepared."""
    is_over: bool
    """Whether nothing is left to say or to hear in the round."""
    pieces: frozenset[Piece]
    """What there may be to do."""


# Made once: a node asks this in each of its looks.
_QUERY = select(
    tables.RoundRow,
    select(func.count()).where(tables.PreparedReportRow.round_id == tables.RoundRow.round_id).scalar_subquery(),
    _IS_OVER,
    *_CONDITIONS.values(),
).where(tables.RoundRow.round_id == bindparam("round_id"))


def due_in(store: Store, round_id: str) -> Due:
    """Return a round with the work due in it; raises NotFoundError if the node knows no such round."""
    with store.reading("round.due") as session:
        found = session.execute(_QUERY, {"round_id": round_id}).one_or_none()
    if found is None:
        raise NotFoundError("round_unknown_to_node")
    row, prepared, is_over, *flags = found
    pieces = frozenset(piece for piece, is_due in zip(_CONDITIONS, flags, strict=True) if is_due)
    return Due(row, prepared, bool(is_over), pieces)


def open_missing(store: Store) -> None:
    """Open the rounds that are not over and have no row of a look, whoever forgot or deleted it."""
    has_look = _any(tables.WorkRow, tables.WorkRow.step == Step.LOOK)
    missing = select(tables.RoundRow.round_id, literal(Step.LOOK.value), literal(NOW)).where(~_IS_OVER, ~has_look)
    with store.transaction("work.open_missing") as session:
        session.execute(insert(tables.WorkRow).from_select(["round_id", "step", "not_before"], missing))
