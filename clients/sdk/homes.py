"""A service's home folder, as its operator sees it: which service it is, where it listens, and the token."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aquila.errors import InputError
from clients.sdk.connection import Access, ClientCertificate
from services.kit.storage.files import read_secret

Service = Literal["node", "matcher"]

TOKEN_FILE = "operator.token"  # noqa: S105 - the name of a file
_DEFAULT_HOST = "127.0.0.1"
_DEFAULT_PORT = 8700
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what a service listens on is not where one calls it


@dataclass(frozen=True, slots=True)
class Home:
    """A node's or the matcher's home folder."""

    service: Service
    path: Path

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.path / f"{self.service}.toml"

    @property
    def registry(self) -> Path:
        """Return the path of the registry file in the settings.

        Raises:
            InputError: The settings cannot be read.
        """
        return self.path / str(self.read_settings().get("registry", "registry.toml"))

    @property
    def identity(self) -> Path:
        """Return the path of the identity key in the settings.

        Raises:
            InputError: The settings cannot be read.
        """
        return self.path / str(self.read_settings().get("identity", "identity.pem"))

    @property
    def ca(self) -> Path | None:
        """PEM file of the CA of the service's certificate, where [command] names one; else the system's CAs.

        Raises:
            InputError: The settings cannot be read.
        """
        ca = self.read_settings().get("command", {}).get("ca")
        return self.path / str(ca) if ca else None

    @property
    def certificate(self) -> ClientCertificate | None:
        """Return the certificate that the command shows to the service, if [command] names one.

        Raises:
            InputError: The settings cannot be read.
        """
        command = self.read_settings().get("command", {})
        if "certificate" not in command:
            return None
        return ClientCertificate(self.path / str(command["certificate"]), self.path / str(command.get("key", "")))

    def access(
        self,
        url: str | None = None,
        token_file: Path | None = None,
        ca: Path | None = None,
        certificate: ClientCertificate | None = None,
    ) -> Access:
        """Return where the service is and what opens it.

        Args:
            url: Instead of where the settings say that it listens.
            token_file: Instead of the home's own.
            ca: PEM file of the CA of its certificate, instead of the settings'.
            certificate: What is shown to it, instead of the settings'.

        Raises:
            InputError: The settings cannot be read.
            KeyMaterialError: The token cannot be read, or is open to others.
        """
        token = read_secret(token_file or self.path / TOKEN_FILE).decode("ascii", "replace").strip()
        return Access(self.service, url or self.url(), token, ca or self.ca, certificate or self.certificate)

    def url(self) -> str:
        """Return the service's address in the settings.

        Raises:
            InputError: The settings cannot be read, or leave the port to the system.
        """
        settings = self.read_settings()
        listen = settings.get("listen", {})
        host, port = listen.get("host", _DEFAULT_HOST), listen.get("port", _DEFAULT_PORT)
        if port == 0:
            raise InputError("listen_port_not_fixed", settings=self.settings)
        secure, public = "tls" in settings, listen.get("public_url", "")
        if secure and public:
            return str(public).rstrip("/")  # the name that its certificate bears
        host = _EVERYWHERE.get(host, host)
        return f"{'https' if secure else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"

    def read_settings(self) -> dict[str, Any]:
        """Return the settings file's content; the service itself checks it.

        Raises:
            InputError: It cannot be read.
        """
        try:
            return tomllib.loads(self.settings.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InputError("home_settings_unreadable", settings=self.settings, fault=read_fault(error)) from None


def read_fault(error: OSError | ValueError | KeyError) -> str:
    """Return why a settings file cannot be read, with the line of a fault in its TOML; values are not repeated."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error) if isinstance(error, tomllib.TOMLDecodeError) else type(error).__name__


def find_home(path: Path, service: Service | None = None) -> Home:
    """Find out whether a folder is a node's or the matcher's home.

    Args:
        path: The folder.
        service: Whose it has to be; of either by default.

    Raises:
        InputError: Nobody's, or that of both.
    """
    services: tuple[Service, ...] = ("node", "matcher") if service is None else (service,)
    found = [Home(one, path) for one in services if (path / f"{one}.toml").is_file()]
    if len(found) != 1:
        raise InputError(
            "home_of_two_services" if found else "folder_is_no_home", path=path, wanted=" or a ".join(services)
        )
    return found[0]
