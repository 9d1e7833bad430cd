"""Step: delete bytes of a running round that nobody needs any more, so that as little as possible is there at once."""

from __future__ import annotations

from sqlalchemy import select, tuple_

from aquila.protocol.messages import Kind, Mode
from aquila.protocol.messages.feed import EventKind
from aquila.protocol.rounds.round_state import Phase
from services.matcher.context import MatcherContext
from services.matcher.events import TOKENS
from services.matcher.round_memory import CachedRound
from services.matcher.rounds.chunks import ChunkAddress, delete_chunks
from services.matcher.rounds.progress import has_all_blinded, is_matched, waits_for
from services.matcher.steps.iteration import QuietRounds, each_round
from services.matcher.storage.round_marks import OPEN
from services.matcher.storage.tables import ChunkRow

_BATCH = 500
_GROUP = (ChunkRow.what, ChunkRow.submission_id, ChunkRow.party)


def prune_chunks(context: MatcherContext, quiet: QuietRounds | None = None) -> bool:
    """Delete what is not needed, up to 500 chunks of each round at a time."""
    return each_round(context, OPEN, lambda round_id: _delete(context, round_id), quiet)


def _delete(context: MatcherContext, round_id: str) -> bool:
    with context.round_cache.reading(round_id) as turn:
        live = (ChunkRow.round_id == round_id) & ChunkRow.deleted_at.is_(None)
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
    submission = record.submissions.get(submission_id)
    # An amendment left out its origin, or the evaluator.
    if submission is None or party not in record.participants:
        return True
    # A query goes when it was matched.
    if submission.kind is Kind.QUERY and is_matched(record, submission_id):
        return True
    # Blinded elements go when everyone has evaluated them.
    if what == EventKind.BLINDED:
        return has_all_blinded(known, submission_id) and not waits_for(known, submission_id)
    # A list's tokens go when they were matched, unless queries are still to meet them.
    return what == TOKENS and record.phase is Phase.REPORTING and record.manifest.mode is Mode.LISTS
