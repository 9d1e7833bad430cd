"""`aquila web`: the pages of a service alone, in a process of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from aquila.audit.roles import Service
from aquila.executors import share_freed_memory
from clients.cli.identity import CERTIFICATE
from clients.sdk import Access, Home
from services.kit import logging
from services.kit.settings import ListenSettings, ServiceSettings, TlsSettings

if TYPE_CHECKING:
    from services.kit.serving.server import MiddlewareFactory

_SECRETARIAT = "PCC SEE Secretariat"


def web(
    service: Annotated[str, typer.Option("--service", metavar="URL", help="Where the service is.")],
    kind: Annotated[Literal["node", "matcher"], typer.Option(help="Whose pages: a node's or the matcher's.")] = "node",
    name: Annotated[str, typer.Option(help="The party's name, in the head of each page.")] = "",
    host: Annotated[str, typer.Option(help="Address to listen on; other than loopback only with --certificate.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the pages listen; 0 takes a free port.")] = 8790,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PEM file of the pages' certificate.")
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help="PEM file of the certificate's key.")] = None,
    ca: Annotated[Path | None, typer.Option(metavar="FILE", help="PEM file of the CA of the service.")] = None,
) -> None:
    """Serve the pages of a node or of the matcher that runs elsewhere, until it is stopped.

    `aquila node serve` and `aquila matcher serve` serve the same pages themselves, unless their settings say
    `pages = false`. A service that asks for a certificate is shown that of `aquila --cert FILE --key FILE web ...`.
    """
    from clients.web.wiring import pages_alone
    from services.kit.serving.server import bind, serve

    share_freed_memory()
    tls = TlsSettings(certificate=certificate, key=key) if certificate and key else None
    settings = ServiceSettings(home=Path(), listen=ListenSettings(host=host, port=port), tls=tls)
    logging.configure(settings.log_level)
    endpoint = bind(settings)
    app, site = pages_alone(
        Service(kind), name or _named(kind), Access(kind, service, "", ca, CERTIFICATE.get()), endpoint
    )
    serve(app, endpoint, tls, site.end)


def front_of_home(home: Home) -> MiddlewareFactory | None:
    """Return the application that puts a service's pages in front of it, or None if its settings want none.

    Raises:
        InputError: The settings cannot be read.
    """
    from clients.web.app.practice import Practice
    from clients.web.app.uploads import Inbox
    from clients.web.wiring import front_of

    settings = home.read_settings()
    if not settings.get("pages", True):
        return None
    inbox = Inbox(home.path, **_limits_of(settings))
    practice = Practice(home.path) if settings.get("practice", False) else None
    return front_of(Service(home.service), str(settings.get("name", "")) or _named(home.service), inbox, practice)


def _limits_of(settings: dict[str, Any]) -> dict[str, int]:
    """Return the limits of lists that a service's settings name, in bytes, by the inbox's own names."""
    limits, names = settings.get("limits", {}), {"most": "import_mebibytes", "keep_free": "free_mebibytes"}
    return {ours: limits[name] << 20 for ours, name in names.items() if name in limits}


def _named(kind: str) -> str:
    return _SECRETARIAT if kind == "matcher" else "Node"
