"""Putting the pages of a service together."""

from __future__ import annotations

from urllib.parse import quote

from anyio import to_thread
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.telemetry import TelemetryConfig
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from aquila.errors import AquilaError, InputError
from aquila.sentences import Sentence
from clients.web.app.form_again import page_of_form
from clients.web.app.security import SecurityHeaders
from clients.web.app.site import Site
from clients.web.app.visit import SignInNeeded, keep_cookie, visit_of
from clients.web.pages import routers_of
from clients.web.text.errors import error_page_of, field_of, form_name
from services.kit.errors import UnknownCallerError
from services.kit.http.routing import add_routes

_NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def pages_of(site: Site) -> FastAPI:
    """Return the pages of a site as an application; it starts nothing."""
    app = FastAPI(
        title="Aquila pages",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # A redirect would repeat the caller's Host.
        redirect_slashes=False,
        telemetry=_NO_TELEMETRY,
    )
    app.state.site = site
    app.add_exception_handler(AquilaError, _on_error)
    app.add_exception_handler(ValidationError, _on_invalid)
    app.add_exception_handler(SignInNeeded, _on_stranger)
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
