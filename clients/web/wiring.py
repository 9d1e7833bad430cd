"""From a home, or from an address, to a service's pages: what the commands that serve them are made of."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.types import ASGIApp

from aquila.audit.roles import Service
from clients.sdk import Access, Connection
from clients.web.app.dispatch import PagesDispatcher
from clients.web.app.in_process import InProcessTransport
from clients.web.app.practice import Practice
from clients.web.app.site import Site
from clients.web.app.uploads import Inbox
from clients.web.application import pages_of
from services.kit.serving.server import Endpoint, MiddlewareFactory

_WITHIN = "http://127.0.0.1"  # calls in one process have no address; the client wants one on loopback


def front_of(
    service: Service, name: str, inbox: Inbox | None = None, practice: Practice | None = None
) -> MiddlewareFactory:
    """Return the application that puts a service's pages in front of it, in the same process and at the same address.

    Args:
        service: Whose pages they are.
        name: The party's or the secretariat's name.
        inbox: Where lists lie that wait to be confirmed.
        practice: Where all persons are invented, how visitors become its people.
    """

    def put(app: ASGIApp, endpoint: Endpoint) -> PagesDispatcher:
        connection = Connection(Access(service.value, _WITHIN, ""), InProcessTransport(app))
        site = Site(
            service,
            name,
            connection,
            secure=endpoint.url.startswith("https:"),
            mark=str(endpoint.port),
            inbox=inbox or Inbox(),
            practice=practice,
        )
        return PagesDispatcher(app, pages_of(site), site)

    return put


def pages_alone(service: Service, name: str, access: Access, endpoint: Endpoint) -> tuple[FastAPI, Site]:
    """Return the pages of a service elsewhere, and their site.

    Raises:
        InputError: The service's address cannot be used.
    """
    site = Site(service, name, Connection(access), secure=endpoint.url.startswith("https:"), mark=str(endpoint.port))
    return pages_of(site), site
