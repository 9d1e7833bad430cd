"""Changes since a cursor: what is new at the node for a program that mirrors hits, decisions and queries.

A cursor names the newest change that was seen, and the newest entry of the log then. A node that was restored from an
older copy has another entry there, or none, or an alarm behind it: the cursor is refused rather than that a change is
missed, since numbers of changes come again. No clock counts.
"""

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from aquila.audit.entries import EntryKind
from aquila.audit.roles import Action, Service, role_table
from aquila.errors import OrderError
from aquila.interface.hits import Change, ChangeKind, Changes
from services.kit.actor import Actor
from services.kit.log import entries
from services.kit.log.entries import ENTRIES
from services.kit.storage.store import Store
from services.node.storage.tables import ChangeRow, HitRow, HitStatusRow, RoundRow

_LEAF_DIGITS = 16
Hit = tuple[str, str]


def changes_since(store: Store, actor: Actor, cursor: str, limit: int) -> Changes:
    """Return changes in the order in which they happened; hits only to who may see hits. No record is looked at.

    Raises:
        OrderError: The cursor is of another history than this node now has.
    """
    query = select(ChangeRow).order_by(ChangeRow.change_id).limit(limit + 1)
    if not role_table().allows(Service.NODE, actor.roles, Action.SEE_HITS):
        query = query.where(ChangeRow.kind != ChangeKind.HIT.value)
    with store.reading("change.list") as session:
        seen = _number_of(session, cursor)
        found = session.scalars(query.where(ChangeRow.change_id > seen)).all()
        rows = found[:limit]
        newest = rows[-1].change_id if rows else seen
        hits = [(row.round_id, row.subject) for row in rows if row.kind == ChangeKind.HIT]
        kept, stages = _hits(session, hits)
        erased = _erased_rounds(session, {row.round_id for row in rows if row.kind == ChangeKind.ROUND})
        return Changes(
            changes=tuple(_change(row, kept, stages, erased) for row in rows),
            cursor=_cursor_of(session, newest),
            more=len(found) > limit,
        )


def _change(row: ChangeRow, kept: set[Hit], stages: dict[Hit, HitStatusRow], erased: set[str]) -> Change:
    key, kind = (row.round_id, row.subject), ChangeKind(row.kind)
    is_gone = row.round_id in erased if kind is ChangeKind.ROUND else kind is ChangeKind.HIT and key not in kept
    state = stages.get(key) if kind is ChangeKind.HIT else None
    return Change(
        kind=kind,
        round_id=row.round_id,
        subject=row.subject,
        erased=is_gone,
        stage=state and state.stage,
        decision=state and state.decision,
        outcome=state and state.outcome,
    )


def _hits(session: Session, keys: list[Hit]) -> tuple[set[Hit], dict[Hit, HitStatusRow]]:
    """Return those hits that are kept, and the status of each that this service wrote."""
    stored = select(HitRow.round_id, HitRow.hit_id).where(tuple_(HitRow.round_id, HitRow.hit_id).in_(keys))
    status = select(HitStatusRow).where(tuple_(HitStatusRow.round_id, HitStatusRow.hit_id).in_(keys))
    kept = {(round_id, hit_id) for round_id, hit_id in session.execute(stored)}
    return kept, {(row.round_id, row.hit_id): row for row in session.scalars(status)}


def _erased_rounds(session: Session, round_ids: set[str]) -> set[str]:
    erased = RoundRow.hits_erased_at.is_not(None)
    return set(session.scalars(select(RoundRow.round_id).where(RoundRow.round_id.in_(round_ids), erased)))


def _cursor_of(session: Session, number: int) -> str:
    size = entries.size(session)
    return f"{number}-{size}-{_leaf(session, size)}"


def _number_of(session: Session, cursor: str) -> int:
    if not cursor:
        return 0
    number, size, leaf = cursor.split("-")
    later = ENTRIES.c.index >= int(size), ENTRIES.c.kind == EntryKind.LOG_ALARM.value
    if _leaf(session, int(size)) != leaf or session.scalar(select(ENTRIES.c.index).where(*later).limit(1)) is not None:
        raise OrderError("changes_cursor_of_another_history")
    return int(number)


def _leaf(session: Session, size: int) -> str:
    """Return the beginning of the hash of the last of the log's first entries; of none, zeros."""
    found = entries.leaves(session, size - 1, size)
    return found[0].hex()[:_LEAF_DIGITS] if found else "0" * _LEAF_DIGITS
