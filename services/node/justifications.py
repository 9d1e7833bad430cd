"""Justifications of submissions: kept for three years at their node, then erased (Prüm II asks for as long)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from services.kit.people.entries import EntryKind, note
from services.node.tables import SubmissionRow

if TYPE_CHECKING:
    from services.node.node import Node

_DAY = 86_400


def erase_justifications(node: Node, retention_days: int) -> bool:
    """Erase the justifications of submissions after the retention; tell whether there were any."""
    old = select(SubmissionRow).where(SubmissionRow.wished_at <= node.clock() - retention_days * _DAY)
    with node.store.reading("justification.old") as session:
        due = [row.submission_id for row in session.scalars(old) if row.justification]
    if due:
        with node.store.transaction("justification.erase") as session:
            for row in session.scalars(select(SubmissionRow).where(SubmissionRow.submission_id.in_(due))):
                row.justification = {}
            note(session, node.people, EntryKind.ERASURE, None, counts={"justifications": len(due)})
    return bool(due)
