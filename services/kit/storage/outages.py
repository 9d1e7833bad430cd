"""The log of outages: when the matcher, or a party's node, was not heard of for more than a minute.

Node and matcher keep it in the same table. Only what has ended is stored; what lasts is told from the last contact. A
service that restarts during an outage counts it from its start.
"""

from sqlalchemy import String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from aquila.interface.service.health import Outage
from services.kit.storage.store import Rows, new_metadata

SHOWN_SECONDS = 60
"""A shorter silence is no outage."""
KEPT_SECONDS = 90 * 86_400
_SHOWN = 20


class OutageRows(Rows):
    """The base of the table."""

    __abstract__ = True
    metadata = new_metadata()


class OutageRow(OutageRows):
    """An outage that has ended."""

    __tablename__ = "outage"
    peer: Mapped[str] = mapped_column(String(8), primary_key=True, comment="matcher, or the party's code.")
    began_at: Mapped[int] = mapped_column(primary_key=True, comment="Seconds since 1970.")
    ended_at: Mapped[int] = mapped_column(comment="Seconds since 1970.")


def lasting(peer: str, since: int | None, now: int) -> tuple[Outage, ...]:
    """Return the outage of a peer that was heard of last at a time, if it is one by now; nothing where it is there."""
    is_out = since is not None and now - since > SHOWN_SECONDS
    return (Outage(peer=peer, began_at=since or 0, ended_at=None),) if is_out else ()


def log_outage(session: Session, peer: str, began_at: int, ended_at: int) -> None:
    """Store an outage that has ended, unless it was too short, and remove what is older than `KEPT_SECONDS`."""
    if ended_at - began_at > SHOWN_SECONDS:
        session.merge(OutageRow(peer=peer, began_at=began_at, ended_at=ended_at))
        session.execute(delete(OutageRow).where(OutageRow.ended_at < ended_at - KEPT_SECONDS))


def ended_outages(session: Session) -> tuple[Outage, ...]:
    """Return the newest outages that have ended."""
    query = select(OutageRow).order_by(OutageRow.ended_at.desc(), OutageRow.peer).limit(_SHOWN)
    return tuple(Outage.of_fields(row) for row in session.scalars(query))
