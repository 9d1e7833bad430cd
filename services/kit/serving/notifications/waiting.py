"""The work that waits for a person: its counts, and those of them that node and matcher share.

Each service has its own reader, because each has work of its own. Who is told of it, and how, is each person's choice.
A service puts its `Notifications` into `app.state.notifications`.
"""

import threading
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field
from typing import Annotated, NamedTuple, Protocol, TypeAlias

from fastapi import APIRouter
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from aquila.audit.roles import Action, Role, Service, role_table
from aquila.errors import InputError
from aquila.interface.approval import ApprovalState
from aquila.interface.attention import (
    DeliveryFailure,
    NotificationChannel,
    NotificationChoice,
    NotificationSettingsView,
    Waiting,
    WaitingCounts,
)
from aquila.interface.service.health import ATTENDED, Grade, ServiceHealth
from aquila.matching.certainty import Level
from services.kit.actor import LOCAL_KEY, Actor
from services.kit.approvals.tables import ApprovalRow
from services.kit.http.routing import ServiceRoute, state_part
from services.kit.log import entries as log_entries
from services.kit.people.permissions import requires
from services.kit.people.tables import AccountRow, NotificationRow
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
    newest_pressing: int = 0
    """When the last urgent request came, or had waited for `UNDECIDED_SECONDS`, or the last outage had lasted for
    `OUTAGE_SECONDS`; seconds since 1970, or 0. Nothing holds a notification of it up."""
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


OUTAGE_SECONDS = 300
"""People are told of an outage once it has lasted for so long."""
_OUTAGE = "health_matcher_away"  # the id of a fault that is told as an outage


@dataclass(frozen=True, slots=True)
class ServiceFaults:
    """Faults of the service itself, apart from those that people hear of as alarms and needs of rounds."""

    number: int = 0
    """How many subjects of its report on health have faults."""
    found_at: int = 0
    """When the newest of the critical ones was found; seconds since 1970, or 0 where there is none."""
    outages: int = 0
    """How many services that it needs were not heard of for `OUTAGE_SECONDS`."""
    newest_outage: int = 0
    """When the last of them had been silent for so long; seconds since 1970, or 0."""


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
        health = self._health()
        found = [one for one in health.checks if one.sentences and one.subject not in ATTENDED]
        critical = frozenset(
            one.subject
            for one in found
            if one.grade is Grade.CRITICAL and any(sentence.code != _OUTAGE for sentence in one.sentences)
        )
        lasting = [one.began_at + OUTAGE_SECONDS for one in health.outages if one.ended_at is None]
        told = [at for at in lasting if at <= health.at]
        return ServiceFaults(len(found), self._critical.newest(critical), len(told), max(told, default=0))


UNDECIDED_SECONDS = 600
"""An urgent request that nobody has decided for so long is told once more to everyone who may decide it."""


class WaitingRequests(NamedTuple):
    """Requests of other persons that wait for a decision."""

    number: int = 0
    newest: int = 0
    """When the last was made; seconds since 1970, or 0."""
    urgent: int = 0
    """How many of them are urgent."""
    newest_urgent: int = 0
    """When the last of these was made, or had waited for `UNDECIDED_SECONDS`; seconds since 1970, or 0."""


def waiting_requests(session: Session, person: str, now: int) -> WaitingRequests:
    """Return the requests of other persons that wait for this one."""
    waits = ApprovalRow.state == ApprovalState.WAITING.value, ApprovalRow.expires_at > now, ApprovalRow.author != person
    asked = session.execute(select(ApprovalRow.asked_at, ApprovalRow.urgent).where(*waits)).all()
    urgent = [row.asked_at for row in asked if row.urgent]
    told_at = [at + UNDECIDED_SECONDS if at + UNDECIDED_SECONDS <= now else at for at in urgent]
    newest = max((row.asked_at for row in asked), default=0)
    return WaitingRequests(len(asked), newest, len(urgent), max(told_at, default=0))


def rewritten_logs(session: Session) -> tuple[int, int]:
    """Return how many logs were found rewritten and not explained yet, and when the last was found."""
    alarms = log_entries.ALARMS
    query = select(func.count(), func.max(alarms.c.found_at)).where(alarms.c.acknowledged_at.is_(None))
    number, newest = session.execute(query.select_from(alarms)).one()
    return number, newest or 0


def waiting_of(notifications: Notifications, actor: Actor) -> Waiting:
    """Return the work that waits for a person, and whether notifications can be handed over."""
    work = notifications.reading().work_of(actor.person, actor.roles)
    everyones = role_table().allows(notifications.service, actor.roles, Action.MANAGE_PEOPLE)
    since, failure = failing(notifications.store, None if everyones else actor.person)
    return Waiting(counts=work.counts, new_by_certainty=work.new_by_certainty, undelivered_since=since, failure=failure)


def failing(store: Store, person: str | None = None) -> tuple[int | None, DeliveryFailure | None]:
    """Return since when notifications cannot be handed over, to one person or to anybody, and why; None while they can.

    Those to persons whose accounts were ended do not count.
    """
    query = (
        select(NotificationRow.failing_since, NotificationRow.failure)
        .join(AccountRow, AccountRow.person == NotificationRow.person)
        .where(AccountRow.active, NotificationRow.failing_since.is_not(None))
    )
    if person is not None:
        query = query.where(NotificationRow.person == person)
    with store.reading("notification.failing") as session:
        found = session.execute(query.order_by(NotificationRow.failing_since).limit(1)).first()
    return (found.failing_since, DeliveryFailure(found.failure)) if found else (None, None)


def own_settings(notifications: Notifications, actor: Actor) -> NotificationSettingsView:
    """Return a person's choice, and the channels of this service."""
    with notifications.store.reading("notification.show") as session:
        row = session.get(NotificationRow, actor.person)
    choice = row and NotificationChoice(
        channel=NotificationChannel(row.channel), address=row.address, language=row.language
    )
    return NotificationSettingsView(
        channels=channels_of(notifications.settings),
        choice=choice,
        confirmed=row is not None and row.told is not None,
        failing_since=row and row.failing_since,
        failure=DeliveryFailure(row.failure) if row and row.failure else None,
    )


def choose(notifications: Notifications, actor: Actor, wanted: NotificationChoice) -> NotificationSettingsView:
    """Keep a person's choice; the first notification to the address confirms it."""
    if actor.person == LOCAL_KEY:
        raise InputError("key_without_account")
    settings = notifications.settings
    if wanted.channel not in channels_of(settings):
        raise InputError("notification_channel_unknown")
    mail = settings.mail if settings is not None and wanted.channel is NotificationChannel.MAIL else None
    if mail is not None and not mail.takes(wanted.address):
        raise InputError("notification_address_refused")
    with notifications.store.transaction("notification.choose") as session:
        row = session.get(NotificationRow, actor.person)
        if row is None:
            row = NotificationRow(person=actor.person, told_at=0, told_day=0)
            session.add(row)
        elif (row.channel, row.address) != (wanted.channel.value, wanted.address):
            row.told = None
        row.channel, row.address, row.language = wanted.channel.value, wanted.address, wanted.language
        row.attempts = row.retry_at = 0
        row.failing_since = row.failure = None
    return own_settings(notifications, actor)


def end(store: Store, actor: Actor) -> None:
    """Forget a person's choice: nothing is sent any more."""
    with store.transaction("notification.end") as session:
        session.execute(delete(NotificationRow).where(NotificationRow.person == actor.person))


def forget_choices(store: Store) -> bool:
    """Remove the choices of accounts that were ended, and return whether there were any."""
    ended = select(AccountRow.person).where(~AccountRow.active)
    return store.remove("notification.forget", NotificationRow, NotificationRow.person.in_(ended))


def channels_of(settings: NotificationSettings | None) -> tuple[NotificationChannel, ...]:
    """Return the channels that the settings name."""
    if settings is None:
        return ()
    named = (NotificationChannel.MAIL, settings.mail is not None), (NotificationChannel.COMMAND, bool(settings.command))
    return tuple(channel for channel, there in named if there)


router = APIRouter(route_class=ServiceRoute, prefix="/v1", tags=["notifications"])

At = Annotated[Notifications, state_part("notifications")]
Own = Annotated[Actor, requires(Action.OWN_SESSION)]


@router.get("/waiting", summary="How much waits for the caller")
def get_waiting(notifications: At, actor: Own) -> Waiting:
    return waiting_of(notifications, actor)


@router.get("/notifications", summary="How the caller wants to be told")
def get_notifications(notifications: At, actor: Own) -> NotificationSettingsView:
    return own_settings(notifications, actor)


@router.put("/notifications", summary="Choose how to be told")
def put_notifications(notifications: At, actor: Own, wanted: NotificationChoice) -> NotificationSettingsView:
    return choose(notifications, actor, wanted)


@router.delete("/notifications", status_code=204, summary="End notifications")
def delete_notifications(notifications: At, actor: Own) -> None:
    end(notifications.store, actor)
