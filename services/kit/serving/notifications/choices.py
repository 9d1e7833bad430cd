"""Each person's choice of notifications, the work that waits for the person now, and the calls for both.

A service puts its `Notifications` into `app.state.notifications`.
"""

from typing import Annotated

from fastapi import APIRouter, Request
from sqlalchemy import delete, select

from aquila.audit.roles import Action, role_table
from aquila.errors import InputError
from aquila.interface.attention import Channel, DeliveryFailure, NotificationChoice, NotificationSettingsView, Waiting
from services.kit.actor import LOCAL_KEY, Actor
from services.kit.http.routing import ServiceRoute
from services.kit.people.permissions import requires
from services.kit.people.tables import AccountRow, NotificationRow
from services.kit.serving.notifications.waiting import Notifications
from services.kit.settings import NotificationSettings
from services.kit.storage.store import Store


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
    choice = row and NotificationChoice(channel=Channel(row.channel), address=row.address, language=row.language)
    return NotificationSettingsView(
        channels=channels_of(notifications.settings),
        choice=choice,
        confirmed=row is not None and row.told is not None,
        failing_since=row and row.failing_since,
        failure=DeliveryFailure(row.failure) if row and row.failure else None,
    )


def choose(notifications: Notifications, actor: Actor, wanted: NotificationChoice) -> NotificationSettingsView:
    """Keep a person's choice; the first notification to the address confirms it.

    Raises:
        InputError: The service does not have that channel, mail may not go to that address, or the caller has no
            account.
    """
    if actor.person == LOCAL_KEY:
        raise InputError("key_without_account")
    settings = notifications.settings
    if wanted.channel not in channels_of(settings):
        raise InputError("notification_channel_unknown")
    mail = settings.mail if settings is not None and wanted.channel is Channel.MAIL else None
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
    ended = NotificationRow.person.in_(select(AccountRow.person).where(~AccountRow.active))
    with store.reading("notification.ended") as session:
        found = session.scalar(select(NotificationRow.person).where(ended).limit(1))
    if found is not None:
        with store.transaction("notification.forget") as session:
            session.execute(delete(NotificationRow).where(ended))
    return found is not None


def channels_of(settings: NotificationSettings | None) -> tuple[Channel, ...]:
    """Return the channels that the settings name."""
    if settings is None:
        return ()
    named = (Channel.MAIL, settings.mail is not None), (Channel.COMMAND, bool(settings.command))
    return tuple(channel for channel, there in named if there)


router = APIRouter(route_class=ServiceRoute, prefix="/v1", tags=["notifications"])

Own = Annotated[Actor, requires(Action.OWN_SESSION)]


def _notifications(request: Request) -> Notifications:
    found: Notifications = request.app.state.notifications
    return found


@router.get("/waiting", summary="How much waits for the caller")
def get_waiting(request: Request, actor: Own) -> Waiting:
    return waiting_of(_notifications(request), actor)


@router.get("/notifications", summary="How the caller wants to be told")
def get_notifications(request: Request, actor: Own) -> NotificationSettingsView:
    return own_settings(_notifications(request), actor)


@router.put("/notifications", summary="Choose how to be told")
def put_notifications(request: Request, actor: Own, wanted: NotificationChoice) -> NotificationSettingsView:
    return choose(_notifications(request), actor, wanted)


@router.delete("/notifications", status_code=204, summary="End notifications")
def delete_notifications(request: Request, actor: Own) -> None:
    end(_notifications(request).store, actor)
