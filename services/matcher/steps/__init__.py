"""Steps: what drivers repeat. Each looks at what is stored, does one piece, and tells whether there was any.

A matcher that is killed at any moment goes on where it was, because a step starts from rows and events alone, and
checks again inside its transaction what it saw before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.kit.approvals.housekeeping import tidy
from services.kit.retention import Retention
from services.matcher.steps.cleaning import clean
from services.matcher.steps.deleting import Deletion
from services.matcher.steps.ending import end_due
from services.matcher.steps.justifications import JustificationErasure
from services.matcher.steps.matching import match_lists
from services.matcher.steps.notes import delete_notes
from services.matcher.steps.opening import open_due
from services.matcher.steps.queries import match_queries, release_reports
from services.matcher.steps.showing import show_log
from services.matcher.suggestions import forget_suggestions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from services.kit.approvals import Approvals
    from services.matcher.desk import Desk


def steps_of(desk: Desk, approvals: Approvals) -> Mapping[str, Callable[[], bool]]:
    """Return the matcher's steps by the names of their drivers."""
    deletion = Deletion(desk)
    days = desk.settings.log.retention_days
    retention, justifications = Retention(desk.log.own, days), JustificationErasure(desk)
    return {
        "opening": lambda: open_due(desk),
        "matching": lambda: match_lists(desk),
        "queries": lambda: match_queries(desk) | release_reports(desk),
        "ending": lambda: end_due(desk),
        "deleting": deletion.step,
        "cleaning": lambda: clean(desk),
        "notes": lambda: delete_notes(desk),
        "log": lambda: show_log(desk),
        "retention": lambda: retention.step() | justifications.step(),
        "people": lambda: tidy(approvals, days) | forget_suggestions(desk, days),
    }
