"""Steps that delete what is not needed any more, so that as little as possible is there at once.

- Sealed notes go as soon as their receiver has confirmed them, or when their time is over (PROTOCOL.md 3.7.10).
- Bytes of a running round go when nobody needs them any more.
- After a round's end, everything but hit counts and the log is deleted, and the database is scrubbed (3.9).
- The justifications of old submissions are erased when the log's contents of them went (8.5). What stays is the rest of
  the submission, so that the record of its round can still be rebuilt. No party is shown it: it is signed by nobody.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from sqlalchemy import Select, func, literal, select, tuple_, update
from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, EntryKind
from aquila.protocol.messages import Kind, Mode
from aquila.protocol.messages.feed import EventKind
from aquila.protocol.registry import MATCHER
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.rounds.verified_round import JUSTIFICATION_DAYS, without_justification
from services.kit.errors import RoundDamagedError
from services.kit.log.entries import append, statements_kept
from services.kit.logging import Log
from services.matcher.context import MatcherContext
from services.matcher.events import FIRST_PAGE, NOBODY, NOTES, REPORT, SUBMISSION, TOKENS
from services.matcher.round_memory import CachedRound, RoundTransaction
from services.matcher.rounds.chunks import ChunkAddress, delete_chunks
from services.matcher.rounds.progress import has_all_blinded, is_reported, waits_for
from services.matcher.steps.iteration import QuietRounds, each_round
from services.matcher.steps.join import wipe_scratch
from services.matcher.storage.round_marks import ENDED, OPEN
from services.matcher.storage.tables import ChunkRow, EventRow, HeldReportRow, RoundRow, SurePairRow

_LOG = Log("matcher.deletion")


def delete_notes(context: MatcherContext) -> bool:
    """Delete collected and expired notes of every round, and return whether there were any."""
    # As a literal: an index holds these alone, and a parameter would hide that.
    kept = EventRow.statement == literal(NOTES, literal_execute=True), EventRow.envelope.is_not(None)
    with context.store.reading("notes.rounds") as session:
        rounds = session.scalars(select(EventRow.round_id).where(*kept).distinct()).all()
    busy = False
    for round_id in rounds:
        with contextlib.suppress(RoundDamagedError):  # other steps log it, and the report on health names it
            busy |= _delete_notes(context, round_id)
    return busy


def _delete_notes(context: MatcherContext, round_id: str) -> bool:
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


_HOUR = 3_600
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
            due = [round_id for round_id in rounds if _unlogged(session, round_id)]
        for round_id in due:
            _erase(context, round_id)
        if due:
            # If we crash before this, the bytes go with the next scrub.
            context.store.erase_deleted(EventRow.__table__)  # type: ignore[arg-type]  # a declared table is a Table
        self._looked_at = now
        return bool(due)


def _unlogged(session: Session, round_id: str) -> Sequence[EventRow]:
    """Return the whole submissions of a round of which the log does not speak any more.

    The log erases what is three years old by the clock of a witness. As long as it holds an entry, an auditor makes the
    entry again from the statement.
    """
    kept = statements_kept(session, round_id, EntryKind.SUBMISSION)
    events = session.scalars(select(EventRow).where(EventRow.round_id == round_id, *_WHOLE))
    return [event for event in events if event.digest not in kept]


def _erase(context: MatcherContext, round_id: str) -> None:
    with context.store.transaction("justifications.erase") as session:
        events = _unlogged(session, round_id)
        for event in events:
            event.envelope = without_justification((event.envelope or "").encode()).decode()
            event.audience = NOBODY
    context.round_cache.forget(round_id)
    _LOG.info("justifications_erased", round=round_id, count=len(events))


_BATCH = 500
_GROUP = (ChunkRow.what, ChunkRow.submission_id, ChunkRow.party)


def prune_chunks(context: MatcherContext, quiet: QuietRounds | None = None) -> bool:
    """Delete what is not needed, up to 500 chunks of each round at a time."""
    return each_round(context, OPEN, lambda round_id: _prune(context, round_id), quiet)


def _prune(context: MatcherContext, round_id: str) -> bool:
    with context.round_cache.reading(round_id) as turn:
        live = (ChunkRow.round_id == round_id) & ChunkRow.deleted_at.is_(None)
        # Tokens stay while queries may meet them: which tags of the next query are new follows from those of the list
        # and of the queries before.
        if turn.round.manifest.mode is not Mode.LISTS:
            live &= ChunkRow.what != TOKENS
        # Groups first: there are a few hundred of them at most, and tens of thousands of chunks.
        groups = turn.session.execute(select(*_GROUP).where(live).distinct()).all()
        needless = [group for group in groups if _is_needless(turn.cached, *group)]
        rows = turn.session.scalars(select(ChunkRow).where(live, tuple_(*_GROUP).in_(needless)).limit(_BATCH))
        doomed = [ChunkAddress(round_id, row.submission_id, row.what, row.party, row.chunk_index) for row in rows]
    if doomed:
        delete_chunks(context, doomed)
    return bool(doomed)


def _is_needless(known: CachedRound, what: str, submission_id: str, party: str) -> bool:
    record = known.round
    submission = record.submissions[submission_id]
    # Blinded elements go when everyone has evaluated them.
    if what == EventKind.BLINDED:
        return has_all_blinded(known, submission_id) and not waits_for(known, submission_id)
    # What a pair needs goes when it was joined.
    query = submission_id if submission.kind is Kind.QUERY else None
    return is_reported(record, ReportKey(submission.party, party, query))


_DAY = 86_400


def purge_ended(context: MatcherContext, quiet: QuietRounds | None = None) -> bool:
    """Clean up after every round that ended."""
    return each_round(context, ENDED, lambda round_id: _clean(context, round_id), quiet)


def wipe_leftovers(context: MatcherContext) -> None:
    """Delete, at start, what crashes left: halves of files, a join's scratch, chunks of finished rounds."""
    context.files.remove_leftovers()
    wipe_scratch(context)
    with context.store.reading("rounds.finished") as session:
        finished = set(session.scalars(select(RoundRow.round_id).where(RoundRow.finished_at.is_not(None))))
    for folder in sorted({name.partition("/")[0] for name in context.files.names()} & finished):
        context.files.delete_tree(folder)


def _clean(context: MatcherContext, round_id: str) -> bool:
    with context.round_cache.reading(round_id) as turn:
        live = turn.session.scalar(_live_chunks(round_id))
        reports = _reports(turn)
        done = [event_id for event_id, report in reports if _has_report(context, turn, report)]
    if live is None and not done and reports:
        return False  # nothing to do until a party acknowledges or closes
    # 1. The bytes. If we crash here, the rows still tell of them, and this is done again.
    context.files.delete_tree(round_id)
    # 2. What rows tell of them, and the reports that their parties have.
    with context.round_cache.writing("round.clean", round_id) as turn:
        turn.session.execute(
            update(ChunkRow)
            .where(ChunkRow.round_id == round_id, ChunkRow.deleted_at.is_(None))
            .values(deleted_at=context.clock())
        )
        turn.session.execute(update(EventRow).where(EventRow.event_id.in_(done)).values(envelope=None))
        turn.row.evaluation_bytes = 0
    # 3. What the database's files keep of deleted rows. If we crash before step 4, all this is done again.
    tables = EventRow.__table__, HeldReportRow.__table__, SurePairRow.__table__
    context.store.erase_deleted(*tables)  # type: ignore[arg-type]  # declared tables are Tables
    # 4. Finished when no report is left.
    if len(done) == len(reports):
        with context.round_cache.writing("round.finish", round_id) as turn:
            turn.row.finished_at = context.clock()
            append(turn.session, _erasure(turn))
        context.round_cache.forget(round_id)
        _LOG.info("round_finished", round=round_id)
    return True


def _erasure(turn: RoundTransaction) -> Entry:
    """Return the entry of everything that was deleted of a round: how much it was, never what."""
    chunks = select(func.count()).select_from(ChunkRow).where(ChunkRow.round_id == turn.row.round_id)
    reports = select(func.count()).select_from(EventRow)
    reports = reports.where(EventRow.round_id == turn.row.round_id, EventRow.statement == REPORT, FIRST_PAGE)
    counts = {"chunks": turn.session.scalar(chunks) or 0, "reports": turn.session.scalar(reports) or 0}
    return Entry.of(EntryKind.ERASURE, turn.clock(), MATCHER, round=turn.row.round_id, counts=counts)


def _live_chunks(round_id: str) -> Select[int]:
    """Return a query that gives something where not all chunks of a round are deleted."""
    return select(ChunkRow.chunk_index).where(ChunkRow.round_id == round_id, ChunkRow.deleted_at.is_(None)).limit(1)


def _reports(turn: RoundTransaction) -> list[tuple[int, ReportKey]]:
    """Return the reports, or their pages, whose envelopes are still there, by event."""
    query = select(EventRow.event_id, EventRow.party, EventRow.counterpart, EventRow.submission_id).where(
        EventRow.round_id == turn.row.round_id, EventRow.statement == REPORT, EventRow.envelope.is_not(None)
    )
    rows = turn.session.execute(query)
    return [(event_id, ReportKey(party, counterpart or "", of)) for event_id, party, counterpart, of in rows]


def _has_report(context: MatcherContext, turn: RoundTransaction, report: ReportKey) -> bool:
    """Return whether a report's party has it, has closed, or has let the round's retention pass."""
    closed = report.party in turn.round.closings
    acknowledged = report in turn.round.receipts
    kept_until = (turn.row.ended_at or 0) + turn.round.manifest.retention_days * _DAY
    return closed or acknowledged or context.clock() > kept_until
