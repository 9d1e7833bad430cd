"""The outermost layer of the pages: a strict policy, one log line per page, and a cookie for forms.

The policy lets a page load its own style sheet, its own script and its own pictures, and nothing else from anywhere;
no script can make markup from text (trusted types). Nothing of a page is kept by a cache; the few static files are.
"""

from __future__ import annotations

import secrets
import time
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clients.web.app.site import Site
from services.kit.logging import Log

_LOG = Log("web")
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), usb=()",
    # Not `no-referrer`: browsers would then send forms with the origin `null`, which is refused here.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_TLS_HEADERS = {"strict-transport-security": "max-age=31536000"}
_PRACTICE = "PRACTICE-"  # of the names of all files that pages of practice give
_METHODS = frozenset({"GET", "HEAD", "POST"})


class SecurityHeaders:
    """Wraps every page."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one page."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status, fresh = time.monotonic(), 0, self._fresh(scope)

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._dress(MutableHeaders(scope=message), fresh)
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            _LOG.error("page_failed", incident=secrets.token_hex(8), error=error)
            if status:
                raise
            failed = PlainTextResponse("This page failed. Nothing was changed half; try again.", 500)
            await failed(scope, receive, answer)
        finally:
            self._log(scope, status, started)

    def _fresh(self, scope: Scope) -> str:
        """Give a visitor without any cookie of ours a random value, to which the forms before sign-in are bound."""
        if self._site.cookie("form") in Request(scope).cookies:
            return ""
        fresh = secrets.token_urlsafe(32)
        scope.setdefault("state", {})["early"] = fresh
        return fresh

    def _dress(self, headers: MutableHeaders, fresh: str) -> None:
        saved = headers.get("content-disposition", "")
        if self._site.practice and saved:
            headers["content-disposition"] = saved.replace('filename="', f'filename="{_PRACTICE}')
        for name, value in (_HEADERS | (_TLS_HEADERS if self._site.secure else {})).items():
            headers.setdefault(name, value)
        # A file that may be cached is the same for everyone, and brings no cookie.
        if fresh and headers["cache-control"] == "no-store":
            secure = "; Secure" if self._site.secure else ""
            cookie = f"{self._site.cookie('form')}={fresh}; Path=/; HttpOnly; SameSite=Strict{secure}"
            headers.append("set-cookie", cookie)

    @staticmethod
    def _log(scope: Scope, status: int, started: float) -> None:
        """Write the line of a page, with the template of its route: a path is the visitor's text."""
        _LOG.info(
            "page",
            method=scope["method"] if scope["method"] in _METHODS else "other",
            route=getattr(scope.get("route"), "path", ""),
            status=status or int(HTTPStatus.INTERNAL_SERVER_ERROR),
            milliseconds=round(1000 * (time.monotonic() - started)),
        )
