"""A person's own home for a service that runs elsewhere: where the service is, and the CA of its certificate.

It is made by the first sign-in and holds no key and no session: a certificate of the person's own that the service asks
for, and its key, stay where they are, and sessions lie in `clients.sdk.sessions`. So an officer
needs no account of the service's own user, who can read its identity key and everyone's sessions.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from aquila.errors import InputError
from clients.sdk.connection import ClientCertificate
from clients.sdk.homes import Home, Service, find_home, read_fault
from services.kit.storage.files import write_secret

SETTINGS_FILE = "client.toml"
_CA_FILE = "ca.pem"
_FOLDER = ".config/aquila"


def default_client_home() -> Path:
    """Return the home that a person's commands use where none is named."""
    return Path.home() / _FOLDER


@dataclass(frozen=True, slots=True)
class ClientHome:
    """A person's own home for one service.

    Attributes:
        service: What the service is.
        path: The folder.
        address: Where the service is, as it was named at the first sign-in.
        ca: PEM file of the CA of its certificate, in the folder; the system's CAs without one.
        certificate: What is shown to a service that asks for a certificate.
    """

    service: Service
    path: Path
    address: str
    ca: Path | None
    certificate: ClientCertificate | None = None

    def url(self) -> str:
        """Return where the service is."""
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
        service: What the service is.
        url: Where it is.
        ca: PEM file of the CA of its certificate.
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
        files = [Path(content[name]) for name in ("certificate", "key") if name in content]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as error:
        raise InputError("client_settings_unreadable", settings=settings, fault=read_fault(error)) from None
    if service not in {"node", "matcher"}:
        raise InputError("settings_service_missing", settings=settings)
    shown = ClientCertificate(*files) if len(files) == 2 else None  # noqa: PLR2004 - certificate and key
    return ClientHome(service, settings.parent, str(url), settings.parent / str(ca) if ca else None, shown)
