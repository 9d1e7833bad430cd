"""The difference of a stored list to the one that was stored before it: records that came, went or changed.

Records are compared by the party's own identifiers, and their contents byte for byte.
"""

from __future__ import annotations

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from aquila.interface.records import MOST_NAMED, ListDifference
from services.kit.storage.store import Store
from services.node.storage.imports import complete_import
from services.node.storage.tables import ImportRow, RecordRow


def difference(store: Store, import_id: str) -> ListDifference:
    """Return the difference of a list to the one that was stored before it, which is empty if there was none.

    Raises:
        NotFoundError: The node holds no such import.
    """
    with store.reading("import.difference") as session:
        row = complete_import(session, import_id)
        before = _before(session, row)
        if before is None:
            return ListDifference(import_id=import_id)
        added = _ids(session, _missing(import_id, before.import_id))
        removed = _ids(session, _missing(before.import_id, import_id))
        changed = _ids(session, _changed(import_id, before.import_id))
        return ListDifference(
            import_id=import_id,
            previous=before.import_id,
            previous_name=before.name,
            added=added[0],
            removed=removed[0],
            changed=changed[0],
            unchanged=row.records - added[0] - changed[0],
            added_ids=added[1],
            removed_ids=removed[1],
            changed_ids=changed[1],
        )


def _before(session: Session, row: ImportRow) -> ImportRow | None:
    """Return the list that was stored before another one; None before the persons of a query."""
    if row.for_query:
        return None
    query = select(ImportRow).where(
        ImportRow.complete,
        ~ImportRow.for_query,
        ImportRow.import_id != row.import_id,
        ImportRow.imported_at <= row.imported_at,
    )
    return session.scalars(query.order_by(ImportRow.imported_at.desc(), ImportRow.import_id).limit(1)).first()


def _missing(import_id: str, other: str) -> Select[str]:
    """Return a query for the identifiers of a list that another list does not have."""
    elsewhere = aliased(RecordRow)
    found = select(elsewhere.record_id).where(elsewhere.import_id == other, elsewhere.record_id == RecordRow.record_id)
    return select(RecordRow.record_id).where(RecordRow.import_id == import_id, ~found.exists())


def _changed(import_id: str, other: str) -> Select[str]:
    """Return a query for the identifiers that two lists have with different contents."""
    elsewhere = aliased(RecordRow)
    return (
        select(RecordRow.record_id)
        .join(elsewhere, elsewhere.record_id == RecordRow.record_id)
        .where(RecordRow.import_id == import_id, elsewhere.import_id == other, elsewhere.content != RecordRow.content)
    )


def _ids(session: Session, query: Select[str]) -> tuple[int, tuple[str, ...]]:
    """Return how many identifiers a query finds, and the first ones."""
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    named = query.order_by(RecordRow.position).limit(MOST_NAMED)
    return total, tuple(session.scalars(named))
