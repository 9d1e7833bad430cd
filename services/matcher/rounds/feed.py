"""Use cases: what a party may read. Its rounds, a manifest, and the feed of events with long polling."""

import asyncio
import contextlib
import time

from sqlalchemy import func, select, true

from aquila.errors import SignatureError
from aquila.interface.rounds import RoundPage
from aquila.protocol.messages.feed import Events, RoundEntry, Rounds
from aquila.protocol.rounds.round_state import Phase
from services.kit.http.signed_calls import SignedCall
from services.kit.work import threads
from services.matcher.context import MatcherContext
from services.matcher.events import newest_late_events, visible_events
from services.matcher.rounds.statements import check_participant
from services.matcher.storage.tables import RoundRow

_NEWEST = select(RoundRow.round_id, RoundRow.phase).order_by(RoundRow.created_at.desc(), RoundRow.round_id)
LONGEST_WAIT = 20
_LOOK_SECONDS = 1.0


def rounds_of(context: MatcherContext, caller: str) -> Rounds:
    """Return the rounds whose manifest names the caller, newest first."""
    with context.store.reading("rounds.list") as session:
        rows = session.execute(_NEWEST).all()
        terms = context.terms.of(session, [row.round_id for row in rows])
        news = newest_late_events(session, caller)
    mine = tuple(
        RoundEntry(
            round_id=round_id,
            phase=phase,
            area=summary.area,
            category=summary.category,
            participants=summary.participants,
        )
        for round_id, phase in rows
        if caller in (summary := terms[round_id].summary).participants
    )
    return Rounds(rounds=mine, news=news)


def round_page(
    context: MatcherContext, offset: int = 0, limit: int | None = None, *, ongoing: bool = False
) -> RoundPage:
    """Return rounds for the secretariat, newest first."""
    wanted = RoundRow.ended_at.is_(None) if ongoing else true()
    with context.store.reading("rounds.page") as session:
        total = session.scalar(select(func.count()).select_from(RoundRow).where(wanted)) or 0
        rows = session.execute(_NEWEST.where(wanted).offset(offset).limit(limit)).all()
        terms = context.terms.of(session, [row.round_id for row in rows])
    entries = (terms[round_id].summary.model_copy(update={"phase": Phase(phase)}) for round_id, phase in rows)
    return RoundPage(rounds=tuple(entries), offset=offset, total=total)


def manifest_envelope(context: MatcherContext, round_id: str, caller: str) -> bytes:
    """Return the signed manifest; raises `NotFoundError` where the caller is not in it."""
    with context.round_cache.reading(round_id) as turn:
        check_participant(turn.round, caller)
        return turn.row.manifest


async def events_of(
    context: MatcherContext, round_id: str, call: SignedCall, after: int, limit: int, wait: float
) -> Events:
    """Return the next events that the caller may see, waiting for the first one.

    Raises:
        NotFoundError: There is no such round, or the caller is not in it.
    """
    wait = min(wait, LONGEST_WAIT)
    ends = time.monotonic() + wait
    while True:
        # The event is taken before the look, so that nothing is missed in between.
        notified = context.wakeup.listen()
        page = await threads.run_call(page_of, context, round_id, call.party, after, limit)
        if not call.counts():
            raise SignatureError("call_signature_not_pinned")
        left = ends - time.monotonic()
        # A service that stops keeps nobody waiting.
        if page.events or left <= 0 or context.wakeup.down:
            return page
        # Other processes notify waiters of their own: look each second anyway.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(notified.wait(), min(left, _LOOK_SECONDS))


def page_of(context: MatcherContext, round_id: str, caller: str, after: int, limit: int) -> Events:
    """Return the next events of a feed at once; raises as `events_of` does."""
    with context.round_cache.reading(round_id) as turn:
        check_participant(turn.round, caller)
        events = visible_events(turn.session, round_id, caller, after, limit)
    return Events(events=events, time=context.clock())
