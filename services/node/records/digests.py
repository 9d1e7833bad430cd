"""The digest of an imported list: two persons approve exactly these records in this order."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import select

from aquila.errors import OrderError
from aquila.protocol.encoding import framed
from services.kit.errors import NotFoundError
from services.node.storage.tables import ImportRow, RecordRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from services.kit.storage.store import Store

_LABEL = "aquila/1 imported record"
_AT_ONCE = 2_048


class ListDigest:
    """SHA-256 over the records of a list in their order, each behind its own identifier."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, record_id: str, content: bytes) -> None:
        """Take the next record as it is stored."""
        self._hash.update(framed(_LABEL, record_id.encode(), content))

    def hexdigest(self) -> str:
        """Return the digest of what came so far."""
        return self._hash.hexdigest()


def stored_digest(session: Session, import_id: str) -> str:
    """Return the digest of the records of a list as they are stored now."""
    found = ListDigest()
    query = select(RecordRow.record_id, RecordRow.content).where(RecordRow.import_id == import_id)
    for record_id, content in session.execute(query.order_by(RecordRow.position).execution_options(yield_per=_AT_ONCE)):
        found.add(record_id, content)
    return found.hexdigest()


def checked_digest(store: Store, import_id: str) -> str:
    """Return the digest of a list, after its records were read and compared with it.

    A list has none where it was imported before there were any, or where a record of it was erased: then it is what the
    list holds now.

    Raises:
        NotFoundError: The node holds no such import.
        OrderError: The records are not those that were imported: somebody changed the database.
    """
    with store.reading("import.digest") as session:
        row = session.get(ImportRow, import_id)
        if row is None or not row.complete:
            raise NotFoundError("the node holds no such import", hint="see them with `aquila records list`")
        found = stored_digest(session, import_id)
    if row.digest is None:
        # Within one transaction, so that no erasure comes between the records and their digest.
        with store.transaction("import.digested") as session:
            found = stored_digest(session, import_id)
            session.get_one(ImportRow, import_id).digest = found
    elif row.digest != found:
        raise OrderError(
            "the stored records of this list are not those that were imported",
            hint="somebody changed the database; import the list again",
        )
    return found
