"""The node's settings, read from `node.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, model_validator

from aquila.records.rules import InputClass
from services.kit.settings import (
    MEBIBYTE,
    KeyedSettings,
    LimitSettings,
    PeerSettings,
    SettingPath,
    Settings,
    is_loopback,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MailAddress = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$")
]


class NodeLimits(LimitSettings):
    """Limits of one caller's requests."""

    import_mebibytes: int = Field(default=2_048, ge=1, description="Largest list that can be imported, in MiB.")

    @property
    def import_bytes(self) -> int:
        """The largest list in bytes."""
        return self.import_mebibytes * MEBIBYTE


class EvaluationCaps(Settings):
    """Limits of the elements evaluated for one other party in all rounds together, independent of the rounds' caps.

    The defaults let a list of a million persons through once a day and three times in thirty days.
    """

    day_full: int = Field(default=8_000_000, ge=1, description="Elements of the class full for one party in a day.")
    day_partial: int = Field(default=16_000_000, ge=1, description="Elements of the class partial in a day.")
    window_days: int = Field(default=30, ge=2, le=366, description="How many days, today too, the longer window has.")
    window_full: int = Field(default=24_000_000, ge=1, description="Elements of the class full in the longer window.")
    window_partial: int = Field(
        default=48_000_000, ge=1, description="Elements of the class partial in the longer window."
    )

    def in_day(self, input_class: InputClass) -> int:
        """Return how many elements of a class one party gets in a day."""
        return self.day_full if input_class is InputClass.FULL else self.day_partial

    def in_window(self, input_class: InputClass) -> int:
        """Return how many elements of a class one party gets in the longer window."""
        return self.window_full if input_class is InputClass.FULL else self.window_partial


class MailSettings(Settings):
    """The ministry's mail server, for notifications."""

    host: str = Field(min_length=1, description="The SMTP server's host name, as its certificate has it.")
    port: int = Field(default=587, ge=1, le=65535, description="Its TCP port.")
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="starttls, tls from the first byte, or none; none only on loopback."
    )
    sender: MailAddress = Field(description="The address from which notifications come.")
    domains: tuple[str, ...] = Field(
        default=(), description="Domains of the addresses that persons may give; without it that of the sender."
    )
    user: str = Field(default="", description="Who the node is to the server; without it the node does not sign in.")
    password_file: SettingPath | None = Field(default=None, description="File with the password, for the node alone.")
    ca: SettingPath | None = Field(default=None, description="PEM file with the CA of the server; else the system's.")

    @model_validator(mode="after")
    def _nothing_travels_in_the_clear(self) -> Self:
        if self.security == "none" and not is_loopback(self.host):
            raise ValueError("security needs starttls or tls, because the host is not loopback")
        if bool(self.user) != (self.password_file is not None):
            raise ValueError("user and password_file come together")
        return self

    def takes(self, address: str) -> bool:
        """Return whether a person may give this address."""
        domains = self.domains or (self.sender.rpartition("@")[2],)
        return address.rpartition("@")[2].lower() in {domain.lower() for domain in domains}


class NotificationSettings(Settings):
    """Notifications of waiting work; each person chooses them, and nobody gets them unasked."""

    address: str = Field(
        default="", description="The node's own address, which notifications name; without it public_url or host."
    )
    daily_hour: int = Field(
        default=6, ge=0, le=23, description="The hour (UTC) from which the daily notification goes."
    )
    mail: MailSettings | None = Field(default=None, description="The ministry's mail server.")
    command: tuple[str, ...] = Field(
        default=(), description="A program with its arguments that takes a notification as JSON on its input."
    )

    @model_validator(mode="after")
    def _the_command_is_a_path(self) -> Self:
        if self.command and not Path(self.command[0]).is_absolute():
            raise ValueError("command needs an absolute path")
        if self.mail is None and not self.command:
            raise ValueError("notifications need mail or command")
        return self


class NodeSettings(KeyedSettings):
    """All settings in a node's file."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = Field(description="The party's code.")
    name: str = Field(min_length=1, description="The party's name.")
    matcher: PeerSettings = Field(description="Where the matcher is, and how it is trusted.")
    deliveries: SettingPath | None = Field(
        default=None,
        description="Folder into which a system of the party puts list files for officers.",
    )
    contact: Annotated[str, StringConstraints(max_length=60, pattern=r"^[^\x00-\x1f\x7f]*$")] = Field(
        default="",
        description="Where counterparts can ask after a hit: the unit and its telephone; without it the name.",
    )
    poll_seconds: float = Field(
        default=2.0, gt=0, le=60, description="Seconds between two looks at the matcher where no call can be held."
    )
    caps: EvaluationCaps = Field(
        default_factory=EvaluationCaps, description="What is evaluated for one party over all rounds, by day."
    )
    outcome_hours: int = Field(
        default=24, ge=0, le=168, description="Hours after which the matcher is told, in counts, what came of hits."
    )
    notifications: NotificationSettings | None = Field(
        default=None, description="Telling people by mail or a command that work waits for them."
    )
    limits: NodeLimits = Field(default_factory=NodeLimits, description="What one caller may ask for at once.")

    def _outward(self) -> Iterator[str]:
        yield from super()._outward()
        if not is_loopback(urlsplit(self.matcher.url).hostname or ""):
            yield "matcher"
        if self.notifications is not None:
            yield "notifications"
        if self.deliveries is not None:
            yield "deliveries"
