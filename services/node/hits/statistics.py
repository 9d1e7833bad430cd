"""The unit's own figures, exact: the work that waits, what was done of late, how far hits came, how complete a list is.

They are counts of this node's rows for its own people, and reach nobody else. A look at them is no look at a hit.
"""

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import ClassVar, TypeAlias

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from aquila.followup.lifecycle import HOUR, LifecycleStepKind, Stage
from aquila.interface import hits as forms
from services.kit.rounds import manifest_in
from services.kit.storage.store import Store
from services.node.hits import lifecycle
from services.node.hits.correspondence import answers_due
from services.node.storage.imports import newest_list
from services.node.storage.tables import HitRow, HitStatusRow, HitStepRow, ImportRow, RecordRow, RoundRow

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
        for work, _, due_at in _waiting(session):
            waiting[work].append(due_at)
        waiting[forms.Work.RECEIVED] += answers_due(session, now)
        done = tuple(_done(session, now, days) for days in forms.FIGURE_DAYS)
    return forms.UnitFigures(
        at=now, backlog=tuple(_backlog(work, due, now) for work, due in waiting.items()), done=done
    )


def _waiting(session: Session) -> Iterator[tuple[forms.Work, int, int]]:
    """Yield the work on each own hit that is not closed, with its arrival and the time of its next step."""
    key, times = (HitStatusRow.round_id, HitStatusRow.hit_id), (HitStatusRow.arrived_at, HitStatusRow.due_at)
    query = select(*key, HitStatusRow.stage, *times).where(HitStatusRow.stage.in_(_WORK))
    replied = _replied(session)
    for round_id, hit_id, stage, arrived_at, due_at in session.execute(query):
        work = forms.Work.REPLIED if (round_id, hit_id) in replied else _WORK[stage]
        yield work, arrived_at, due_at or 0


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


_Key: TypeAlias = tuple[str, str]
_NO_WORK = (Stage.KNOWN.value, Stage.REPLACED.value)
_FIELDS = (
    "date_of_birth",
    "place_of_birth",
    "country_of_birth",
    "nationality",
    "sex",
    "document_numbers",
    "national_numbers",
    "category",
    "handling_code",
    "indicators",
)
_WHOLE_DATE = re.compile(rb'"date_of_birth": ?"\d{4}-\d{2}-\d{2}"')
_RECORDS, _WHOLE = "records", "whole_birth_dates"
_AT_ONCE = 2_048


def unit_picture(store: Store, clock: Callable[[], int], days: int) -> forms.UnitPicture:
    """Return how far the hits of some days came, how old the open work is, and what the newest list has."""
    now = clock()
    with store.reading("hit.picture") as session:
        arrived = _arrived(session, now - days * _DAY)
        first = _first_steps(session, now - days * _DAY)
        ages: dict[forms.Work, Counter[int]] = {
            work: Counter() for work in forms.Work if work is not forms.Work.RECEIVED
        }
        for work, arrived_at, _ in _waiting(session):
            ages[work][bisect_right(forms.AGES, now - arrived_at)] += 1
        indicators = _indicators(session, arrived)
    received = _spans(first[LifecycleStepKind.ANSWERED], first[LifecycleStepKind.RECEIVED])
    return forms.UnitPicture(
        at=now,
        days=days,
        funnel=tuple(_funnel(arrived, first)),
        received=len(arrived.keys() & first[LifecycleStepKind.RECEIVED].keys()),
        answered=len(received),
        median_answer_seconds=_median(received),
        ages=tuple(
            forms.AgedWork(work=work, hits=tuple(of[age] for age in range(len(forms.AGES) + 1)))
            for work, of in ages.items()
        ),
        indicators=tuple(indicators),
        newest_list=_completeness(store),
    )


@dataclass(frozen=True, slots=True)
class _Arrived:
    """A hit as it stands now."""

    at: int
    decided: bool
    closed: bool


def _arrived(session: Session, since: int) -> dict[_Key, _Arrived]:
    key, stage = (HitStatusRow.round_id, HitStatusRow.hit_id), HitStatusRow.stage
    query = select(*key, HitStatusRow.arrived_at, HitStatusRow.decision, stage)
    query = query.where(HitStatusRow.arrived_at >= since, stage.not_in(_NO_WORK))
    return {
        (round_id, hit_id): _Arrived(at, decision is not None, now == Stage.CLOSED.value)
        for round_id, hit_id, at, decision, now in session.execute(query)
    }


def _first_steps(session: Session, since: int) -> Mapping[LifecycleStepKind, dict[_Key, int]]:
    """Return by kind when the first step of it was taken on each hit that arrived since; closings are the last."""
    key, kind = (HitStepRow.round_id, HitStepRow.hit_id), HitStepRow.kind
    query = select(*key, kind, func.min(HitStepRow.at), func.max(HitStepRow.at)).join(HitStatusRow, _OF_STATUS)
    query = query.where(HitStatusRow.arrived_at >= since, HitStatusRow.stage.not_in(_NO_WORK)).group_by(*key, kind)
    found: dict[LifecycleStepKind, dict[_Key, int]] = defaultdict(dict)
    for round_id, hit_id, name, first, last in session.execute(query):
        step = LifecycleStepKind(name)
        found[step][round_id, hit_id] = last if step is LifecycleStepKind.CLOSED else first
    return found


def _funnel(
    arrived: Mapping[_Key, _Arrived], first: Mapping[LifecycleStepKind, Mapping[_Key, int]]
) -> Iterator[forms.FunnelStep]:
    """Yield the stages in their order; a decision that was undone and an outcome that was reopened do not count."""
    arrivals = {key: hit.at for key, hit in arrived.items()}
    acknowledged, asked = first[LifecycleStepKind.ACKNOWLEDGED], first[LifecycleStepKind.OPENED]
    ever_decided = first[LifecycleStepKind.DECIDED]
    looked_at = {
        key: min(of[key] for of in (acknowledged, ever_decided) if key in of)
        for key in acknowledged.keys() | ever_decided.keys()
    }
    decided = {key: at for key, at in ever_decided.items() if arrived[key].decided}
    closed = {key: at for key, at in first[LifecycleStepKind.CLOSED].items() if arrived[key].closed}
    yield forms.FunnelStep(stage=forms.FunnelStage.ARRIVED, hits=len(arrived), median_seconds=None)
    for stage, reached, since in (
        (forms.FunnelStage.LOOKED_AT, looked_at, arrivals),
        (forms.FunnelStage.DECIDED, decided, arrivals),
        (forms.FunnelStage.ASKED, asked, ever_decided),
        (forms.FunnelStage.REPLIED, first[LifecycleStepKind.REPLIED], asked),
        (forms.FunnelStage.CLOSED, closed, arrivals),
    ):
        yield forms.FunnelStep(stage=stage, hits=len(reached), median_seconds=_median(_spans(reached, since)))


def _spans(reached: Mapping[_Key, int], since: Mapping[_Key, int]) -> list[int]:
    return [max(at - since[key], 0) for key, at in reached.items() if key in since]


def _median(spans: Sequence[int]) -> int | None:
    return median_low(spans) if spans else None


def _indicators(session: Session, arrived: Mapping[_Key, _Arrived]) -> list[forms.IndicatorCount]:
    """Count hits by the indicators of the own record and the category of the round."""
    query = select(HitRow.round_id, HitRow.hit_id, HitRow.indicators)
    rounds, counts = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for round_id, hit_id, codes in session.execute(query.where(HitRow.indicators.is_not(None))):
        if (round_id, hit_id) in arrived:
            rounds.update((round_id, code) for code in (codes or "").split())
    categories = {
        one: manifest_in(session.get_one(RoundRow, one).manifest).category for one in {one for one, _ in rounds}
    }
    for (round_id, code), hits in rounds.items():
        counts[code, categories[round_id]] += hits
    return [
        forms.IndicatorCount(indicator=code, category=category, hits=hits)
        for (code, category), hits in sorted(counts.items())
    ]


class FilledFields:
    """Counts of what the records of a list have, as they pass.

    A stored record has a name of a field, in quotes and before a colon, exactly if it has the field: within a text,
    JSON writes a backslash before a quote.
    """

    _NAMES: ClassVar[Mapping[str, bytes]] = {name: f'"{name}":'.encode() for name in _FIELDS}

    def __init__(self) -> None:
        self.counts = Counter[str]()

    def add(self, *contents: bytes) -> None:
        """Count the next records as they are stored."""
        for octets in map(bytes, contents):
            self.counts.update(name for name, written in self._NAMES.items() if written in octets)
            self.counts[_WHOLE] += _WHOLE_DATE.search(octets) is not None
        self.counts[_RECORDS] += len(contents)


def _completeness(store: Store) -> forms.ListCompleteness | None:
    with store.reading("import.newest") as session:
        newest = session.scalar(newest_list())
    if newest is None:
        return None
    counts = newest.filled or _counted_again(store, newest.import_id)
    return forms.ListCompleteness(
        name=newest.name,
        imported_at=newest.imported_at,
        records=counts[_RECORDS],
        whole_birth_dates=counts[_WHOLE],
        fields=tuple(forms.FilledField(field=name, records=counts.get(name, 0)) for name in _FIELDS),
    )


def _counted_again(store: Store, import_id: str) -> dict[str, int]:
    """Count what a list has after an erasure, and keep it: some two seconds for 200,000 records."""
    found = FilledFields()
    # Within one transaction, so that no erasure comes between the records and their counts.
    with store.transaction("import.counted") as session:
        query = select(RecordRow.content).where(RecordRow.import_id == import_id)
        for contents in session.scalars(query.execution_options(yield_per=_AT_ONCE)).partitions():
            found.add(*contents)
        session.execute(update(ImportRow).where(ImportRow.import_id == import_id).values(filled=found.counts))
    return found.counts
