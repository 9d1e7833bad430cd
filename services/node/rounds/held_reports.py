"""Reports of queries that an alarm of this node holds back: until one is released, a round is not closed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from services.node.storage.tables import AlarmRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def held_back(session: Session, round_id: str) -> frozenset[str]:
    """Return the queries of a round whose report an alarm of this node holds back, its receipt not signed yet."""
    query = select(AlarmRow.submission_id).where(AlarmRow.round_id == round_id, ~AlarmRow.acknowledged)
    return frozenset(session.scalars(query))
