"""The work that waits for a person: its counts, and those of them that node and matcher share.

Each service has its own reader, because each has work of its own.
"""

import threading
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aquila.audit.roles import Role, Service
from aquila.interface.approval import ApprovalState
from aquila.interface.attention import WaitingCounts
from aquila.interface.service.health import ATTENDED, Grade, ServiceHealth
from aquila.matching.certainty import Level
from services.kit.approvals.tables import ApprovalRow
from services.kit.log import entries as log_entries
from services.kit.settings import NotificationSettings
from services.kit.storage.store import Store


@dataclass(frozen=True, slots=True)
class WaitingWork:
    """Counts of the work that waits for a person, and since when the newest of it does."""

    counts: WaitingCounts
    newest: int = 0
    """When the newest hit, request or delivered file came, or the last hit became overdue; seconds since 1970, or 0."""
    newest_urgent: int = 0
    """When the last alarm was raised, the last hit became urgent, the last new hit of a standing or urgent query came,
    or the service's last critical fault was found; seconds since 1970, or 0."""
    new_by_certainty: dict[Level, int] = field(default_factory=dict)
    """How many new hits have each certainty."""


class WaitingReader(Protocol):
    """Counts what waits for persons at one moment; what is the same for several of them is read once."""

    def work_of(self, person: str, roles: Collection[Role]) -> WaitingWork: ...


Reading: TypeAlias = Callable[[], WaitingReader]
"""Begins a look at the work that waits now."""


@dataclass(frozen=True, slots=True)
class Notifications:
    """The parts of a service's notifications."""

    service: Service
    store: Store
    clock: Callable[[], int]
    settings: NotificationSettings | None
    """The channels; None where the service notifies nobody."""
    reading: Reading
    """Begins a look at the work that waits."""


@dataclass(frozen=True, slots=True)
class ServiceFaults:
    """Faults of the service itself, apart from those that people hear of as alarms and needs of rounds."""

    number: int = 0
    """How many subjects of its report on health have faults."""
    found_at: int = 0
    """When the newest of the critical ones was found; seconds since 1970, or 0 where there is none."""


class Sightings:
    """Remembers when the newest of the things that are there now was first seen. Safe in threads.

    It is not stored: after a restart, all that is there has just been seen.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen = frozenset[Hashable]()
        self._newest = 0

    def newest(self, there: frozenset[Hashable]) -> int:
        """Return when the newest of these was first seen; seconds since 1970, or 0 where there is nothing."""
        with self._lock:
            if there - self._seen:
                self._newest = self._clock()
            self._seen = there
            return self._newest if there else 0


class FaultWatch:
    """Looks at the report on the service's health. Safe in threads."""

    def __init__(self, health: Callable[[], ServiceHealth], clock: Callable[[], int]) -> None:
        self._health, self._critical = health, Sightings(clock)

    def current(self) -> ServiceFaults:
        """Return the faults that the report has now."""
        found = [one for one in self._health().checks if one.sentences and one.subject not in ATTENDED]
        critical = frozenset(one.subject for one in found if one.grade is Grade.CRITICAL)
        return ServiceFaults(len(found), self._critical.newest(critical))


def waiting_requests(session: Session, person: str, now: int) -> tuple[int, int]:
    """Return how many requests of other persons wait for a decision, and when the last was made; seconds since 1970."""
    waits = ApprovalRow.state == ApprovalState.WAITING.value, ApprovalRow.expires_at > now, ApprovalRow.author != person
    number, newest = session.execute(select(func.count(), func.max(ApprovalRow.asked_at)).where(*waits)).one()
    return number, newest or 0


def rewritten_logs(session: Session) -> tuple[int, int]:
    """Return how many logs were found rewritten and not explained yet, and when the last was found."""
    alarms = log_entries.ALARMS
    query = select(func.count(), func.max(alarms.c.found_at)).where(alarms.c.acknowledged_at.is_(None))
    number, newest = session.execute(query.select_from(alarms)).one()
    return number, newest or 0
