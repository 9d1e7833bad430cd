"""The steps due in a round, by one reading: steps and lanes that would find nothing are left out.

What is named here may turn out to be nothing, as each step looks for itself; nothing that is due is left out.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ColumnExpressionArgument, Exists, bindparam, func, literal, or_, select

from services.kit.errors import NotFoundError
from services.kit.storage.store import Store
from services.node.storage import tables
from services.node.storage.states import UNSIGNED, EvaluationDownloadState, SubmissionState

_ROUND_ID: BindParameter[str] = bindparam("round_id")


@dataclass(frozen=True, slots=True)
class Due:
    """A round as it is stored, and what is due in it."""

    row: tables.RoundRow
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
    tables.RoundRow,
    select(func.count()).where(tables.PreparedReportRow.round_id == _ROUND_ID).scalar_subquery(),
    _any(tables.PendingStatementRow),
    or_(tables.RoundRow.outcomes_changed_at.is_not(None), _any(tables.WithdrawalRow)),
    or_(_any(tables.NoteSecretRow), _any(tables.NoteBatchRow, tables.NoteBatchRow.own, ~tables.NoteBatchRow.done)),
    _any(tables.AlarmRow),
    _any(tables.SubmissionRow, tables.SubmissionRow.state.in_(UNSIGNED)),
    _any(tables.ChunkDownloadRow, tables.ChunkDownloadRow.is_waiting()),
    _any(tables.EvaluationDownloadRow, tables.EvaluationDownloadRow.is_waiting()),
    _any(tables.SubmissionRow, tables.SubmissionRow.state == SubmissionState.SUBMITTED),
    _any(tables.EvaluationDownloadRow, tables.EvaluationDownloadRow.state == EvaluationDownloadState.VERIFIED),
    _any(
        tables.StatementRow, tables.StatementRow.own, ~tables.StatementRow.sent, tables.StatementRow.refusal.is_(None)
    ),
    or_(
        _any(tables.ChunkRow, ~tables.ChunkRow.sent),
        _any(tables.ChunkRow, ~tables.ChunkRow.tokens_sent, tables.ChunkRow.token_rows.is_not(None)),
        _any(tables.ColumnPieceRow, ~tables.ColumnPieceRow.sent),
        _any(tables.EvaluationRow, ~tables.EvaluationRow.sent),
    ),
).where(tables.RoundRow.round_id == _ROUND_ID)


def due_in(store: Store, round_id: str) -> Due:
    """Return a round with the steps due in it; raises NotFoundError if the node knows no such round."""
    with store.reading("round.due") as session:
        found = session.execute(_QUERY, {"round_id": round_id}).one_or_none()
    if found is None:
        raise NotFoundError("round_unknown_to_node")
    return Due(*found)
