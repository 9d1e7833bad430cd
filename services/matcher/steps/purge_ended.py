"""Step: after the end, delete everything but hit counts and the log, and scrub the database (PROTOCOL.md 3.9)."""

from __future__ import annotations

from sqlalchemy import Select, func, select, update

from aquila.audit.entries import Entry, EntryKind
from aquila.protocol.registry import MATCHER
from aquila.protocol.rounds.round_state import ReportKey
from services.kit.log.entries import append
from services.kit.logging import Log
from services.matcher.context import MatcherContext
from services.matcher.events import FIRST_PAGE, REPORT
from services.matcher.round_memory import RoundTransaction
from services.matcher.steps.iteration import QuietRounds, each_round
from services.matcher.steps.join import wipe_scratch
from services.matcher.storage.round_marks import ENDED
from services.matcher.storage.tables import ChunkRow, EventRow, HeldReportRow, RoundRow

_LOG = Log("matcher.cleaning")
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
        done = [event_id for event_id, party, query in reports if _has_report(context, turn, party, query)]
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
    context.store.erase_deleted(EventRow.__table__, HeldReportRow.__table__)  # type: ignore[arg-type]  # declared tables are Tables
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


def _reports(turn: RoundTransaction) -> list[tuple[int, str, str | None]]:
    """Return event, party and query of the reports, or of their pages, whose envelopes are still there."""
    query = select(EventRow.event_id, EventRow.party, EventRow.submission_id).where(
        EventRow.round_id == turn.row.round_id, EventRow.statement == REPORT, EventRow.envelope.is_not(None)
    )
    return [(event_id, party, of) for event_id, party, of in turn.session.execute(query)]


def _has_report(context: MatcherContext, turn: RoundTransaction, party: str, query: str | None) -> bool:
    """Return whether a report's party has it, has closed, or has let the round's retention pass."""
    closed = party in turn.round.closings
    acknowledged = ReportKey(party, query) in turn.round.receipts
    kept_until = (turn.row.ended_at or 0) + turn.round.manifest.retention_days * _DAY
    return closed or acknowledged or context.clock() > kept_until
