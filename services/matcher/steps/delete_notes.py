"""Step: delete sealed notes as soon as their receiver has confirmed them, or when their time is over (3.7.10)."""

from __future__ import annotations

import contextlib

from sqlalchemy import literal, select, update

from services.kit.errors import RoundDamagedError
from services.kit.logging import Log
from services.matcher.context import MatcherContext
from services.matcher.events import NOTES
from services.matcher.storage.tables import EventRow

_LOG = Log("matcher.notes")


def delete_notes(context: MatcherContext) -> bool:
    """Delete collected and expired notes of every round, and return whether there were any."""
    # As a literal: an index holds these alone, and a parameter would hide that.
    kept = EventRow.statement == literal(NOTES, literal_execute=True), EventRow.envelope.is_not(None)
    with context.store.reading("notes.rounds") as session:
        rounds = session.scalars(select(EventRow.round_id).where(*kept).distinct()).all()
    busy = False
    for round_id in rounds:
        with contextlib.suppress(RoundDamagedError):  # other steps log it, and the report on health tells of it
            busy |= _delete(context, round_id)
    return busy


def _delete(context: MatcherContext, round_id: str) -> bool:
    kept = EventRow.round_id == round_id, EventRow.statement == NOTES, EventRow.envelope.is_not(None)
    with context.round_cache.reading(round_id) as turn:
        expired = context.clock() > turn.round.notes_expire
        events = turn.session.execute(select(EventRow.event_id, EventRow.digest).where(*kept)).all()
        done = [event_id for event_id, digest in events if expired or digest in turn.round.confirmations]
    if not done:
        return False
    with context.round_cache.writing("notes.delete", round_id) as turn:
        turn.session.execute(update(EventRow).where(EventRow.event_id.in_(done)).values(envelope=None))
    if len(done) == len(events):
        # What the database's files keep of them is sealed; it goes when the last one does, and with the round's end.
        context.store.erase_deleted(EventRow.__table__)  # type: ignore[arg-type]  # a declared table is a Table
    _LOG.info("notes_deleted", round=round_id, count=len(done))
    return True
