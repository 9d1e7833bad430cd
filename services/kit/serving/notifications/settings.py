"""Settings of notifications, the same at node and matcher."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from services.kit.settings import SettingPath, Settings, is_loopback

_MAIL_ADDRESS = r"^[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$"
MailAddress = Annotated[str, StringConstraints(max_length=254, pattern=_MAIL_ADDRESS)]


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
    user: str = Field(default="", description="Who the service is to the server; without it there is no sign-in.")
    password_file: SettingPath | None = Field(
        default=None, description="File with the password, for the service alone."
    )
    ca: SettingPath | None = Field(default=None, description="PEM file with the CA of the server; else the system's.")

    @model_validator(mode="after")
    def _nothing_travels_in_the_clear(self) -> Self:
        if self.security == "none" and not is_loopback(self.host):
            raise ValueError("security needs starttls or tls, because the host is not loopback")
        if bool(self.user) != (self.password_file is not None):
            raise ValueError("user and password_file come together")
        return self

    def takes(self, address: str) -> bool:
        """Return whether a person may give this: one plain address, of a domain of the settings."""
        if not re.fullmatch(_MAIL_ADDRESS, address):
            return False
        domains = self.domains or (self.sender.rpartition("@")[2],)
        return address.rpartition("@")[2].lower() in {domain.lower() for domain in domains}


class NotificationSettings(Settings):
    """Notifications of waiting work; each person chooses them, and nobody gets them unasked."""

    address: str = Field(
        default="", description="The service's own address, which notifications name; without it public_url or host."
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
