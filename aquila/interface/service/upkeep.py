"""What the administrator of a service sees beside its health, and keeps up: backups, notifications, settings.

Nothing here is about a hit, a record or a person. No setting is a secret: secrets are in files, which settings name.
"""

from typing import Literal

from aquila.interface.attention import DeliveryFailure, NotificationChannel
from aquila.interface.sentence import FaultView
from aquila.interface.service.health import Name
from aquila.protocol.messages.base import Count, Message, Seconds


class BackupUpkeep(Message):
    """Backups of the service, made by its timer or here."""

    made_at: Seconds | None
    """When the newest was begun; None if there was none yet."""
    recipient: str
    """The name of the key to which a backup that is made here is sealed; empty where the home has none."""
    folder: str
    """Where a backup that is made here is written."""
    running_since: Seconds | None
    """Since when one is being made here."""
    failure: FaultView | None
    """Why the last one that was begun here was not made."""


class NotificationUpkeep(Message):
    """Notifications, of all persons of the service."""

    channels: tuple[NotificationChannel, ...]
    """The channels that the service has; none where notifications are not set up."""
    persons: Count
    """How many persons chose one."""
    failing: Count
    """To how many of them nothing can be handed over now."""
    failing_since: Seconds | None
    failure: DeliveryFailure | None
    own: bool
    """Whether the caller chose one, to which a test can go."""


class SettingView(Message):
    """A setting as the service was started with it."""

    name: str
    """With the names of its groups, joined by dots."""
    value: str
    """Empty if it is not set."""
    meaning: str
    """In English."""
    changed: bool
    """Whether it is another value than the default."""


class ServiceUpkeep(Message):
    """What the administrator keeps up."""

    at: Seconds
    database: Name
    """The kind of the database."""
    executor: Literal["local", "dask"]
    scheduler: str
    """The address of the Dask cluster's scheduler, or nothing."""
    own_certificate: bool
    """Whether the service shows a certificate of its home's own CA, which it can renew."""
    deliveries: Count | None
    """Delivered list files that wait for an officer; None where no folder is watched."""
    backup: BackupUpkeep
    notifications: NotificationUpkeep
    settings: tuple[SettingView, ...]


class NotificationTest(Message):
    """What became of a test."""

    failure: DeliveryFailure | None
    """Why it was not handed over; None if it was."""
