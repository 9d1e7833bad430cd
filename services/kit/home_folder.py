"""A service's home folder: identity key, operator's token, registry and settings, made once.

Creating a home and starting the service are separate acts. Nothing that is there already is replaced.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from aquila.crypto.keys import VerifyKey
from aquila.errors import InputError
from aquila.protocol.registry import Registry, write_registry
from services.kit.http.certificates import OwnCertificates, issue, make_ca
from services.kit.people.keys import TOKEN_FILE, OperatorToken
from services.kit.settings import ServiceSettings, is_loopback, load
from services.kit.storage.files import check_private, write_secret
from services.kit.storage.own_identity import IN_FILE, make_key

IDENTITY_FILE = "identity.pem"
REGISTRY_FILE = "registry.toml"
CHUNKS_FOLDER = "chunks"
LOG_FOLDER = "log"
TLS_FOLDER = "tls"

_PRACTICE = """
# Practice: all persons here are invented, and every page and paper says so.
practice = true
"""


@dataclass(frozen=True, slots=True)
class NewAddress:
    """The address of a new service, and the certificate that it shows there."""

    port: int
    """The TCP port; 0 takes a free one."""
    url: str = ""
    """Under which others call it: `https://host`, with the port where it is not 443; nothing for loopback alone."""
    certificate: Path | None = None
    """PEM file of a certificate for the URL's host; without it the home gets a CA and a certificate."""
    key: Path | None = None
    """PEM file of that certificate's private key."""
    ca: Path | None = None
    """PEM file of the CA of that certificate; without it callers know it by the CAs of their systems."""

    def check(self) -> None:
        """Refuse an address that others cannot use."""
        parts = urlsplit(self.url)
        if self.url and (parts.scheme != "https" or not parts.hostname or parts.path not in {"", "/"} or parts.query):
            raise InputError("new_address_not_https")
        if (self.certificate is None) != (self.key is None) or (self.certificate and not self.url):
            raise InputError("new_address_certificate_alone")

    def lines(self) -> str:
        """Return the lines of a settings file: `[listen]`, and with a URL `[tls]` and `[command]`."""
        host = urlsplit(self.url).hostname or "127.0.0.1"
        listening = "127.0.0.1" if is_loopback(host) else "0.0.0.0"  # noqa: S104 - others call it, over TLS
        lines = ["[listen]", f"host = {toml(listening)}", f"port = {self.port}"]
        if not self.url:
            return "\n".join(lines)
        lines.append(f"public_url = {toml(self.url.rstrip('/'))}")
        own = OwnCertificates(Path(TLS_FOLDER))
        certificate, key = (self.certificate or own.certificate), (self.key or own.key)
        ca = self.ca if self.certificate else own.ca
        shown = [str(one.resolve()) if self.certificate else str(one) for one in (certificate, key)]
        lines += ["", "[tls]", f"certificate = {toml(shown[0])}", f"key = {toml(shown[1])}"]
        if ca is not None:
            lines += ["", "# Callers trust this CA: the command here, and everyone who is given it.", "[command]"]
            lines.append(f"ca = {toml(str(ca.resolve()) if self.certificate else str(ca))}")
        return "\n".join(lines)

    def make_certificates(self, home: Path, name: str) -> None:
        """Make the CA and the certificate of a home that shall have its own; raises as `issue` does."""
        if self.url and self.certificate is None:
            files = OwnCertificates(home / TLS_FOLDER)
            make_ca(files, name)
            issue(files, str(urlsplit(self.url).hostname))


def port_of(port: int | None, url: str, usual: int) -> int:
    """Return the port of a new service: the one that is named, that of its URL, or the usual one."""
    if port is not None:
        return port
    try:
        return urlsplit(url).port or usual
    except ValueError:
        raise InputError("new_address_not_https") from None


def toml(value: str) -> str:
    """Return a TOML string: JSON's escapes are TOML's."""
    return json.dumps(value, ensure_ascii=False)


def practice_line(*, practice: bool) -> str:
    """Return the lines of a settings file that make a home one of practice, or nothing."""
    return _PRACTICE if practice else ""


def make_home(
    settings: Path,
    content: str,
    cls: type[ServiceSettings],
    *,
    folders: Iterable[str] = (),
    registry: Registry | None = None,
    identity: str = IN_FILE,
) -> VerifyKey:
    """Make a home and return the public half of its new identity key, for the registry.

    Raises:
        KeyMaterialError: The folder was there already, and is open to others; or the address is not valid.
        Pkcs11Error: The token cannot be used, and why.
    """
    home, service = settings.parent, settings.stem
    if settings.exists():
        raise InputError("home_already_made", file=str(settings), home=home, service=service)
    for folder in (home, home / CHUNKS_FOLDER, *(home / name for name in folders)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_private(home)
    key = make_key(home / IDENTITY_FILE, identity)
    OperatorToken.create(home / TOKEN_FILE)
    if registry is not None:
        write_secret(home / REGISTRY_FILE, write_registry(registry))
    # The settings come last: if we crash before, there is no home yet, and creating it again is allowed.
    draft = home / f".{settings.name}"
    write_secret(draft, content.encode())
    try:
        load(draft, cls)
    except InputError:
        draft.unlink()
        raise
    draft.rename(settings)
    return key.public
