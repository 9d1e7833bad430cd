"""The names of a service: a call to any other is refused (RFC 9110 section 15.5.20).

A page of another site can make a browser resolve its own name to loopback and then reads, as that site, whatever
listens there (DNS rebinding): the browser's Host tells. The names are those of loopback, of the settings, of the
public URL, and of the certificate; ports are not compared, since a proxy may listen on another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from starlette.types import ASGIApp, Receive, Scope, Send

from aquila.errors import InputError
from services.kit.errors import MisdirectedError
from services.kit.serving.application import problem_response
from services.kit.settings import ServiceSettings

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class OwnNames:
    """The layer that refuses calls to other names, before anything else looks at them."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a call to one of the names."""
        if scope["type"] != "http" or named_in(scope) in self._names:
            await self._app(scope, receive, send)
            return
        error = MisdirectedError("service_name_unknown")
        await problem_response(error)(scope, receive, send)


def named_in(scope: Scope) -> str:
    """Return the host that a call names, without its port; empty where it names none, or two."""
    named = [value for name, value in scope["headers"] if name == b"host"]
    if len(named) != 1:
        return ""
    try:
        return (urlsplit(f"//{named[0].decode('latin-1')}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def names_of(settings: ServiceSettings) -> frozenset[str]:
    """Return the names under which a service may be called.

    Raises:
        InputError: The certificate cannot be read.
    """
    listen = settings.listen
    public = urlsplit(listen.public_url).hostname
    names = {*_LOOPBACK, listen.host, *listen.names, *([public] if public else ())}
    if settings.tls is not None:
        names.update(_certified(settings.tls.certificate))
    return frozenset(name.lower().strip("[]").rstrip(".") for name in names)


def _certified(path: Path) -> Iterator[str]:
    """Yield the names in a certificate, the first of its file."""
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    except (OSError, ValueError) as error:
        raise InputError("tls_certificate_unreadable", kind=type(error).__name__) from None
    yield from found.get_values_for_type(x509.DNSName)
    yield from map(str, found.get_values_for_type(x509.IPAddress))
