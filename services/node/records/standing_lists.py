"""Lists whose persons a standing query asks for: they stay while it does, and may become fewer without an approval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.interface.queries import StandingQueryState
from services.node.records.digests import stored_digest
from services.node.storage.tables import StandingQueryRow, SubmissionRow


def standing_queries_of(session: Session, import_id: str) -> Sequence[StandingQueryRow]:
    """Return the standing queries that ask for the persons of a list now."""
    active = StandingQueryRow.state == StandingQueryState.ACTIVE, StandingQueryRow.import_id == import_id
    return session.scalars(select(StandingQueryRow).where(*active)).all()


def is_of_standing_query(session: Session, submission_id: str | None) -> bool:
    """Return whether a submission is an own query for persons for whom a standing query asks now."""
    own = session.get(SubmissionRow, submission_id) if submission_id else None
    return own is not None and bool(standing_queries_of(session, own.import_id))


@contextmanager
def following_removal(session: Session, import_id: str) -> Iterator[None]:
    """Let standing queries go on with the records that are left when the block removes or moves some.

    Two persons approved all of them; a list that was changed in another way is not followed.
    """
    found = standing_queries_of(session, import_id)
    before = stored_digest(session, import_id) if found else ""
    yield
    if found:
        session.flush()
        after = stored_digest(session, import_id)
        for row in found:
            if row.records_digest == before:
                row.records_digest = after
