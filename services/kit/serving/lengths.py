"""Bodies without a declared length are refused (RFC 9110 section 15.5.12), also those of callers who are known.

A body in chunks can have a chunk for every byte, each of which costs a step. No caller needs one: the clients of
Aquila, browsers, and proxies that receive a whole body before they pass it on declare how long it is.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from services.kit.errors import LengthRequiredError
from services.kit.serving.application import problem_response


class DeclaredLengths:
    """The layer that refuses a body in chunks, before anything else looks at the call."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a call whose body has a length, or that has none."""
        if scope["type"] != "http" or all(name != b"transfer-encoding" for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return
        response = problem_response(LengthRequiredError("body_length_not_declared"))
        # Where the body ends is not known: nothing behind it can be read.
        response.headers["connection"] = "close"
        await response(scope, receive, send)
