"""The unit's own figures of its hits, exact: the work that waits, against its clocks, and what was done of late.

They are counts of this node's rows for its own people, and reach nobody else. A look at them is no look at a hit.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aquila.followup.lifecycle import HOUR, LifecycleStepKind, Stage
from aquila.interface import hits as forms
from services.kit.storage.store import Store
from services.node.hits import lifecycle
from services.node.hits.correspondence import answers_due
from services.node.storage.tables import HitStatusRow, HitStepRow

_DAY = 24 * HOUR
_WEEK = 7 * _DAY
_WORK = {
    Stage.NEW.value: forms.Work.UNDECIDED,
    Stage.ACKNOWLEDGED.value: forms.Work.UNDECIDED,
    Stage.DECIDED.value: forms.Work.DECIDED,
    Stage.FOLLOW_UP.value: forms.Work.ASKED,
}
_OF_STATUS = (HitStepRow.round_id == HitStatusRow.round_id) & (HitStepRow.hit_id == HitStatusRow.hit_id)
_HITS = func.count((HitStepRow.round_id + HitStepRow.hit_id).distinct())


def unit_figures(store: Store, clock: Callable[[], int]) -> forms.UnitFigures:
    """Return what waits and since when, and what was done within some days."""
    now = clock()
    with store.reading("hit.figures") as session:
        waiting: dict[forms.Work, list[int]] = {work: [] for work in forms.Work}
        for work, due_at in _waiting(session):
            waiting[work].append(due_at)
        waiting[forms.Work.RECEIVED] += answers_due(session, now)
        done = tuple(_done(session, now, days) for days in forms.FIGURE_DAYS)
    return forms.UnitFigures(
        at=now, backlog=tuple(_backlog(work, due, now) for work, due in waiting.items()), done=done
    )


def _waiting(session: Session) -> Iterator[tuple[forms.Work, int]]:
    """Yield the work on each own hit that is not closed, with the time of its next step."""
    query = select(HitStatusRow.round_id, HitStatusRow.hit_id, HitStatusRow.stage, HitStatusRow.due_at)
    replied = _replied(session)
    for round_id, hit_id, stage, due_at in session.execute(query.where(HitStatusRow.stage.in_(_WORK))):
        work = forms.Work.REPLIED if (round_id, hit_id) in replied else _WORK[stage]
        yield work, due_at or 0


def _replied(session: Session) -> set[tuple[str, str]]:
    """Return the hits in follow-up with a reply to their last request."""
    opened, replied = (
        lifecycle.newest(kind, HitStepRow.step_id) for kind in (LifecycleStepKind.OPENED, LifecycleStepKind.REPLIED)
    )
    query = select(HitStepRow.round_id, HitStepRow.hit_id).join(HitStatusRow, _OF_STATUS)
    query = query.where(HitStatusRow.stage == Stage.FOLLOW_UP.value).group_by(HitStepRow.round_id, HitStepRow.hit_id)
    return {(round_id, hit_id) for round_id, hit_id in session.execute(query.having(replied > opened))}


def _backlog(work: forms.Work, due: Sequence[int], now: int) -> forms.Backlog:
    late = [at for at in due if at < now]
    long = sum(at < now - _WEEK for at in late)
    return forms.Backlog(
        work=work, hits=len(due), overdue=len(late), overdue_week=long, first_due_at=min(due, default=None)
    )


def _done(session: Session, now: int, days: int) -> forms.WorkDone:
    """Count the hits with a step of a kind within some days, by their decision and outcome of now."""
    kinds = HitStepRow.kind, HitStatusRow.decision, HitStatusRow.outcome
    query = select(*kinds, _HITS).join(HitStatusRow, _OF_STATUS).where(HitStepRow.at >= now - days * _DAY)
    steps, decisions, outcomes = Counter[str](), Counter[str](), Counter[str]()
    for kind, decision, outcome, hits in session.execute(query.group_by(*kinds)):
        steps[kind] += hits
        if kind == LifecycleStepKind.DECIDED and decision is not None:  # else it was undone
            decisions[decision] += hits
        if kind == LifecycleStepKind.CLOSED and outcome is not None:  # else it was reopened
            outcomes[outcome] += hits
    return forms.WorkDone(
        days=days,
        decided=decisions,
        asked=steps[LifecycleStepKind.OPENED],
        replied=steps[LifecycleStepKind.REPLIED],
        received=steps[LifecycleStepKind.RECEIVED],
        answered=steps[LifecycleStepKind.ANSWERED],
        closed=outcomes,
    )
