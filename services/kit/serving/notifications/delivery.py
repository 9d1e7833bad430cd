"""Handing a notification over: to the mail server, or to the service's own command.

What a server or a command says is not kept and not shown: it may quote an address. A failure is a word of
`DeliveryFailure`. A notification that was handed over may still be lost on the way, which nobody here learns.
"""

from __future__ import annotations

import contextlib
import json
import smtplib
import ssl
import subprocess
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from aquila.errors import KeyMaterialError
from aquila.interface.attention import Channel, DeliveryFailure, Notification, NotificationText
from services.kit.errors import StoreError
from services.kit.serving.notifications.settings import MailSettings, NotificationSettings
from services.kit.storage.files import read_secret

_SECONDS = 30


class DeliveryError(Exception):
    """A notification could not be handed over."""

    def __init__(self, failure: DeliveryFailure) -> None:
        super().__init__(failure.value)
        self.failure = failure


def deliver(
    settings: NotificationSettings, channel: Channel, to: str, said: Notification, text: NotificationText
) -> None:
    """Hand a notification over; this blocks for up to a minute.

    Args:
        settings: The channels.
        channel: The one that the person chose.
        to: The person's address.
        said: The notification.
        text: The same in words.

    Raises:
        DeliveryError: It was not taken.
    """
    if channel is Channel.MAIL and settings.mail is not None:
        _mail(settings.mail, to, text)
    elif channel is Channel.COMMAND and settings.command:
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


def _mail(settings: MailSettings, to: str, text: NotificationText) -> None:
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
            server.starttls(context=context)  # refuses a server that does not offer it
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
        ended = subprocess.run(  # noqa: S603 - the administrator's own settings name it
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
