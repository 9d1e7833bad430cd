"""Work as rows: which step of which round is due, from when, and how often it has failed.

What a node does next stands in these rows and nowhere else, so that a kill at any point forgets nothing. A wake-up sets
the time of a round's rows to now, in the transaction of what it is about. A step that was taken is put off, or its row
goes, in one transaction with the rows that follow; one that was woken meanwhile stays due. No row has a holder: one
process takes them, and what it was at when it was killed is still due.
"""

import math

from sqlalchemy import ColumnElement, case, delete, func, select, update
from sqlalchemy.orm import Session

from services.kit.storage.store import Store
from services.kit.work.drivers import MOST_SPREAD
from services.node.context import Clock
from services.node.storage.states import Step
from services.node.storage.tables import RoundRow, WorkRow

LAST_DELAY = 60.0
"""The longest wait of a step that has failed, in seconds, before it is spread."""
LONGEST_RETRY = math.ceil(LAST_DELAY * MOST_SPREAD)

NOW = 0
_SEVERAL = 3


def _is_due(now: int) -> ColumnElement[bool]:
    """Return the condition for due rows; a retry that is further away than any wait is due: the clock was set back."""
    return (WorkRow.not_before <= now) | ((WorkRow.attempts > 0) & (WorkRow.not_before > now + LONGEST_RETRY))


def due(store: Store, clock: Clock) -> dict[str, frozenset[Step]]:
    """Return the due steps of each round that has any; the round that was proposed first comes first."""
    query = select(WorkRow.round_id, WorkRow.step).join(RoundRow, RoundRow.round_id == WorkRow.round_id)
    found: dict[str, frozenset[Step]] = {}
    with store.reading("work.due") as session:
        rows = session.execute(query.where(_is_due(clock())).order_by(RoundRow.discovered_at, RoundRow.round_id))
        for round_id, step in rows:
            found[round_id] = found.get(round_id, frozenset()) | {step}
    return found


def due_step(store: Store, clock: Clock, round_id: str, step: Step) -> WorkRow | None:
    """Return the row of a step if it is due."""
    query = select(WorkRow).where(WorkRow.round_id == round_id, WorkRow.step == step, _is_due(clock()))
    with store.reading("work.step") as session:
        return session.scalar(query)


def open_rounds(store: Store, *, without_failing: bool = False) -> list[str]:
    """Return the rounds that are not over here, those that were proposed last at the end."""
    query = select(WorkRow.round_id).join(RoundRow, RoundRow.round_id == WorkRow.round_id)
    query = query.where(WorkRow.step == Step.LOOK)
    if without_failing:
        query = query.where(WorkRow.attempts == 0)
    with store.reading("work.rounds") as session:
        return list(session.scalars(query.order_by(RoundRow.discovered_at, RoundRow.round_id)))


def failing(session: Session) -> set[str]:
    """Return the rounds in which a step has failed at least three times in a row."""
    return set(session.scalars(select(WorkRow.round_id).where(WorkRow.attempts >= _SEVERAL)))


def seconds_left(store: Store, clock: Clock) -> float:
    """Return the seconds until a step is due; infinite where none has a time."""
    now = clock()
    with store.reading("work.next") as session:
        at = session.scalar(select(func.min(case((_is_due(now), now), else_=WorkRow.not_before))))
    return math.inf if at is None else at - now


def wake(session: Session, round_id: str) -> None:
    """Let a round be looked at now, and end the waits of its other steps; one that is over is opened for it."""
    put(session, round_id, Step.LOOK)
    woken = update(WorkRow).where(WorkRow.round_id == round_id)
    session.execute(woken.values(not_before=NOW, wakes=WorkRow.wakes + 1))


def wake_all(store: Store, *, everything: bool = False) -> None:
    """Let all open rounds be looked at now, but those whose looks fail; with `everything`, all waits end."""
    woken = update(WorkRow)
    if not everything:
        woken = woken.where(WorkRow.step == Step.LOOK, WorkRow.attempts == 0)
    with store.transaction("work.wake_all") as session:
        session.execute(woken.values(not_before=NOW, wakes=WorkRow.wakes + 1))


def put(session: Session, round_id: str, step: Step) -> None:
    """Let a step be taken now; one that has failed keeps its time."""
    row = session.get(WorkRow, (round_id, step))
    if row is None:
        session.add(WorkRow(round_id=round_id, step=step, not_before=NOW))
        session.flush()
    elif not row.attempts:
        row.not_before, row.wakes = NOW, row.wakes + 1


def put_off(session: Session, taken: WorkRow, at: int | None) -> None:
    """Set when a step that was taken is due again; one that was woken meanwhile stays due."""
    row = session.get_one(WorkRow, (taken.round_id, taken.step))
    row.attempts = 0
    if row.wakes == taken.wakes:
        row.not_before = at


def fail(session: Session, taken: WorkRow, at: int) -> None:
    """Put a step off that has failed, and behind a look the others of its round: what they do follows a look."""
    row = session.get_one(WorkRow, (taken.round_id, taken.step))
    row.attempts = taken.attempts + 1
    if row.wakes == taken.wakes:
        row.not_before = at
    if taken.step is Step.LOOK:
        behind = WorkRow.round_id == taken.round_id, WorkRow.step != Step.LOOK, WorkRow.not_before < at
        session.execute(update(WorkRow).where(*behind).values(not_before=at))


def advance_look(session: Session, round_id: str, at: int | None) -> None:
    """Let a round be looked at by a time, or earlier where its row says so."""
    row = session.get(WorkRow, (round_id, Step.LOOK))
    if row is not None and at is not None and not row.attempts and (row.not_before is None or at < row.not_before):
        row.not_before = at


def done(session: Session, taken: WorkRow) -> None:
    """Remove the row of a step that has nothing left to do, unless it was woken meanwhile."""
    row = session.get_one(WorkRow, (taken.round_id, taken.step))
    if row.wakes == taken.wakes:
        session.delete(row)


def rest(session: Session, round_id: str) -> None:
    """Remove the rows of a round that is over, unless one is due."""
    session.flush()
    if session.scalar(select(func.min(WorkRow.not_before)).where(WorkRow.round_id == round_id)) != NOW:
        session.execute(delete(WorkRow).where(WorkRow.round_id == round_id))
