"""A service's pages in front of it, in one process and at one address, or alone for a service elsewhere.

`/v1` and the probes are the service's; everything else is a page, whose calls go to the service without a socket.
"""

import asyncio
from collections.abc import AsyncIterator

import httpx
from anyio import from_thread
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from aquila.audit.roles import Service
from clients.sdk import Access, Connection
from clients.web.app.practice import Practice
from clients.web.app.site import Site
from clients.web.app.uploads import Inbox
from clients.web.application import pages_of
from services.kit.http.connections import PROBES
from services.kit.serving.server import Endpoint, MiddlewareFactory
from services.kit.work.threads import mark_page_call

_WITHIN = "http://127.0.0.1"  # calls in one process have no address; the client wants one on loopback


def front_of(
    service: Service, name: str, inbox: Inbox | None = None, practice: Practice | None = None
) -> MiddlewareFactory:
    """Return the application that puts a service's pages in front of it, in the same process and at the same address.

    Args:
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


class PagesDispatcher:
    """Sends each call to the service or to the pages; start and end are the service's."""

    def __init__(self, service: ASGIApp, pages: ASGIApp, site: Site) -> None:
        self._service = service
        self._pages = pages
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else "/v1"
        page = path != "/v1" and path not in PROBES and not path.startswith("/v1/")
        await (self._pages if page else self._service)(scope, receive, send)

    def end(self) -> None:
        self._site.end()


class InProcessTransport(httpx.BaseTransport):
    """The way to an application for callers in worker threads of its own event loop.

    Handlers of pages run in threads of their own (`visit.threaded`), and what they call in others (`Pool.PAGES`):
    nobody waits in a pool for which somebody in it waits. A call that takes longer than its client waits for is given
    up, whatever keeps it.
    """

    def __init__(self, app: ASGIApp) -> None:
        async def marked(scope: Scope, receive: Receive, send: Send) -> None:
            await app(mark_page_call(scope), receive, send)

        self._transport = httpx.ASGITransport(app=marked, client=("pages", 0))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Make one call and read its answer whole; raises ReadTimeout if the client's time for an answer is over."""
        return from_thread.run(self._call, request)

    async def _call(self, request: httpx.Request) -> httpx.Response:
        # A task of its own, which is left behind: a thread that it waits for cannot be interrupted.
        answer = asyncio.ensure_future(self._answer(request))
        try:
            await asyncio.wait([answer], timeout=request.extensions.get("timeout", {}).get("read"))
        finally:
            given_up = answer.cancel()
        if given_up:
            raise httpx.ReadTimeout("the service takes too long", request=request)
        return answer.result()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        asked = httpx.Request(
            request.method, request.url, headers=request.headers, content=_pieces(request.stream)
        )  # an upload is passed on piece by piece
        answer = await self._transport.handle_async_request(asked)
        content = await httpx.Response(200, stream=answer.stream).aread()
        return httpx.Response(answer.status_code, headers=answer.headers, content=content, request=request)


async def _pieces(stream: httpx.SyncByteStream) -> AsyncIterator[bytes]:
    for piece in stream:
        yield piece
