"""The application of a service's pages: routes, errors, forms that come back, and the outermost layer of security.

The policy lets a page load its own style sheet, its own script and its own pictures, and nothing else from anywhere;
no script can make markup from text (trusted types). Nothing of a page is kept by a cache; the few static files are.
A form that cannot be used comes back on its page, with status 422: each fault at its field, and all that was typed.
"""

import secrets
import time
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from anyio import to_thread
from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aquila.errors import AquilaError, InputError
from aquila.sentences import Sentence
from clients.web.app.navigation import local_path
from clients.web.app.site import Site
from clients.web.app.visit import SignInNeededError, keep_cookie, visit_of
from clients.web.pages import routers_of
from clients.web.text.errors import error_page_of, field_of, form_name
from services.kit.errors import UnknownCallerError
from services.kit.http.routing import TLS_HEADERS, add_routes, bare_application, fields_of_call
from services.kit.logging import Log


def pages_of(site: Site) -> FastAPI:
    """Return the pages of a site as an application; it starts nothing."""
    app = bare_application(title="Aquila pages")
    app.state.site = site
    app.add_exception_handler(AquilaError, _on_error)
    app.add_exception_handler(ValidationError, _on_invalid)
    app.add_exception_handler(SignInNeededError, _on_stranger)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_middleware(SecurityHeaders, site=site)
    add_routes(app, routers_of(site))
    return app


async def _on_error(request: Request, error: Exception) -> Response:
    """Show an error page; for an expired session, the sign-in page."""
    assert isinstance(error, AquilaError)
    if isinstance(error, UnknownCallerError):
        return await _on_stranger(request, error)
    shown = await _show(request, error)
    field = field_of(error)
    return page_of_form(request, {field: error.sentence}, shown) if field else shown


async def _on_invalid(request: Request, error: Exception) -> Response:
    """Show the form again with the fields that cannot be used; else a page that names them, never what was in them."""
    assert isinstance(error, ValidationError)
    names = sorted({form_name(str(fault["loc"][0])) for fault in error.errors() if fault["loc"]})
    shown = await _show(request, InputError("fields_unusable", listed=", ".join(names)))
    return page_of_form(request, dict.fromkeys(names, Sentence.of("field_unusable")), shown) if names else shown


async def _on_stranger(request: Request, _error: Exception) -> Response:
    """Send a visitor without a session to the sign-in page, and back here afterwards."""
    visit = visit_of(request)
    wanted = request.url.path if request.method == "GET" and request.url.path != "/" else ""
    response = RedirectResponse(f"/sign-in?next={quote(wanted, safe='/')}" if wanted else "/sign-in", 303)
    if visit.session:
        keep_cookie(visit.site, response, visit.site.cookie("session"), "", 0)
    return response


async def _on_http(request: Request, error: Exception) -> Response:
    """Show a page for what the framework refuses by itself, such as an unknown path."""
    assert isinstance(error, HTTPException)
    return await _show(request, error)


async def _show(request: Request, error: AquilaError | HTTPException) -> Response:
    """Return the page of an error; in a thread, since its head asks the service who looks."""
    visit = visit_of(request)
    trouble = error_page_of(error)

    def show() -> Response:
        return visit.show("trouble.html", trouble.status, trouble=trouble)

    return await to_thread.run_sync(show, limiter=visit.site.threads)


_UNPROCESSABLE = 422
_OF_THE_CALL = ("route", "endpoint", "path_params", "router")


class FormAgain(Response):
    """The page of a form with its faults, or another answer where that page cannot be shown."""

    def __init__(self, path: str, query: str, faults: Mapping[str, Sentence], otherwise: Response) -> None:
        super().__init__(status_code=_UNPROCESSABLE)
        self._path, self._query, self._faults, self._otherwise = path, query, faults, otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.get("state", {})
        inner = {key: value for key, value in scope.items() if key not in _OF_THE_CALL}
        inner |= {
            "method": "GET",
            "path": self._path,
            "raw_path": self._path.encode(),
            "query_string": self._query.encode(),
            "state": {**state, "faults": self._faults},
        }

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == HTTPStatus.OK:
                message["status"] = _UNPROCESSABLE
            await send(message)

        try:
            await scope["app"].router(inner, _empty, answer)
        except (AquilaError, HTTPException):
            await self._otherwise(scope, receive, send)


def page_of_form(request: Request, faults: Mapping[str, Sentence], otherwise: Response) -> Response:
    """Return the page that a form was sent from with the faults at its fields, or the other answer.

    Args:
        faults: By the field's name.
        otherwise: Where no page of this site is named, or it cannot be shown.
    """
    named = urlsplit(request.headers.get("referer", ""))
    sent = getattr(request.state, "sent", None)
    if sent is not None and sent.text("page"):
        named = named._replace(path=sent.text("page"), query="")
    path = local_path(named.path)
    if request.method != "POST" or named.netloc != request.headers.get("host") or path != named.path:
        return otherwise
    return FormAgain(path, named.query, faults, otherwise)


async def _empty() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


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
_PRACTICE = "PRACTICE-"  # of the names of all files that pages of practice give


class SecurityHeaders:
    """Wraps every page."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
            _LOG.info("page", **fields_of_call(scope, status or int(HTTPStatus.INTERNAL_SERVER_ERROR), started))

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
        for name, value in (_HEADERS | (TLS_HEADERS if self._site.secure else {})).items():
            headers.setdefault(name, value)
        # A file that may be cached is the same for everyone, and brings no cookie.
        if fresh and headers["cache-control"] == "no-store":
            secure = "; Secure" if self._site.secure else ""
            cookie = f"{self._site.cookie('form')}={fresh}; Path=/; HttpOnly; SameSite=Strict{secure}"
            headers.append("set-cookie", cookie)
