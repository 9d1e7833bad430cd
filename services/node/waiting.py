"""Counts of the work that waits for a person, from stored rows: nothing is written, and nobody looks at a hit."""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self

from sqlalchemy import ColumnElement, ColumnExpressionArgument, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from aquila.audit.roles import Action, Role, Service, role_table
from aquila.followup.lifecycle import HOUR, Stage
from aquila.interface.attention import ACTIONS, ALARMS, DUE_HOURS, RoundAttention, WaitingCounts
from aquila.matching.certainty import Level
from services.kit.log.entries import Journal
from services.kit.serving.notifications.waiting import (
    FaultWatch,
    ServiceFaults,
    WaitingRequests,
    WaitingWork,
    rewritten_logs,
    waiting_requests,
)
from services.node.records.list_reading import count_deliveries
from services.node.records.queries import standing_queries
from services.node.rounds.attention import attention_list
from services.node.storage.tables import STATUS_OF_HIT, AlarmRow, HitRow, HitStatusRow, PairCheckRow, SubmissionRow


class _Told(NamedTuple):
    """Hits that are reported at once: their number, and when the last of them came."""

    number: int = 0
    newest: int = 0


_NONE_TOLD = _Told()


@dataclass(frozen=True, slots=True)
class _Hits:
    """Numbers and times of the hits that wait for an analyst."""

    waiting: int = 0
    new: dict[Level, int] = field(default_factory=dict)
    due: int = 0
    overdue: int = 0
    newest: int = 0
    newest_urgent: int = 0
    standing: _Told = _NONE_TOLD
    of_urgent: _Told = _NONE_TOLD
    own_urgent: _Told = _NONE_TOLD

    def for_officer(self) -> Self:
        """Return the hits that are reported to an officer: those of the party's own standing and urgent queries."""
        return type(self)(standing=self.standing, of_urgent=self.own_urgent)

    @property
    def reported_at_once(self) -> int:
        """The time of the last hit that is reported at once; seconds since 1970, or 0."""
        return max(self.newest_urgent, self.standing.newest, self.of_urgent.newest)


class NodeWaiting:
    """Counts what waits for persons at one moment; what is the same for several of them is read once."""

    def __init__(self, journal: Journal, folder: Path | None, faults: FaultWatch) -> None:
        """Prepare."""
        self._journal = journal
        self._folder = folder
        self._faults = faults
        self._now = journal.clock()
        self._hits: _Hits | None = None

    def work_of(self, person: str, roles: Collection[Role]) -> WaitingWork:
        """Return how much waits for a person with these roles."""
        allowed = {action for action in Action if role_table().allows(Service.NODE, roles, action)}
        rounds = [one for one in self._needs if ACTIONS.get(one.kind, Action.SEE_ROUNDS) in allowed]
        alarms = sum(one.kind in ALARMS for one in rounds)
        takes = Action.IMPORT_RECORDS in allowed
        delivered, delivered_at = count_deliveries(self._folder, self._now) if takes else (0, 0)
        with self._journal.store.reading("waiting.count") as session:
            rewritten, rewritten_at = rewritten_logs(session)
            decides = Action.DECIDE_APPROVALS in allowed
            requests = waiting_requests(session, person, self._now) if decides else WaitingRequests()
            hits = self._seen_hits(session, allowed)
            needed = Action.ASK_SUBMISSION in allowed
            watched = standing_queries.needing(session, self._journal.code, self._now) if needed else 0
            raised_at = _raised_at(session) if alarms else 0
        faults = self._faults.current() if Action.MANAGE_PEOPLE in allowed else ServiceFaults()
        counts = WaitingCounts(
            faults=faults.number,
            outages=faults.outages,
            alarms=rewritten + alarms,
            requests=requests.number,
            urgent_requests=requests.urgent,
            rounds=len(rounds) - alarms,
            hits=hits.waiting,
            new_hits=sum(hits.new.values()),
            high_hits=hits.new.get(Level.HIGH, 0),
            due_hits=hits.due,
            overdue_hits=hits.overdue,
            urgent_hits=hits.of_urgent.number,
            standing_hits=hits.standing.number,
            standing_queries=watched,
            deliveries=delivered,
        )
        urgent = max(hits.reported_at_once, raised_at, rewritten_at, faults.found_at)
        newest = max(hits.newest, hits.standing.newest, hits.of_urgent.newest, requests.newest, delivered_at)
        pressing = max(requests.newest_urgent, faults.newest_outage)
        return WaitingWork(counts, newest, urgent, pressing, hits.new)

    @cached_property
    def _needs(self) -> tuple[RoundAttention, ...]:
        return attention_list(self._journal).needs

    def _seen_hits(self, session: Session, allowed: Collection[Action]) -> _Hits:
        """Return the hits that are reported to a person with these rights."""
        if Action.SEE_HITS in allowed:
            return self._hits_of(session)
        return self._hits_of(session).for_officer() if Action.SEE_QUERIES in allowed else _Hits()

    def _hits_of(self, session: Session) -> _Hits:
        if self._hits is None:
            self._hits = _count_hits(session, self._now)
        return self._hits


def _count_hits(session: Session, now: int) -> _Hits:
    """Count the hits that are new, overdue or due soon; each statement reads an index, or few rows of many hits."""
    status, soon = HitStatusRow, now + DUE_HOURS * HOUR
    is_new, overdue = status.stage == Stage.NEW.value, status.due_at < now
    by_level = (
        select(HitRow.certainty, func.count())
        .select_from(status)
        .join(HitRow, STATUS_OF_HIT)
        .where(is_new)
        .group_by(HitRow.certainty)
    )
    new = {Level(level): number for level, number in session.execute(by_level)}
    # A hit becomes urgent some hours before its time, or when it comes with less time than that.
    urgent_since = case(
        (status.arrived_at > status.due_at - DUE_HOURS * HOUR, status.arrived_at),
        else_=status.due_at - DUE_HOURS * HOUR,
    )
    due = select(
        func.sum(case((is_new, 0), else_=1)),
        func.sum(case((overdue, 0), else_=1)),
        func.sum(case((overdue, 1), else_=0)),
        func.max(case((overdue, status.due_at), else_=0)),
        func.max(urgent_since),
    ).where(status.due_at <= soon)
    not_new, due_soon, late, last_late, newest_urgent = _numbers(session, due)
    first, pressing, own = status.first, status.urgent, HitRow.submission_id.in_(select(SubmissionRow.submission_id))
    told_at_once = (
        select(*_number_and_last(first), *_number_and_last(pressing), *_number_and_last(and_(pressing, own)))
        .select_from(status)
        .join(HitRow, STATUS_OF_HIT)
        .where(is_new, or_(first, pressing))
    )
    told = _numbers(session, told_at_once)
    (newest,) = _numbers(session, select(func.max(status.arrived_at)).where(is_new))
    return _Hits(
        waiting=sum(new.values()) + not_new,
        new=new,
        due=due_soon,
        overdue=late,
        newest=max(newest, last_late),
        newest_urgent=newest_urgent,
        standing=_Told(*told[:2]),
        of_urgent=_Told(*told[2:4]),
        own_urgent=_Told(*told[4:]),
    )


def _number_and_last(of: ColumnExpressionArgument[bool]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Return how many hits are such ones, and when the last of them came."""
    return func.sum(case((of, 1), else_=0)), func.max(case((of, HitStatusRow.arrived_at), else_=0))


def _numbers(session: Session, query: Select[*tuple[int | None, ...]]) -> list[int]:
    """Return the row of a query that adds rows up; 0 where there was none."""
    return [number or 0 for number in session.execute(query).one()]


def _raised_at(session: Session) -> int:
    """Return when the last alarm of a round was raised that may still wait for a person."""
    waits = AlarmRow.released_at.is_(None) & AlarmRow.refused_at.is_(None)
    held = session.scalar(select(func.max(AlarmRow.raised_at)).where(waits))
    return max(held or 0, session.scalar(select(func.max(PairCheckRow.checked_at)).where(PairCheckRow.failed())) or 0)
