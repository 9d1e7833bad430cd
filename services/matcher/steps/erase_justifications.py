"""Step: erase the justifications of old submissions, when the log's contents of them went (PROTOCOL.md 8.5).

What stays is the rest of the submission, so that the record of its round can still be rebuilt. No party is shown it:
it is signed by nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind
from aquila.protocol.rounds.verified_round import JUSTIFICATION_DAYS, without_justification
from services.kit.log.entries import statements_kept
from services.kit.logging import Log
from services.matcher.context import MatcherContext
from services.matcher.events import NOBODY, SUBMISSION
from services.matcher.storage.tables import EventRow, RoundRow

_LOG = Log("matcher.justifications")
_DAY, _HOUR = 86_400, 3_600
_WHOLE = EventRow.statement == SUBMISSION, EventRow.audience != NOBODY


class JustificationErasure:
    """The step, which looks once an hour."""

    def __init__(self, context: MatcherContext) -> None:
        self._context = context
        self._looked_at = -_HOUR

    def step(self) -> bool:
        """Erase the justifications of submissions whose time is over, and return whether there were any."""
        context, now = self._context, self._context.clock()
        if now - self._looked_at < _HOUR:
            return False
        old = RoundRow.created_at <= now - JUSTIFICATION_DAYS * _DAY
        query = select(EventRow.round_id).join(RoundRow, RoundRow.round_id == EventRow.round_id).distinct()
        with context.store.reading("justifications.rounds") as session:
            rounds = session.scalars(query.where(*_WHOLE, old, RoundRow.ended_at.is_not(None))).all()
            due = [round_id for round_id in rounds if _due(session, round_id)]
        for round_id in due:
            _erase(context, round_id)
        if due:
            # If we crash before this, the bytes go with the next scrub.
            context.store.erase_deleted(EventRow.__table__)  # type: ignore[arg-type]  # a declared table is a Table
        self._looked_at = now
        return bool(due)


def _due(session: Session, round_id: str) -> Sequence[EventRow]:
    """Return the whole submissions of a round of which the log does not speak any more.

    The log erases what is three years old by the clock of a witness. As long as it holds an entry, an auditor makes the
    entry again from the statement.
    """
    kept = statements_kept(session, round_id, EntryKind.SUBMISSION)
    events = session.scalars(select(EventRow).where(EventRow.round_id == round_id, *_WHOLE))
    return [event for event in events if event.digest not in kept]


def _erase(context: MatcherContext, round_id: str) -> None:
    with context.store.transaction("justifications.erase") as session:
        events = _due(session, round_id)
        for event in events:
            event.envelope = without_justification((event.envelope or "").encode()).decode()
            event.audience = NOBODY
    context.round_cache.forget(round_id)
    _LOG.info("justifications_erased", round=round_id, count=len(events))
