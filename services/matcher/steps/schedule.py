"""The steps of a matcher and the names of their drivers.

A matcher that is killed at any moment goes on where it was, because a step starts from rows and events alone, and
checks again inside its transaction what it saw before.

Each event wakes the drivers that it can give work to, and no others. An event that is missing in `WOKEN_BY` costs time
and no more, because every driver looks by itself as well. Checkpoints and the ends of retention wait for that look:
a checkpoint is signed when a proof needs it (PROTOCOL.md 10.5.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from aquila.protocol.messages import StatementKind
from aquila.protocol.messages.feed import EventKind
from services.kit.approvals.decisions import expire_requests
from services.kit.approvals.requests import Approvals
from services.kit.log.retention import Retention
from services.kit.serving.notifications.choices import forget_choices
from services.matcher.context import MatcherContext
from services.matcher.events import TOKENS
from services.matcher.steps.delete_notes import delete_notes
from services.matcher.steps.end import end_due
from services.matcher.steps.erase_justifications import JustificationErasure
from services.matcher.steps.iteration import QuietRounds
from services.matcher.steps.match_lists import match_lists
from services.matcher.steps.match_queries import match_queries, release_reports
from services.matcher.steps.open import open_due
from services.matcher.steps.prune_chunks import prune_chunks
from services.matcher.steps.publish_log import publish_log
from services.matcher.steps.purge_ended import purge_ended

WOKEN_BY: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "opening": frozenset({StatementKind.CONSENT, StatementKind.REFUSAL}),
        "matching": frozenset({TOKENS, StatementKind.AMENDMENT}),
        "queries": frozenset({TOKENS, StatementKind.RECEIPT, StatementKind.REFUSAL, StatementKind.HIT_REPORT}),
        "ending": frozenset(
            {
                StatementKind.RECEIPT,
                StatementKind.NOTES,
                StatementKind.CONFIRMATION,
                StatementKind.REFUSAL,
                StatementKind.CLOSING,
            }
        ),
        "deleting": frozenset({TOKENS, EventKind.EVALUATION, StatementKind.AMENDMENT, StatementKind.HIT_REPORT}),
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
