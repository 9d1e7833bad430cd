"""One address for a service and its pages: `/v1` and the probes are the service's, everything else is a page."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from clients.web.app.site import Site
from services.kit.http.connections import PROBES


class PagesDispatcher:
    """Sends each call to the service or to the pages; start and end are the service's."""

    def __init__(self, service: ASGIApp, pages: ASGIApp, site: Site) -> None:
        self._service = service
        self._pages = pages
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        page = scope["type"] == "http" and not _is_service(scope["path"])
        await (self._pages if page else self._service)(scope, receive, send)

    def end(self) -> None:
        """Release all who watch a round."""
        self._site.end()


def _is_service(path: str) -> bool:
    return path == "/v1" or path in PROBES or path.startswith("/v1/")
