"""Seals of rows that a test stores past the mapper, many at once, or changes as the service itself would have."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.kit.approvals.tables import ApprovalRows
from services.kit.log.entries import seal_entries_again
from services.kit.people.tables import PeopleRows
from services.kit.storage.row_seals import ROW_KEY, seal_again
from services.kit.storage.store import Rows, Store
from services.node.storage.tables import NodeRows

_OF_NODE = PeopleRows, ApprovalRows, NodeRows


def sealed(session: Session, *tables: type[Rows], log: bool = False) -> None:
    """Seal all rows as they are, under the key of the session's store.

    Args:
        tables: The bases of the tables; those of a node if not given.
        log: Whether to seal the entries of the log, too.
    """
    key = session.info.pop(ROW_KEY)
    session.flush()
    seal_again(session, tables or _OF_NODE, None, key)
    if log:
        seal_entries_again(session, None, key)
    session.flush()
    session.info[ROW_KEY] = key


def write(store: Store, sql: str, **values: object) -> None:
    """Write into a database as its administrator does: past the service, without its key."""
    with store.engine.begin() as connection:
        assert connection.execute(text(sql), values).rowcount == 1
