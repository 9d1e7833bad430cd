"""Calls to a service in the same process: the typed client's requests go to its application without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
from anyio import from_thread
from starlette.types import ASGIApp, Receive, Scope, Send

from services.kit.work.threads import mark_page_call


class InProcessTransport(httpx.BaseTransport):
    """The way to an application for callers in worker threads of its own event loop.

    Handlers of pages run in threads of their own (`visit.threaded`), and what they call in others (`Pool.PAGES`):
    nobody waits in a pool for which somebody in it waits. A call that takes longer than its client waits for is given
    up, whatever keeps it.
    """

    def __init__(self, app: ASGIApp) -> None:
        async def marked(scope: Scope, receive: Receive, send: Send) -> None:
            await app(mark_page_call(scope), receive, send)

        self._transport = httpx.ASGITransport(app=marked)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Make one call and read its answer whole.

        Raises:
            ReadTimeout: The client's time for an answer is over.
        """
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
