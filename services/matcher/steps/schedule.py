"""The steps of a matcher and the names of their drivers, and the pulse that wakes them for what other processes commit.

A matcher that is killed at any moment goes on where it was, because a step starts from rows and events alone, and
checks again inside its transaction what it saw before.

Each event wakes the drivers that it can give work to, and no others. An event that is missing in `WOKEN_BY` costs time
and no more, because every driver looks by itself as well. Checkpoints and the ends of retention wait for that look:
a checkpoint is signed when a proof needs it (PROTOCOL.md 10.5.2).
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

from sqlalchemy import func, select

from aquila.protocol.messages import StatementKind
from aquila.protocol.messages.feed import EventKind
from services.kit.approvals.decisions import expire_requests
from services.kit.approvals.requests import Approvals
from services.kit.log.retention import Retention
from services.kit.serving.notifications.waiting import forget_choices
from services.matcher.context import MatcherContext
from services.matcher.events import TOKENS
from services.matcher.steps.deletion import JustificationErasure, delete_notes, prune_chunks, purge_ended
from services.matcher.steps.iteration import QuietRounds
from services.matcher.steps.matches import match_lists, match_queries, release_reports
from services.matcher.steps.phases import end_due, open_due
from services.matcher.storage.tables import EventRow, RoundRow

PULSE_SECONDS = 2.0
"""Seconds between two looks while something comes."""

QUIET_PULSE_SECONDS = 10.0
"""Seconds between two looks at most while nothing comes."""

_MOST = 1_000  # events between two looks, of which each is looked at


class Pulse:
    """The step, which rings the wake-up of its process when there is something new.

    What this process commits wakes those for whom it is work when it is committed. All others hear of it once there is
    a pause, in case that one of them has something to do all the same.
    """

    def __init__(self, context: MatcherContext) -> None:
        self._context = context
        self._seen: tuple[int, int] | None = None
        self._pending = False
        self._news = context.wakeup.listen()

    async def wait(self, seconds: float) -> None:
        """Wait between two looks: longer while nothing is committed here, and nothing waits for a pause."""
        await asyncio.sleep(min(seconds, PULSE_SECONDS))
        if seconds > PULSE_SECONDS and not self._pending:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), seconds - PULSE_SECONDS)

    def step(self) -> bool:
        """Look once; it waits for the next interval whatever it found; raises StoreError if the database failed."""
        self._news = self._context.wakeup.listen()  # before the look, so that nothing is missed in between
        known, event = self._seen or (None, None)
        newest = select(func.coalesce(func.max(EventRow.event_id), 0))
        if event is not None:
            newest = select(EventRow.event_id).where(EventRow.event_id > event).order_by(EventRow.event_id).limit(_MOST)
        with self._context.store.reading("pulse.look") as session:
            count = session.scalar(select(func.count()).select_from(RoundRow)) or 0
            found = set(session.scalars(newest))
        self._seen = count, max(found, default=event or 0)
        own = self._context.round_cache.take_committed(self._seen[1])
        if event is None:
            return False
        of_others = bool(found - own) or len(found) == _MOST or count != known
        if of_others or (self._pending and not found):
            self._context.wakeup.notify()
        self._pending = bool(found) and not of_others
        return False


WOKEN_BY: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "opening": frozenset({StatementKind.CONSENT, StatementKind.REFUSAL}),
        # A join waits for the one that is going on, which ends with a report.
        "matching": frozenset({TOKENS, StatementKind.HIT_REPORT}),
        "queries": frozenset({TOKENS, StatementKind.RECEIPT, StatementKind.WITHHELD_ANSWER, StatementKind.HIT_REPORT}),
        "ending": frozenset(
            {
                StatementKind.RECEIPT,
                StatementKind.NOTES,
                StatementKind.CONFIRMATION,
                StatementKind.REFUSAL,
                StatementKind.CLOSING,
            }
        ),
        "deleting": frozenset({EventKind.EVALUATION, StatementKind.HIT_REPORT}),
        "cleaning": frozenset({StatementKind.RECEIPT, StatementKind.CLOSING}),
        "notes": frozenset({StatementKind.CONFIRMATION}),
        "log": frozenset(),
        "retention": frozenset(),
        "people": frozenset(),
    }
)
"""The kinds of events that wake a driver; what the matcher's own steps and people do wakes all of them."""


def steps_of(context: MatcherContext, approvals: Approvals) -> Mapping[str, Callable[[], bool]]:
    """Return the matcher's steps by the names of their drivers."""
    # Each step remembers by itself where it found nothing to do.
    opening, matching, queries, releasing, ending, deleting, cleaning = (QuietRounds() for _ in range(7))
    days = context.settings.log.retention_days
    retention, justifications = Retention(context.log.own, days), JustificationErasure(context)
    return {
        "opening": lambda: open_due(context, opening),
        "matching": lambda: match_lists(context, matching),
        "queries": lambda: match_queries(context, queries) | release_reports(context, releasing),
        "ending": lambda: end_due(context, ending),
        "deleting": lambda: prune_chunks(context, deleting),
        "cleaning": lambda: purge_ended(context, cleaning),
        "notes": lambda: delete_notes(context),
        "log": lambda: publish_log(context),
        "retention": lambda: retention.step() | justifications.step(),
        "people": lambda: expire_requests(approvals, days) | forget_choices(context.store),
    }


def publish_log(context: MatcherContext) -> bool:
    """Publish the log. It waits for the next interval or wake-up whatever it did: a checkpoint covers many entries.

    Raises:
        LogRewrittenError: The files show another log than the database; nothing is signed.
    """
    context.log.own.publish()
    return False
