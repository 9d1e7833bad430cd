"""The steps due in a round, by one reading: steps and lanes that would find nothing are left out.

What is named here may turn out to be nothing, as each step looks for itself; nothing that is due is left out.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ColumnExpressionArgument, Exists, bindparam, func, literal, or_, select

from services.kit.errors import NotFoundError
from services.kit.storage.store import Store
from services.node.storage.states import UNSIGNED, EvaluationDownloadState, SubmissionState
from services.node.storage.tables import (
    AlarmRow,
    ChunkDownloadRow,
    ChunkRow,
    ColumnPieceRow,
    EvaluationDownloadRow,
    EvaluationRow,
    NoteBatchRow,
    NoteSecretRow,
    PendingStatementRow,
    PreparedReportRow,
    RoundRow,
    StatementRow,
    SubmissionRow,
    WithdrawalRow,
)

_ROUND_ID: BindParameter[str] = bindparam("round_id")


@dataclass(frozen=True, slots=True)
class Due:
    """A round as it is stored, and what is due in it."""

    row: RoundRow
    """The round."""
    prepared: int
    """Reports whose hits are prepared."""
    signs: bool
    """A receipt or a closing waits to be signed."""
    corrects: bool
    """Hits were withdrawn."""
    exchanges: bool
    """Notes are on their way."""
    alarms: bool
    """A report was held back."""
    prepares: bool
    """A submission is to be made."""
    evaluates: bool
    """A chunk of another party waits."""
    verifies: bool
    """An evaluation of an own chunk waits."""
    finalizes: bool
    """A submission has no tokens."""
    acknowledges: bool
    """An evaluation was verified, and the matcher holds it still."""
    says: bool
    """An own statement is not sent."""
    sends: bool
    """Own bytes are not sent."""


def _any(table: type[Any], *where: ColumnExpressionArgument[bool]) -> Exists:
    """Return whether a table has a row of the round under these conditions."""
    return select(literal(1)).where(table.round_id == _ROUND_ID, *where).exists()


# In the order of the attributes, and made once: a node asks this in each of its looks.
_QUERY = select(
    RoundRow,
    select(func.count()).where(PreparedReportRow.round_id == _ROUND_ID).scalar_subquery(),
    _any(PendingStatementRow),
    or_(RoundRow.outcomes_changed_at.is_not(None), _any(WithdrawalRow)),
    or_(_any(NoteSecretRow), _any(NoteBatchRow, NoteBatchRow.own, ~NoteBatchRow.done)),
    _any(AlarmRow),
    _any(SubmissionRow, SubmissionRow.state.in_(UNSIGNED)),
    _any(ChunkDownloadRow, ChunkDownloadRow.is_waiting()),
    _any(EvaluationDownloadRow, EvaluationDownloadRow.is_waiting()),
    _any(SubmissionRow, SubmissionRow.state == SubmissionState.SUBMITTED),
    _any(EvaluationDownloadRow, EvaluationDownloadRow.state == EvaluationDownloadState.VERIFIED),
    _any(StatementRow, StatementRow.own, ~StatementRow.sent, StatementRow.refusal.is_(None)),
    or_(
        _any(ChunkRow, ~ChunkRow.sent),
        _any(ChunkRow, ~ChunkRow.tokens_sent, ChunkRow.token_rows.is_not(None)),
        _any(ColumnPieceRow, ~ColumnPieceRow.sent),
        _any(EvaluationRow, ~EvaluationRow.sent),
    ),
).where(RoundRow.round_id == _ROUND_ID)


def due_in(store: Store, round_id: str) -> Due:
    """Return a round with the steps due in it; raises NotFoundError if the node knows no such round."""
    with store.reading("round.due") as session:
        found = session.execute(_QUERY, {"round_id": round_id}).one_or_none()
    if found is None:
        raise NotFoundError("round_unknown_to_node")
    return Due(*found)
