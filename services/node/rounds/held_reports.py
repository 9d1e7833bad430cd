"""Reports of queries that an alarm of this node holds back: until each is decided on, a round is not closed here."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.node.storage.tables import AlarmRow


def held_back(session: Session, round_id: str) -> frozenset[str]:
    """Return the queries of a round whose report an alarm of this node holds back, its receipt not signed yet."""
    query = select(AlarmRow.submission_id).where(AlarmRow.round_id == round_id, ~AlarmRow.acknowledged)
    return frozenset(session.scalars(query))


def on_hold(session: Session, round_id: str) -> bool:
    """Return whether a report is held back for which no release or refusal is signed yet."""
    waits = AlarmRow.round_id == round_id, ~AlarmRow.acknowledged, ~AlarmRow.refusal_signed
    return session.scalar(select(AlarmRow.submission_id).where(*waits).limit(1)) is not None
