"""The entries of a service's own log, as tests read them."""

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, read_entry
from services.kit.log.entries import ENTRIES


def entries(session: Session, start: int = 0, end: int | None = None) -> Iterator[tuple[int, Entry | None]]:
    """Yield entries with their indices; None in place of one whose content was erased.

    Raises:
        AuditError: What is stored is not an entry.
    """
    query = sa.select(ENTRIES.c.index, ENTRIES.c.content).where(ENTRIES.c.index >= start).order_by(ENTRIES.c.index)
    if end is not None:
        query = query.where(ENTRIES.c.index < end)
    for index, content in session.execute(query):
        yield index, None if content is None else read_entry(bytes(content))
