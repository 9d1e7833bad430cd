"""The driver of notifications: it decides who is notified and when, and hands notifications over.

Each person who chose it is notified once a day, if more waits than the last time, and within a minute of an alarm, of
a critical fault of the service, of a hit that became urgent, or of a new one of a standing or urgent query. Of an
urgent request all who may decide it are notified at once, and again when nobody did for ten minutes; of an outage its
administrators after five. What is due follows from stored rows and the report on health, so a look writes nothing; a
row is written when a notification was handed over or could not be. If we crash between the two, it goes once more.

A notification goes to the mail server, or to the service's own command. What a server or a command says is not kept and
not shown: it may quote an address. A failure is a word of `DeliveryFailure`. A notification that was handed over may
still be lost on the way, which nobody here learns.
"""

import contextlib
import json
import smtplib
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import TypeAlias

from sqlalchemy import select

from aquila.errors import KeyMaterialError, OrderError
from aquila.interface.attention import (
    DeliveryFailure,
    Notification,
    NotificationChannel,
    NotificationText,
    WaitingCounts,
)
from services.kit.errors import StoreError
from services.kit.logging import Log
from services.kit.people.sessions import roles_of
from services.kit.people.tables import AccountRow, NotificationRow
from services.kit.serving.notifications.waiting import Notifications, WaitingWork
from services.kit.settings import MailSettings, NotificationSettings
from services.kit.storage.files import read_secret
from services.kit.work import threads
from services.kit.work.drivers import Driver
from services.kit.work.threads import Pool

_SECONDS = 30


class DeliveryError(Exception):
    """A notification could not be handed over."""

    def __init__(self, failure: DeliveryFailure) -> None:
        super().__init__(failure.value)
        self.failure = failure


def deliver(
    settings: NotificationSettings, channel: NotificationChannel, to: str, said: Notification, text: NotificationText
) -> None:
    """Hand a notification over, which may take a minute; raises DeliveryError if it was not taken."""
    if channel is NotificationChannel.MAIL and settings.mail is not None:
        send_mail(settings.mail, to, text)
    elif channel is NotificationChannel.COMMAND and settings.command:
        _run(settings.command, {"to": to, "language": said.language, "urgent": said.urgent, **text.model_dump()})
    else:
        raise DeliveryError(DeliveryFailure.SETTINGS)  # the channel was taken out of the settings


def sign_in(settings: MailSettings) -> None:
    """Connect to the mail server and sign in as for a notification, and send nothing.

    Raises:
        DeliveryError: It would not take one.
    """
    with _signed_in(settings):
        pass


def send_mail(settings: MailSettings, to: str, text: NotificationText) -> None:
    """Hand a mail over; raises DeliveryError if it was not taken, or the settings do not take the address."""
    if not settings.takes(to):
        raise DeliveryError(DeliveryFailure.SETTINGS)  # it was chosen when the settings took it
    with _signed_in(settings) as server:
        server.send_message(_message(settings, to, text))


@contextlib.contextmanager
def _signed_in(settings: MailSettings) -> Iterator[smtplib.SMTP]:
    """Lend a connection to the server, on which the service is signed in; errors of the block are a failure's too."""
    try:
        context = ssl.create_default_context(cafile=settings.ca)
        password = read_secret(settings.password_file).decode().strip() if settings.password_file else ""
    except (OSError, ssl.SSLError, KeyMaterialError, StoreError, UnicodeDecodeError):
        raise DeliveryError(DeliveryFailure.SETTINGS) from None
    try:
        with _connected(settings, context) as server:
            if password:
                server.login(settings.user, password)
            yield server
    except smtplib.SMTPAuthenticationError:
        failure = DeliveryFailure.SIGN_IN
    except (ssl.SSLError, smtplib.SMTPNotSupportedError):
        failure = DeliveryFailure.TLS
    except (smtplib.SMTPConnectError, smtplib.SMTPServerDisconnected):
        failure = DeliveryFailure.UNREACHABLE
    except smtplib.SMTPException:
        failure = DeliveryFailure.REFUSED
    except OSError:
        failure = DeliveryFailure.UNREACHABLE
    else:
        return
    raise DeliveryError(failure)


def _connected(settings: MailSettings, context: ssl.SSLContext) -> smtplib.SMTP:
    """Return a connection to the server, encrypted unless the settings allow a plain one."""
    if settings.security == "tls":
        return smtplib.SMTP_SSL(settings.host, settings.port, timeout=_SECONDS, context=context)
    server = smtplib.SMTP(settings.host, settings.port, timeout=_SECONDS)
    if settings.security == "starttls":
        try:
            server.starttls(context=context)  # which raises if the server does not offer it
        except BaseException:
            server.close()
            raise
    return server


def _message(settings: MailSettings, to: str, text: NotificationText) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.sender, to, text.subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=settings.sender.rpartition("@")[2])  # else it names this machine
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday answers
    message.set_content(text.text)
    return message


def _run(command: tuple[str, ...], notification: dict[str, str | bool]) -> None:
    """Run the command with nothing of the service's environment, and without a shell."""
    content = json.dumps(notification).encode()
    try:
        ended = subprocess.run(
            command,
            input=content,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        raise DeliveryError(DeliveryFailure.COMMAND) from None
    if ended.returncode:
        raise DeliveryError(DeliveryFailure.COMMAND)


_LOG = Log("notifications")
HOUR = 3_600
DAY = 86_400
LEAST_SECONDS = 900
"""Between two urgent notifications to one person: many hits that become urgent one by one are no flood. An urgent
request does not wait for it, because an account has few that wait at once, nor does an outage."""

_INTERVAL_SECONDS = 60.0
_FIRST_RETRY_SECONDS = 60
_LAST_RETRY_SECONDS = HOUR

Compose: TypeAlias = Callable[[Notification], NotificationText]
"""Puts a notification into words."""


@dataclass(frozen=True, slots=True)
class _Due:
    """A notification that is due, with the row's content after its delivery."""

    person: str
    channel: NotificationChannel
    to: str
    notification: Notification
    told: dict[str, int]
    day: int | None


class NotificationDriver:
    """Notifies people; `step` is repeated by a driver."""

    def __init__(
        self, notifications: Notifications, settings: NotificationSettings, address: str, compose: Compose
    ) -> None:
        self._store, self._clock, self._reading = notifications.store, notifications.clock, notifications.reading
        self._settings = settings
        self._address = settings.address or address
        self._compose = compose

    def driver(self) -> Driver:
        return Driver("notifications", self.step, interval=_INTERVAL_SECONDS)

    def test(self, person: str) -> DeliveryFailure | None:
        """Hand the first notification over once more; if it was taken, all that failed are tried again at once."""
        with self._store.reading("notification.test") as session:
            row = session.get(NotificationRow, person)
        if row is None:
            raise OrderError("notifications_not_chosen")
        said = Notification(language=row.language, address=self._address, counts=None, urgent=False)
        try:
            deliver(self._settings, NotificationChannel(row.channel), row.address, said, self._compose(said))
        except DeliveryError as error:
            return error.failure
        with self._store.transaction("notification.retry") as session:
            for failed in session.scalars(select(NotificationRow).where(NotificationRow.failing_since.is_not(None))):
                failed.retry_at = 0
        return None

    async def step(self) -> bool:
        """Hand over what is due; return False, because what is not due now is not due in a moment."""
        for due in await threads.run(Pool.DRIVERS, self._due):
            await threads.run(Pool.DRIVERS, self._tell, due)
        return False

    def _due(self) -> list[_Due]:
        now = self._clock()
        with self._store.reading("notification.due") as session:
            query = (
                select(NotificationRow, AccountRow)
                .join(AccountRow, AccountRow.person == NotificationRow.person)
                .where(AccountRow.active, AccountRow.admitted, NotificationRow.retry_at <= now)
            )
            rows = [
                (row, roles_of(account)) for row, account in session.execute(query.order_by(NotificationRow.person))
            ]
        reader = self._reading()
        return [due for row, roles in rows for due in self._due_to(row, reader.work_of(row.person, roles), now)]

    def _due_to(self, row: NotificationRow, work: WaitingWork, now: int) -> Iterator[_Due]:
        """Yield the notification to one person, if one is due."""
        if row.told is None:
            yield self._made(row, None, WaitingWork(WaitingCounts()), None, urgent=False)
            return
        told, today = _told(work), (now - self._settings.daily_hour * HOUR) // DAY
        urgent = _is_newly_urgent(row.told, told) and now - row.told_at >= LEAST_SECONDS
        urgent |= told["newest_pressing"] > row.told["newest_pressing"]
        daily = today > row.told_day and any(told[name] > row.told.get(name, 0) for name in told)
        if urgent or daily:
            yield self._made(row, work, work, today if daily else None, urgent=urgent)

    def _made(
        self, row: NotificationRow, shown: WaitingWork | None, work: WaitingWork, day: int | None, *, urgent: bool
    ) -> _Due:
        notification = Notification(
            language=row.language, address=self._address, counts=shown and shown.counts, urgent=urgent
        )
        return _Due(row.person, NotificationChannel(row.channel), row.address, notification, _told(work), day)

    def _tell(self, due: _Due) -> None:
        said = due.notification
        try:
            deliver(self._settings, due.channel, due.to, said, self._compose(said))
        except DeliveryError as error:
            self._failed(due, error.failure)
        else:
            self._handed_over(due)

    def _handed_over(self, due: _Due) -> None:
        now = self._clock()
        with self._store.transaction("notification.told") as session:
            row = _unchanged(session.get(NotificationRow, due.person), due)
            if row is not None:
                row.told, row.told_at = due.told, now if due.notification.counts else 0
                row.told_day = row.told_day if due.day is None else due.day
                row.attempts, row.retry_at, row.failing_since, row.failure = 0, 0, None, None

    def _failed(self, due: _Due, failure: DeliveryFailure) -> None:
        now = self._clock()
        with self._store.transaction("notification.failed") as session:
            row = _unchanged(session.get(NotificationRow, due.person), due)
            if row is None:
                return
            wait = min(_FIRST_RETRY_SECONDS * 2**row.attempts, _LAST_RETRY_SECONDS)
            row.attempts, row.retry_at, row.failure = row.attempts + 1, now + wait, failure.value
            row.failing_since = row.failing_since or now
            attempts = row.attempts
        _LOG.warning("notification_not_sent", code=failure.value, person=due.person, count=attempts, seconds=wait)


def _told(work: WaitingWork) -> dict[str, int]:
    """Return the counts and times that are kept of a notification."""
    times = {name: getattr(work, name) for name in ("newest", "newest_urgent", "newest_pressing")}
    return work.counts.model_dump() | times


def _is_newly_urgent(before: dict[str, int], now: dict[str, int]) -> bool:
    """Return whether an alarm, a critical fault or a hit that is reported at once came since the last notification."""

    def urgency(told: dict[str, int]) -> tuple[int, int]:
        counts = ("alarms", "due_hits", "overdue_hits", "urgent_hits", "standing_hits")
        return told["newest_urgent"], sum(told[name] for name in counts)

    waits = now["alarms"] + now["faults"] + now["due_hits"] + now["urgent_hits"] + now["standing_hits"]
    return urgency(now) > urgency(before) and bool(waits)


def _unchanged(row: NotificationRow | None, due: _Due) -> NotificationRow | None:
    """Return the row, unless the person chose otherwise meanwhile."""
    if row is None or (row.channel, row.address) != (due.channel.value, due.to):
        return None
    return row
