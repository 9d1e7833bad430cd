"""Expiry of requests: they expire, are withdrawn when their author may no longer make them, and are erased.

The digest stays, with who asked and who decided: a copy that somebody kept can still be told from a forged one.
"""

from __future__ import annotations

from sqlalchemy import func, select, update

from aquila.interface.approval import ApprovalState
from services.kit.approvals.authors import withdraw_abandoned
from services.kit.approvals.context import Approvals
from services.kit.approvals.requests import expire
from services.kit.approvals.tables import ApprovalRow
from services.kit.people.log import EntryKind, log_entry

_DAY = 86_400


def expire_requests(approvals: Approvals, retention_days: int) -> bool:
    """End requests that were not decided in time or lost their author, erase old contents; return whether any was."""
    return expire(approvals) | withdraw_abandoned(approvals) | erase_contents(approvals, retention_days)


def erase_contents(approvals: Approvals, retention_days: int) -> bool:
    """Erase the contents of requests that were decided, after the retention; return whether there were any."""
    people = approvals.people
    old = (
        ApprovalRow.asked_at <= people.clock() - retention_days * _DAY,
        ApprovalRow.state != ApprovalState.WAITING.value,
        ApprovalRow.content != b"",
    )
    with people.store.reading("approval.old") as session:
        count = session.scalar(select(func.count()).select_from(ApprovalRow).where(*old)) or 0
    if count:
        with people.store.transaction("approval.erase") as session:
            session.execute(update(ApprovalRow).where(*old).values(content=b""))
            log_entry(session, people, EntryKind.ERASURE, None, counts={"requests": count})
    return count > 0
