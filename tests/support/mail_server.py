"""A real SMTP server on loopback that keeps what it is given."""

import email
import email.policy
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from services.kit.settings import MailSettings, NotificationSettings
from services.kit.storage.files import write_secret
from tests.support.authority import Authority

PASSWORD = "a password of the node's own"


@dataclass
class MailServer:
    folder: Path
    starttls: bool = True
    refuses: set[str] = field(default_factory=set)
    messages: list[EmailMessage] = field(default_factory=list)
    calls: int = 0
    password: str = PASSWORD
    _controller: Controller | None = None

    @property
    def port(self) -> int:
        """The port, once it has started."""
        assert self._controller is not None
        return int(self._controller.server.sockets[0].getsockname()[1])

    def start(self, port: int = 0) -> None:
        if not (self.folder / "mail.pem").exists():
            Authority.create(self.folder, "mail-ca").issue("mail")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "mail.pem", self.folder / "mail.key")
        encrypted: dict[str, Any] = {
            "tls_context": context,
            "require_starttls": True,
            "authenticator": self._authenticate,
            "auth_required": True,
        }
        self._controller = _Controller(self, hostname="127.0.0.1", port=port, **(encrypted if self.starttls else {}))
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    async def handle_EHLO(
        self, _server: Any, session: Any, _envelope: Any, hostname: str, answers: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.calls += 1
        return answers

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        """Refuse recipients that it does not know."""
        if address in self.refuses:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.messages.append(message)  # type: ignore[arg-type]  # the policy makes it one
        return "250 OK"

    def _authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"node", self.password.encode())
        return AuthResult(success=right, handled=right)


class _Controller(Controller):
    """Waits for a free port: the library asks for a known one to see whether it has started."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def settings_of(mail: MailServer, **changes: Any) -> NotificationSettings:
    if not (mail.folder / "password").exists():
        write_secret(mail.folder / "password", PASSWORD.encode())
    given = {
        "host": "127.0.0.1",
        "port": mail.port,
        "sender": "aquila@ministry.example",
        "user": "node",
        "password_file": mail.folder / "password",
        "ca": mail.folder / "mail-ca.pem",
    }
    return NotificationSettings(mail=MailSettings(**(given | changes)))


def lines_of(message: EmailMessage) -> str:
    """Return the lines that tell how much waits."""
    return str(message.get_content()).replace("\r\n", "\n").partition("\n\n")[0]
