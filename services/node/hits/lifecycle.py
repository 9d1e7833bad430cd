"""Lives of hits in the store: begun when a report comes, and taken further step by step, each with its log entry.

The core decides what a step does (`aquila.followup.lifecycle`); the row beside the steps is only what lists look at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, EntryKind, Word
from aquila.audit.roles import Action
from aquila.followup.lifecycle import HitLifecycle, LifecycleStep, LifecycleStepKind, Stage, Urgency
from services.kit.actor import Actor
from services.kit.errors import NotFoundError
from services.kit.log import entries
from services.kit.storage.row_seals import REFUSED
from services.node.context import Clock, Journal
from services.node.round_memory import round_row
from services.node.storage.tables import HitRow, HitStatusRow, HitStepRow

_KINDS: Mapping[LifecycleStepKind, EntryKind] = {
    LifecycleStepKind.CARRIED: EntryKind.HIT_DECIDED,
    LifecycleStepKind.ACKNOWLEDGED: EntryKind.HIT_ACKNOWLEDGED,
    LifecycleStepKind.DECIDED: EntryKind.HIT_DECIDED,
    LifecycleStepKind.UNDONE: EntryKind.HIT_DECIDED,
    LifecycleStepKind.ASSIGNED: EntryKind.HIT_ACKNOWLEDGED,
    LifecycleStepKind.REMARKED: EntryKind.HIT_DECIDED,
    LifecycleStepKind.OPENED: EntryKind.FOLLOW_UP,
    LifecycleStepKind.REFERENCED: EntryKind.FOLLOW_UP,
    LifecycleStepKind.REPLIED: EntryKind.FOLLOW_UP,
    LifecycleStepKind.PERMITTED: EntryKind.EXPORT_PERMITTED,
    LifecycleStepKind.EXPORTED: EntryKind.EXPORT,
    LifecycleStepKind.CLOSED: EntryKind.FOLLOW_UP_CLOSED,
    LifecycleStepKind.REOPENED: EntryKind.FOLLOW_UP,
    LifecycleStepKind.WITHDRAWN: EntryKind.WITHDRAWAL,
}
_ACTIONS: Mapping[LifecycleStepKind, Action] = dict.fromkeys(LifecycleStepKind, Action.DECIDE_HITS) | {
    LifecycleStepKind.EXPORTED: Action.EXPORT_HITS,
    LifecycleStepKind.WITHDRAWN: Action.WITHDRAW_HITS,
}
_VALUES: Mapping[LifecycleStepKind, Word] = {
    LifecycleStepKind.UNDONE: Word.UNDONE,
    LifecycleStepKind.ASSIGNED: Word.ASSIGNED,
    LifecycleStepKind.REMARKED: Word.REMARKED,
    LifecycleStepKind.REOPENED: Word.REOPENED,
    LifecycleStepKind.REPLIED: Word.REPLIED,
}
"""The word of a step that shares its kind of entry with another one and has no word of its own as its value."""

_ENDS = frozenset({Stage.CLOSED, Stage.WITHDRAWN})


def start_lifecycle(session: Session, clock: Clock, hits: Iterable[HitRow], *, urgent: bool = False) -> None:
    """Begin the lives of hits that come now, in the transaction that stores them.

    Args:
        session: The transaction.
        clock: Seconds since 1970.
        hits: Those that come now.
        urgent: Whether they are of a query whose asker signed it as urgent.
    """
    now = clock()
    life = HitLifecycle.of(now)
    session.flush()  # the hits are there before what refers to them
    session.add_all(
        HitStatusRow(
            round_id=hit.round_id,
            hit_id=hit.hit_id,
            arrived_at=now,
            stage=life.stage.value,
            due_at=life.due_at,
            urgent=urgent,
        )
        for hit in hits
    )


def hit_row(session: Session, round_id: str, hit_id: str) -> HitRow:
    """Return a hit.

    Raises:
        NotFoundError: The node holds no such hit.
    """
    hit = session.get(HitRow, (round_id, hit_id))
    if hit is None:
        raise NotFoundError("hit_unknown")
    return hit


def status_row(session: Session, hit: HitRow) -> HitStatusRow:
    """Return the row of a hit's life."""
    return session.get_one(HitStatusRow, (hit.round_id, hit.hit_id))


def steps_of(session: Session, hit: HitRow) -> Sequence[HitStepRow]:
    """Return the steps taken on a hit, in their order.

    Raises:
        ForgedRowError: The service did not write one of them: without it, the hit would have another history.
    """
    query = select(HitStepRow).where(HitStepRow.round_id == hit.round_id, HitStepRow.hit_id == hit.hit_id)
    return session.scalars(query.order_by(HitStepRow.step_id).execution_options(**{REFUSED: True})).all()


def lifecycle_of(session: Session, hit: HitRow) -> HitLifecycle:
    """Return the life of a hit."""
    return HitLifecycle.of(status_row(session, hit).arrived_at, map(_step, steps_of(session, hit)))


def apply_step(
    session: Session, journal: Journal, hit: HitRow, step: LifecycleStep, by: Actor | None, *, number: int | None = None
) -> int:
    """Take a hit one step further, with the log's entry, in the caller's transaction; return the step's number.

    Args:
        session: The transaction.
        journal: What dates and writes the entry.
        hit: Which hit.
        step: What is done.
        by: Who does it; None for the counterpart's statement.
        number: The first step of the decisions that are taken together with this one; None if it is the first.

    Raises:
        OrderError: The step is not possible now.
    """
    life = lifecycle_of(session, hit).after(step)
    taken = HitStepRow(
        round_id=hit.round_id,
        hit_id=hit.hit_id,
        kind=step.kind.value,
        at=step.at,
        person=step.person,
        value=step.value,
        reference=step.reference,
        urgency=step.urgency and step.urgency.value,
        remark=step.remark,
    )
    session.add(taken)
    session.flush()
    row = status_row(session, hit)
    row.stage, row.due_at = life.stage.value, life.due_at
    row.decision, row.outcome, row.assignee = life.decision, life.outcome, life.assignee or None
    undoable = life.before is not None
    row.undo_person, row.undo_number = (step.person, number or taken.step_id) if undoable else (None, None)
    if life.stage in _ENDS or step.kind is LifecycleStepKind.REOPENED:
        record_outcome(session, journal.clock, hit.round_id)
    entries.append(session, _entry(journal.code, hit, step, by))
    return taken.step_id


def record_outcome(session: Session, clock: Clock, round_id: str) -> None:
    """Mark the matcher's outcome counts as outdated; a step of the driver sends new ones some hours later."""
    row = round_row(session, round_id)
    row.outcomes_changed_at = row.outcomes_changed_at or clock()


def _entry(code: str, hit: HitRow, step: LifecycleStep, by: Actor | None) -> Entry:
    ids: dict[str, object] = {"hit": hit.hit_id, "counterpart": hit.counterpart}
    ids |= {"value": _VALUES.get(step.kind) or Word(step.value)} if step.value or step.kind in _VALUES else {}
    ids |= {"account": step.reference} if step.kind is LifecycleStepKind.ASSIGNED and step.reference else {}
    ids |= {"urgency": Word(step.urgency.value)} if step.urgency else {}
    person = {} if by is None else entries.actor_fields(by, _ACTIONS[step.kind])
    # Whose act it was: a withdrawal by the counterpart is the counterpart's, and ours is to have marked it.
    ids |= {} if person else {"party": hit.counterpart}
    to = (
        hit.counterpart
        if step.kind in {LifecycleStepKind.EXPORTED, LifecycleStepKind.WITHDRAWN} and by is not None
        else None
    )
    return Entry.of(
        _KINDS[step.kind], step.at, code, round=hit.round_id, recipient=to, counts={"hits": 1}, ids=ids, **person
    )


def _step(row: HitStepRow) -> LifecycleStep:
    return LifecycleStep(
        LifecycleStepKind(row.kind),
        row.at,
        row.person,
        row.value,
        row.reference,
        Urgency(row.urgency) if row.urgency else None,
        row.remark,
    )
