"""The upkeep of a running service by its administrator: a backup, a certificate, a test of the notifications.

A service puts its `Upkeep` into `app.state.upkeep`. Each act is an entry of the log. A backup that is begun here is
sealed to the public key in the home, and written into a folder of the home: whoever signs in chooses neither, so an
account without rights on the machine can take no copy of the rows to a key of its own.
"""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy import func, select

from aquila.audit.entries import EntryKind, Word
from aquila.audit.roles import Action
from aquila.crypto.sealing import recipient_name
from aquila.errors import AquilaError, OrderError
from aquila.interface.attention import DeliveryFailure, NotificationChannel
from aquila.interface.sentence import FaultView
from aquila.interface.service import upkeep as forms
from aquila.sentences import Sentence
from services.kit.actor import Actor
from services.kit.administration.backup.home import BackedService
from services.kit.administration.backup.keys import read_public
from services.kit.administration.backup.make import back_up
from services.kit.home_folder import TLS_FOLDER
from services.kit.http.certificates import OwnCertificates, issue
from services.kit.http.routing import ServiceRoute, state_part
from services.kit.log.entries import ENTRIES
from services.kit.logging import Log
from services.kit.people.context import People, log_entry
from services.kit.people.permissions import requires
from services.kit.people.tables import AccountRow, NotificationRow
from services.kit.serving.health.checks import explained
from services.kit.serving.notifications.driver import NotificationDriver
from services.kit.serving.notifications.waiting import failing
from services.kit.settings import MEBIBYTE, KeyedSettings
from services.kit.storage.files import leave_room

BACKUP_KEY = "backup.key.pub"
"""The file of a home to whose key a backup that is begun here is sealed."""
BACKUPS = "backups"
"""The folder of a home for these backups; nothing deletes them."""

_LOG = Log("upkeep")


class Upkeep:
    """The upkeep of one service. Safe in threads; one backup at a time is made here."""

    def __init__(
        self,
        service: BackedService,
        settings: KeyedSettings,
        people: People,
        channels: tuple[NotificationChannel, ...],
        notifier: NotificationDriver | None,
        deliveries: Callable[[], int] | None = None,
    ) -> None:
        """Take over a service.

        Args:
            channels: Those of its notifications.
            notifier: Who hands notifications over; None where nobody is notified.
            deliveries: Counts the delivered list files that wait; None where no folder is watched.
        """
        self._service, self._settings, self._people = service, settings, people
        self._channels, self._notifier, self._deliveries = channels, notifier, deliveries
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._began_at = 0
        self._failed_at = 0
        self._failure: Sentence | None = None

    def view(self, actor: Actor) -> forms.ServiceUpkeep:
        """Return what there is to keep up; raises StoreError if the database failed."""
        settings, store = self._settings, self._people.store
        chosen = NotificationRow.failing_since
        count = select(func.count(NotificationRow.person), func.count(chosen)).join(
            AccountRow, AccountRow.person == NotificationRow.person
        )
        made_at = select(func.max(ENTRIES.c.time)).where(ENTRIES.c.kind == EntryKind.BACKUP.value)
        with store.reading("upkeep.show") as session:
            newest = session.scalar(made_at)
            persons, not_told = session.execute(count.where(AccountRow.active)).one()
            own = session.get(NotificationRow, actor.person) is not None
        since, failure = failing(store)
        return forms.ServiceUpkeep(
            at=self._people.clock(),
            database=store.engine.dialect.name,
            executor=settings.executor,
            scheduler=settings.dask_scheduler,
            own_certificate=self._own_certificates() is not None,
            deliveries=self._deliveries() if self._deliveries else None,
            backup=self._backup(newest),
            notifications=forms.NotificationUpkeep(
                channels=self._channels,
                persons=persons,
                failing=not_told,
                failing_since=since,
                failure=failure,
                own=own,
            ),
            settings=tuple(readable(settings)),
        )

    def begin_backup(self, actor: Actor) -> None:
        """Begin a backup, which goes on by itself.

        Raises:
            InputError: The file of the public key holds none.
            StoreFullError: The disk has no room for it.
        """
        settings = self._settings
        if not self._key.exists():
            raise OrderError("backup_key_not_in_home", file=BACKUP_KEY)
        public, folder, now = read_public(self._key), settings.home / BACKUPS, self._people.clock()
        rows = settings.home / self._service.database_file
        size = rows.stat().st_size if rows.exists() else 0
        leave_room(settings.home, size, settings.limits.free_mebibytes * MEBIBYTE)
        out = folder / f"{self._service.name}-{datetime.fromtimestamp(now, UTC):%Y-%m-%d-%H%M%S}.aquila"
        with self._lock:
            if self._is_running():
                raise OrderError("backup_is_being_made")
            self._began_at, self._failure = now, None
            self._thread = threading.Thread(
                target=self._make, args=(public, folder, out, actor.person), name="backup", daemon=True
            )
            self._thread.start()

    def wait(self) -> None:
        """Wait until no backup is being made."""
        if self._thread is not None:
            self._thread.join()

    def renew_certificate(self, actor: Actor) -> None:
        """Give the service a new certificate of its home's own CA, which it shows at once."""
        own = self._own_certificates()
        if own is None:
            raise OrderError("own_ca_unreadable", path=self._settings.home / TLS_FOLDER)
        listen = self._settings.listen
        issue(own, str(urlsplit(listen.public_url).hostname or listen.host))
        self._log(actor, Word.CERTIFICATE)

    def test_notifications(self, actor: Actor) -> forms.NotificationTest:
        """Hand a test over to the caller, as the first notification; if it was taken, others are tried again."""
        if self._notifier is None:
            raise OrderError("notifications_not_set_up")
        failure: DeliveryFailure | None = self._notifier.test(actor.person)
        self._log(actor, Word.NOTIFICATION)
        return forms.NotificationTest(failure=failure)

    @property
    def _key(self) -> Path:
        return self._settings.home / BACKUP_KEY

    def _is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _backup(self, made_at: int | None) -> forms.BackupUpkeep:
        recipient = ""
        # The log names one that was begun later: by the timer, or by the command.
        failure = self._failure if (made_at or 0) <= self._failed_at else None
        if self._key.exists():
            try:
                recipient = recipient_name(read_public(self._key))
            except AquilaError as error:
                failure = error.sentence
        return forms.BackupUpkeep(
            made_at=made_at,
            recipient=recipient,
            folder=str(self._settings.home / BACKUPS),
            running_since=self._began_at if self._is_running() else None,
            failure=FaultView.of(explained(failure)) if failure is not None else None,
        )

    def _make(self, public: bytes, folder: Path, out: Path, person: str) -> None:
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            back_up(self._service, self._settings.home, self._people.party, public, out, self._people.clock, person)
        except Exception as error:  # noqa: BLE001 - the thread ends with it, so it is told on the page and logged
            self._failed_at = self._people.clock()
            self._failure = error.sentence if isinstance(error, AquilaError) else Sentence.of("backup_not_written")
            _LOG.error("backup_failed", error=error)

    def _own_certificates(self) -> OwnCertificates | None:
        """Return the files of the home's own CA, if the service shows a certificate of it."""
        own, tls = OwnCertificates(self._settings.home / TLS_FOLDER), self._settings.tls
        shown = tls is not None and tls.certificate.resolve() == own.certificate.resolve()
        return own if shown and own.ca_key.exists() else None

    def _log(self, actor: Actor, what: Word) -> None:
        with self._people.store.transaction("upkeep.log") as session:
            log_entry(session, self._people, EntryKind.MAINTENANCE, actor, ids={"what": what})


def readable(settings: BaseModel, prefix: str = "") -> Iterator[forms.SettingView]:
    """Yield settings by dotted name; of a command its program alone. A database's address holds no password."""
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            yield from readable(value, f"{prefix}{name}.")
            continue
        yield forms.SettingView(
            name=prefix + name,
            value=_text(name, value),
            meaning=field.description or "",
            changed=field.is_required() or value != field.get_default(call_default_factory=True),
        )


def _text(name: str, value: object) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, tuple | list | frozenset):
        shown = [str(one) for one in value]
        return " ".join(shown[:1]) if name == "command" else ", ".join(shown)
    return str(value)


router = APIRouter(route_class=ServiceRoute, prefix="/v1/service", tags=["service"])

At = Annotated[Upkeep, state_part("upkeep")]
Administrator = Annotated[Actor, requires(Action.MANAGE_PEOPLE)]


@router.get("/upkeep", summary="Backups, notifications and settings of the service")
def get_upkeep(upkeep: At, actor: Administrator) -> forms.ServiceUpkeep:
    return upkeep.view(actor)


@router.post(
    "/backup", status_code=202, summary="Begin a backup, sealed to the public key in the home", response_class=Response
)
def post_backup(upkeep: At, actor: Administrator) -> None:
    upkeep.begin_backup(actor)


@router.post("/certificate", status_code=204, summary="Renew the certificate of the home's own CA")
def post_certificate(upkeep: At, actor: Administrator) -> None:
    upkeep.renew_certificate(actor)


@router.post("/notification-test", summary="Send the caller a test notification")
def post_notification_test(upkeep: At, actor: Administrator) -> forms.NotificationTest:
    return upkeep.test_notifications(actor)
