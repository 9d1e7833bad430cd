"""Digests of stored lists, by which two persons approve exactly these records, and standing queries for their persons.

What holds a list together from its import to its submission is this digest, and all records are read for it as often as
the two persons need and no more:

1. When the list is imported, the digest is made of the records on their way to the database. Nothing is read.
2. When an officer asks, the records are read once: the author asks for the list that was imported. A list of which
   a record was erased has no digest, and is read once more to record one.
3. When another person approves, they are read once: the approver approves the list that is stored now. The digest that
   was approved is stored with the submission.
4. When the driver begins, they are read once: days may lie between, and a record that was erased or changed meanwhile
   ends the submission here. Where earlier erasures left gaps, these are closed, and the list is read once more for the
   digest of its new order. From here on no record of it can be erased until it is submitted.
5. The batches are read for the work itself, one after the other, over many steps and perhaps a restart.
6. When they are digested, the records are read once: what was worked on is what was approved, although somebody with
   access to the database could change it between two batches. Nothing is signed before.

Records that were changed together with the recorded digest before 2 are not detected.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.errors import OrderError
from aquila.interface.queries import StandingQueryState
from aquila.protocol.encoding import framed
from services.kit.storage.store import Store
from services.node.storage.imports import complete_import
from services.node.storage.tables import ImportRow, RecordRow, StandingQueryRow, SubmissionRow

_LABEL = "aquila/2 imported record"
_AT_ONCE = 2_048
_RECORD = RecordRow.__table__  # its columns: no object is made of each of a million records


class ListDigest:
    """SHA-256 over the records of a list in their order, each behind its own identifier."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, *records: tuple[str, bytes]) -> None:
        """Take the next records as they are stored: the identifier and the content of each."""
        self._hash.update(b"".join([framed(_LABEL, record_id.encode(), content) for record_id, content in records]))

    def hexdigest(self) -> str:
        """Return the digest of what came so far."""
        return self._hash.hexdigest()


def stored_digest(session: Session, import_id: str) -> str:
    """Return the digest of the records of a list as they are stored now."""
    found = ListDigest()
    query = select(_RECORD.c.record_id, _RECORD.c.content).where(_RECORD.c.import_id == import_id)
    ordered = query.order_by(_RECORD.c.position).execution_options(yield_per=_AT_ONCE)
    for records in session.execute(ordered).partitions():
        found.add(*records)
    return found.hexdigest()


def recorded_digest(store: Store, import_id: str) -> str:
    """Return the digest that is recorded of a list, without reading its records where there is one.

    A list of which a record was erased has none: then it is that of what the list holds now, and is recorded.
    """
    with store.reading("import.recorded") as session:
        recorded = complete_import(session, import_id).digest
    if recorded is not None:
        return recorded
    # Within one transaction, so that no erasure comes between the records and their digest.
    with store.transaction("import.digested") as session:
        found = stored_digest(session, import_id)
        session.get_one(ImportRow, import_id).digest = found
    return found


def checked_digest(store: Store, import_id: str) -> str:
    """Return the digest of a list, after its records were read and compared with it."""
    with store.reading("import.digest") as session:
        recorded = complete_import(session, import_id).digest
        if recorded is not None and stored_digest(session, import_id) != recorded:
            raise OrderError("stored_list_records_differ")
    return recorded_digest(store, import_id) if recorded is None else recorded


def check_approved(session: Session, import_id: str, approved: str, round_id: str) -> None:
    """Refuse to prepare other records for a round than those that two persons approved, by their digest."""
    if stored_digest(session, import_id) != approved:
        raise OrderError("list_records_differ_from_request", round=round_id)


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
