"""Homes and sessions of people who call a service: a service's own home, a person's home for it, and open sessions.

A person's home is made by the first sign-in and holds the service's address and the CA of its certificate, but no key:
so an officer needs no account of the service's own user, who can read its identity key and everyone's sessions. Each
session has a file below the folder of the person at this machine (mode 0600). A token never stands in a command line or
in the environment.
"""

import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from aquila.errors import InputError
from aquila.interface.people import SessionGrant
from clients.sdk.connection import Access, ClientCertificate
from services.kit.storage.files import read_secret, write_secret

Service = Literal["node", "matcher"]

TOKEN_FILE = "operator.token"
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
        return self.path / f"{self.service}.toml"

    @property
    def registry(self) -> Path:
        """Return the path of the registry file in the settings; raises InputError if the settings cannot be read."""
        return self.path / str(self.read_settings().get("registry", "registry.toml"))

    @property
    def identity(self) -> Path:
        """Return the path of the identity key in the settings; raises InputError if the settings cannot be read."""
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
        """Return the settings file's content; the service itself checks it; raises InputError if it cannot be read."""
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


SETTINGS_FILE = "client.toml"
_CA_FILE = "ca.pem"
_FOLDER = ".config/aquila"


def default_client_home() -> Path:
    return Path.home() / _FOLDER


@dataclass(frozen=True, slots=True)
class ClientHome:
    """A person's own home for one service."""

    service: Service
    path: Path
    address: str
    """Where the service is, as it was named at the first sign-in."""
    ca: Path | None
    """PEM file of the CA of its certificate, in the folder; the system's CAs without one."""
    certificate: ClientCertificate | None = None
    """What is shown to a service that asks for a certificate."""

    def url(self) -> str:
        return self.address


def open_home(path: Path) -> Home | ClientHome:
    """Return whose home a folder is: that of a service, or a person's own.

    Raises:
        InputError: It is none, or its settings cannot be read.
    """
    settings = path / SETTINGS_FILE
    if settings.is_file():
        return _read(settings)
    if path == default_client_home():
        raise InputError("no_home_named")
    return find_home(path)


def is_home(path: Path) -> bool:
    """Return whether a folder is the home of a service or of a person."""
    return any((path / name).is_file() for name in (SETTINGS_FILE, "node.toml", "matcher.toml"))


def make_client_home(
    path: Path, service: Service, url: str, ca: Path | None, certificate: ClientCertificate | None = None
) -> ClientHome:
    """Make a person's own home, with a copy of the CA.

    Args:
        path: The folder, made if it is missing.
        certificate: What is shown to it.

    Raises:
        OSError: The folder cannot be made, or the CA cannot be read.
        StoreError: The disk is full or failed.
    """
    settings = [f"service = {json.dumps(service)}", f"url = {json.dumps(url)}"]
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if ca is not None:
        write_secret(path / _CA_FILE, ca.read_bytes())
        settings.append(f"ca = {json.dumps(_CA_FILE)}")
    if certificate is not None:
        for name, file in (("certificate", certificate.certificate), ("key", certificate.key)):
            settings.append(f"{name} = {json.dumps(str(file.resolve()))}")
    write_secret(path / SETTINGS_FILE, "\n".join([*settings, ""]).encode())
    return _read(path / SETTINGS_FILE)


def _read(settings: Path) -> ClientHome:
    try:
        content = tomllib.loads(settings.read_text(encoding="utf-8"))
        service, url, ca = content["service"], content["url"], content.get("ca")
        both = {"certificate", "key"} <= content.keys()
        shown = ClientCertificate(Path(content["certificate"]), Path(content["key"])) if both else None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as error:
        raise InputError("client_settings_unreadable", settings=settings, fault=read_fault(error)) from None
    if service not in {"node", "matcher"}:
        raise InputError("settings_service_missing", settings=settings)
    return ClientHome(service, settings.parent, str(url), settings.parent / str(ca) if ca else None, shown)


LOCAL = "local"
"""In place of a login: the key in the home folder."""

_SESSIONS = ".local/state/aquila/sessions"
_NAME_DIGITS = 16


def default_folder() -> Path:
    return Path.home() / _SESSIONS


@dataclass(frozen=True, slots=True)
class SessionFiles:
    """The sessions of a person at this machine with the service of one home."""

    home: Home | ClientHome
    folder: Path = field(default_factory=default_folder)

    def logins(self) -> list[str]:
        return sorted(path.name.removeprefix(self._prefix) for path in self.folder.glob(f"{self._prefix}*"))

    def read(self, login: str) -> str:
        """Return the token of a login's session.

        Raises:
            InputError: There is none.
            KeyMaterialError: Its file is open to others.
        """
        path = self._path(login)
        if not path.is_file():
            raise InputError("login_not_signed_in", login=login)
        return str(json.loads(read_secret(path))["token"])

    def write(self, grant: SessionGrant) -> None:
        """Keep a session; raises StoreError if the disk is full or failed."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_secret(self._path(grant.login), json.dumps({"token": grant.token, "ends_at": grant.ends_at}).encode())

    def remove(self, login: str) -> None:
        self._path(login).unlink(missing_ok=True)

    def chosen(self, login: str | None) -> str | None:
        """Return the login whose session is used: the named one, else the only one, else none for the home's key.

        Raises:
            InputError: None is named and there are several.
        """
        if login is not None:
            return None if login == LOCAL else login
        found = self.logins()
        if len(found) > 1:
            raise InputError("several_signed_in", listed=", ".join(found))
        return found[0] if found else None

    @property
    def _prefix(self) -> str:
        place = f"{self.home.service} {self.home.path.resolve()}"
        return f"{hashlib.sha256(place.encode()).hexdigest()[:_NAME_DIGITS]}."

    def _path(self, login: str) -> Path:
        return self.folder / f"{self._prefix}{login}"
