"""The matcher's published figures of a round that ended, from its own tables (PROTOCOL.md 10.7).

An auditor recomputes the same document from the log's entries alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from aquila.audit.statistics import SAID, Statistics
from aquila.crypto.envelope import open_envelope
from aquila.crypto.keys import VerifyKey
from aquila.protocol.messages import Kind, StatementKind, Submission
from aquila.protocol.registry import Registry
from aquila.protocol.rounds.verified_round import LARGEST_STATEMENT
from services.matcher.events import FIRST_PAGE, NOBODY, REPORT, SUBMISSION
from services.matcher.storage.tables import EventRow, HitCountRow, RoundRow

_SAID = {kind.value: what for kind, what in SAID.items()}


def round_statistics(session: Session, registry: Registry, round_id: str) -> bytes | None:
    """Return the statistics of a round that ended, as they are published; None for any other."""
    row = session.get(RoundRow, round_id)
    if row is None or row.ended_at is None:
        return None
    found = Statistics(round_id, row.created_at, row.ended_at, row.phase)
    said = select(EventRow.party, EventRow.statement, func.count()).where(
        EventRow.round_id == round_id, EventRow.statement.is_not(None), or_(EventRow.statement != REPORT, FIRST_PAGE)
    )
    for party, statement, count in session.execute(said.group_by(EventRow.party, EventRow.statement)):
        if statement == StatementKind.HIT_REPORT:
            found.count(party, "reports", count)
        elif statement in _SAID:
            found.count(party, _SAID[statement], count)
    _count_submissions(session, registry, round_id, found)
    for hits in session.scalars(select(HitCountRow).where(HitCountRow.round_id == round_id)):
        of = "query" if hits.submission_id else "lists"
        found.hit(hits.left, hits.right, of, hits.certainty, hits.hits)
    return found.to_bytes()


def _submission(event: EventRow, keys: Mapping[str, VerifyKey]) -> Submission:
    """Return a submission as its party signed it, or what stayed of it when its justification was erased."""
    content = (event.envelope or "").encode()
    if event.audience != NOBODY:
        content = open_envelope(content, [Submission.payload_type], keys, limit=LARGEST_STATEMENT).payload
    return Submission.from_payload(content)


def _count_submissions(session: Session, registry: Registry, round_id: str, found: Statistics) -> None:
    """Count what was submitted, as the parties signed it."""
    keys = {fingerprint: key for fingerprint, (_, key) in registry.by_fingerprint().items()}
    for event in session.scalars(
        select(EventRow).where(EventRow.round_id == round_id, EventRow.statement == SUBMISSION)
    ):
        said = _submission(event, keys)
        found.count(said.party, "queries" if said.kind is Kind.QUERY else "lists")
        found.count(said.party, "records", said.records)
        found.count(said.party, "full", said.elements.full)
        found.count(said.party, "partial", said.elements.partial)
        found.count(said.party, "chunks", len(said.chunks))
