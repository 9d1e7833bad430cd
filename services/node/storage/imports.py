"""The row of an imported list, for all that use it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from services.kit.errors import NotFoundError
from services.node.storage.tables import ImportRow


def complete_import(session: Session, import_id: str) -> ImportRow:
    """Return the row of a list that is stored in full.

    Raises:
        NotFoundError: The node holds no such import, or not all of it.
    """
    row = session.get(ImportRow, import_id)
    if row is None or not row.complete:
        raise NotFoundError("import_unknown")
    return row
