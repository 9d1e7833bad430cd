"""Calls to a service in the same process: the typed client's requests go to its application without a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from anyio import from_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp


class Inside(httpx.BaseTransport):
    """The way to an application for callers in worker threads of its own event loop.

    Handlers of pages run in threads of their own (`clients.web.visit.threaded`): if they shared those of the service,
    forty pages that wait for the service could keep it from ever answering.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._transport = httpx.ASGITransport(app=app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Make one call and read its answer whole."""
        return from_thread.run(self._call, request)

    async def _call(self, request: httpx.Request) -> httpx.Response:
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
