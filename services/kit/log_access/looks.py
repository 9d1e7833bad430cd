"""Who looked at how much and when, from the entries that the log has anyway (LED Article 25).

A look has no reason of its own: beside it stands what was submitted in the rounds that it was about.

Nothing more is recorded for it, and nothing of the persons who were looked at is in it. A day is marked by two simple
rules that its reader chooses: far more than the usual day of the same person, and outside the hours of work.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from statistics import median_low

from sqlalchemy.orm import Session

from aquila.audit.entries import Entry, EntryKind
from aquila.audit.roles import Role
from aquila.errors import InputError
from aquila.interface.looks import MOST_DAYS, LookReview, LookReviewRequest, PersonDay, UnusualUse
from services.kit.log.entries import ENTRIES, StoredEntry, stored_entries

_KINDS = (EntryKind.CONSULTATION, EntryKind.EXPORT, EntryKind.LOG_CONSULTED, EntryKind.LOG_EXPORTED)
_OF_LOG = frozenset({EntryKind.LOG_CONSULTED, EntryKind.LOG_EXPORTED})
_BEFORE = timedelta(days=60)
_EARLIER_DAYS = 5
_MOST_REASONS = 5
_WORKING_DAYS = 5
_AT_ONCE = 1_000
_NAMED = 50


@dataclass(slots=True)
class _Tally:
    """What a person did on a day."""

    times: list[int] = field(default_factory=list)
    roles: set[str] = field(default_factory=set)
    rounds: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("hits", "records", "exports", "log"), 0))

    @property
    def seen(self) -> int:
        """Hits and records together."""
        return self.counts["hits"] + self.counts["records"]

    def add(self, entry: Entry) -> None:
        self.times.append(entry.time)
        self.roles.add(entry.role or "")
        self.rounds |= {entry.round} if entry.round else set()
        if entry.kind in _OF_LOG:
            self.counts["log"] += 1
        elif entry.kind is EntryKind.EXPORT:
            self.counts["exports"] += 1
        else:
            for name in ("hits", "records"):
                self.counts[name] += entry.counts.get(name, 0)


def review_looks(session: Session, wanted: LookReviewRequest) -> LookReview:
    """Return what each person looked at on each day of a period.

    An entry that was changed in the database is not counted but named.
    """
    first, last = date.fromisoformat(wanted.since), date.fromisoformat(wanted.until)
    if not timedelta() <= last - first < timedelta(days=MOST_DAYS):
        raise InputError("looks_period_wrong", expected=MOST_DAYS)
    broken: list[int] = []
    people: dict[str, dict[date, _Tally]] = defaultdict(lambda: defaultdict(_Tally))
    for entry in _unchanged(_looks(session, first - _BEFORE, last + timedelta(days=1)), broken):
        if entry.person:
            people[entry.person][_local(entry.time).date()].add(entry)
    rounds = {name for tallies in people.values() for tally in tallies.values() for name in tally.rounds}
    reasons = _reasons(session, rounds, broken)
    days = [
        _person_day(person, day, tally, _usual(tallies, day), reasons, wanted)
        for person, tallies in people.items()
        for day, tally in tallies.items()
        if first <= day <= last
    ]
    days.sort(key=lambda one: (bool(one.marks), one.day, one.hits + one.records), reverse=True)
    return LookReview(days=tuple(days), earlier_days=_EARLIER_DAYS, broken=tuple(sorted(set(broken))[:_NAMED]))


def _looks(session: Session, start: date, end: date) -> Iterator[StoredEntry]:
    """Yield the looks from one day up to another, as their rows have them."""
    bounds = [int(datetime.combine(day, time()).astimezone().timestamp()) for day in (start, end)]
    return stored_entries(
        session,
        ENTRIES.c.kind.in_([kind.value for kind in _KINDS]),
        ENTRIES.c.time >= bounds[0],
        ENTRIES.c.time < bounds[1],
    )


def _unchanged(rows: Iterable[StoredEntry], broken: list[int]) -> Iterator[Entry]:
    """Yield the entries of rows, but for erased ones and those that were changed, which go to `broken`."""
    for row in rows:
        if entry := row.unchanged():
            yield entry
        elif row.content is not None:
            broken.append(row.index)


def _reasons(session: Session, rounds: set[str], broken: list[int]) -> dict[str, list[str]]:
    """Return for each round why it was proposed, and why something was submitted in it, as this log has it."""
    found: dict[str, list[str]] = defaultdict(list)
    names, kinds = sorted(rounds), [EntryKind.PROPOSAL.value, EntryKind.SUBMISSION.value]
    for start in range(0, len(names), _AT_ONCE):
        of_rounds = ENTRIES.c.round_id.in_(names[start : start + _AT_ONCE])
        for entry in _unchanged(stored_entries(session, of_rounds, ENTRIES.c.kind.in_(kinds)), broken):
            why = entry.reason
            text = ", ".join(filter(None, (why.purpose, why.case_reference))) if why else ""
            if entry.round and text and text not in found[entry.round]:
                found[entry.round].append(text)
    return found


def _usual(tallies: Mapping[date, _Tally], day: date) -> int | None:
    """Return the middle of a person's earlier days, of those before this one on which it looked at anything."""
    before = [tally.seen for when, tally in tallies.items() if day - _BEFORE <= when < day]
    return median_low(before) if len(before) >= _EARLIER_DAYS else None


def _person_day(
    person: str,
    day: date,
    tally: _Tally,
    usual: int | None,
    reasons: Mapping[str, list[str]],
    wanted: LookReviewRequest,
) -> PersonDay:
    marks = []
    if usual is not None and tally.seen >= wanted.least and tally.seen > wanted.times * usual:
        marks.append(UnusualUse.MANY)
    if any(not _at_work(at, wanted) for at in tally.times):
        marks.append(UnusualUse.HOURS)
    whys = dict.fromkeys(why for name in sorted(tally.rounds) for why in reasons.get(name, ()))
    return PersonDay(
        person=person,
        roles=tuple(map(Role, sorted(tally.roles - {""}))),
        day=day.isoformat(),
        first=min(tally.times),
        last=max(tally.times),
        looks=len(tally.times),
        reasons=tuple(whys)[:_MOST_REASONS],
        usual=usual,
        marks=tuple(marks),
        **tally.counts,
    )


def _at_work(at: int, wanted: LookReviewRequest) -> bool:
    """Return whether a time is on a weekday and within the hours of work, in this machine's zone."""
    when = _local(at)
    return when.weekday() < _WORKING_DAYS and wanted.opens <= when.hour < wanted.closes


def _local(at: int) -> datetime:
    """Return a time in this machine's zone."""
    return datetime.fromtimestamp(at, UTC).astimezone()
