"""The web side of a service: problems instead of errors, limits, verified callers, one log line per call.

Handlers stay short: they take a `SignedCaller` or declare an action (`requires`), call a use case, and
raise errors of the tree. Answers to errors are problem documents that never repeat input; the log has the route's
template, never the path.

A call to another name than the service's own is refused (RFC 9110 section 15.5.20). A page of another site can make a
browser resolve its own name to loopback and then reads, as that site, whatever listens there (DNS rebinding): the
browser's Host tells. The names are those of loopback, of the settings, of the public URL, and of the certificate; ports
are not compared, since a proxy may listen on another.

Bodies without a declared length are refused (RFC 9110 section 15.5.12), also those of callers who are known.
A body in chunks can have a chunk for every byte, each of which costs a step. No caller needs one: the clients of
Aquila, browsers, and proxies that receive a whole body before they pass it on declare how long it is.
"""

import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRouter
from rfc8785 import dumps
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aquila.errors import AquilaError, InputError, SignatureError
from aquila.protocol.messages.unusable import in_words
from aquila.protocol.problems import MEDIA_TYPE
from services.kit import errors
from services.kit.http.connections import PROBES
from services.kit.http.openapi import describe
from services.kit.http.routing import TLS_HEADERS, ServiceRoute, add_routes, bare_application, fields_of_call
from services.kit.http.signatures import CallVerifier
from services.kit.http.signed_calls import Contacts, RateLimiter
from services.kit.logging import HEADER, REQUEST, Log, carrying, id_of
from services.kit.people.permissions import AccessControl
from services.kit.settings import ServiceSettings
from services.kit.work import threads
from services.kit.work.memory import EventCounts
from services.kit.work.threads import Pool

_LOG = Log("kit.web")
_SECURITY_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_NAME_LIMIT = 40
_SUPERVISED = PROBES | {"/v1/service/health"}
_MOST_FAULTS = 8


def application(  # noqa: PLR0913 - each part of a service is named once, here
    *,
    title: str,
    version: str,
    routers: Sequence[APIRouter],
    body_bytes: int,
    body_limits: Mapping[str, int] | None = None,
    health: Callable[[], None],
    ready: Callable[[], None] | None = None,
    live: Callable[[], None] = lambda: None,
    counts: EventCounts | None = None,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
    call_verifier: CallVerifier | None = None,
    door: AccessControl | None = None,
    contacts: Contacts | None = None,
    buckets: RateLimiter | None = None,
) -> FastAPI:
    """Put a service together.

    Args:
        routers: The handlers; every route is a `ServiceRoute`.
        body_bytes: The largest body of a signed call.
        body_limits: Bytes of the largest body by the route's path, where it is neither that nor a small one.
        health: Raises an error of the tree when the database does not answer, such as `Store.check`.
        ready: Raises an error of the tree when the service cannot do its work; `health` if not given.
        live: Raises an error of the tree when only a restart helps; it is called in the event loop.
        counts: Where refused calls are counted, by the class of the error.
        lifespan: Starts and stops what runs beside the handlers.
        call_verifier: For handlers with a `SignedCaller`.
        door: For handlers that are an action.
        contacts: Where it is kept who called last, if anywhere.
        buckets: How many calls a party may sign; without them as many as it likes.
    """
    app = bare_application(title=title, version=version, lifespan=lifespan)
    describe(app)
    app.router.route_class = ServiceRoute
    app.state.body_bytes, app.state.body_limits = body_bytes, dict(body_limits or {})
    app.state.call_verifier = call_verifier
    app.state.door = door
    app.state.contacts = contacts
    app.state.buckets = buckets
    app.state.counts = counts or EventCounts()
    app.add_exception_handler(AquilaError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_middleware(Guard)
    add_routes(app, routers)

    @app.get("/health", tags=["service"], status_code=204, summary="Whether the database answers")
    async def check_health() -> None:
        await threads.run(Pool.HEALTH, health)

    @app.get("/live", tags=["service"], status_code=204, summary="Whether the service makes progress")
    async def check_live() -> None:
        live()

    @app.get("/ready", tags=["service"], status_code=204, summary="Whether the service can do its work")
    async def check_ready() -> None:
        await threads.run(Pool.READY, ready or health)

    return app


def problem_response(error: AquilaError, instance: str = "") -> Response:
    """Return the response for an error: its problem document, status and headers."""
    document = errors.problem_of(error, instance)
    response = _document_response(document)
    wait = errors.retry_after_of(error)
    if wait is not None:
        response.headers["retry-after"] = str(wait)
    if isinstance(error, SignatureError):
        response.headers["www-authenticate"] = "Signature"
    elif isinstance(error, errors.UnknownCallerError):
        response.headers["www-authenticate"] = "Bearer"
    return response


class Guard:
    """The outermost layer: security headers, a log line per call, and a problem for what escaped."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with carrying(id_of(scope)):
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, answer = time.monotonic(), _Answer(send, scope["scheme"])
        try:
            await self._app(scope, receive, answer.send)
        except ClientDisconnect:
            # It went away before its body was whole, as in a power cut. No fault of ours, and nobody hears an answer.
            _LOG.info("caller_left")
        except Exception as error:
            incident = secrets.token_hex(8)
            _LOG.error("call_failed", incident=incident, error=error)
            if answer.status:
                # The head is out: only a broken connection tells the caller that the answer is not whole.
                raise
            failed = AquilaError("service_failed", incident=incident)
            await problem_response(failed, f"urn:aquila:incident:{incident}")(scope, receive, answer.send)
        finally:
            _log_call(scope, answer.status, started)


class _Answer:
    """Watches an answer's status and adds the security headers to it."""

    def __init__(self, send: Send, scheme: str) -> None:
        self._send = send
        self._headers = _SECURITY_HEADERS | {HEADER: REQUEST.get()} | (TLS_HEADERS if scheme == "https" else {})
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in self._headers.items():
                headers.setdefault(name, value)
        await self._send(message)


async def _on_error(request: Request, error: Exception) -> Response:
    """Answer with the problem of an error of the tree."""
    assert isinstance(error, AquilaError)
    request.app.state.counts.add(type(error).__name__)
    response = problem_response(error)
    # Below 500 the caller was wrong, which is no trouble of ours.
    write = _LOG.info if response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR else _LOG.error
    write("call_refused", error=error)
    return response


async def _on_invalid(_request: Request, error: Exception) -> Response:
    """Answer what is wrong with the parameters: place and kind, never the value."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    faults = [f"{_place(fault['loc'])}: {in_words(fault)}" for fault in found[:_MOST_FAULTS]]
    if len(found) > _MOST_FAULTS:
        faults.append(f"{len(found) - _MOST_FAULTS} more")
    return problem_response(InputError("call_unusable", listed=", ".join(faults)))


async def _on_http(_request: Request, error: Exception) -> Response:
    """Answer what the framework refuses by itself, such as an unknown path (RFC 9457 section 4.2.1)."""
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return problem_response(errors.BodyTooLargeError("body_too_large"))
    document: dict[str, object] = {
        "type": "about:blank",
        "title": "The service has no such call",
        "status": error.status_code,
    }
    response = _document_response(document)
    response.headers.update(error.headers or {})
    return response


def _document_response(document: dict[str, Any]) -> Response:
    return Response(dumps(document), status_code=document["status"], media_type=MEDIA_TYPE)


def _place(location: Sequence[object]) -> str:
    """Return the place of a fault; a name that the caller made up is left out."""
    return ".".join(
        str(part) if isinstance(part, int) or (str(part).isidentifier() and len(str(part)) <= _NAME_LIMIT) else "?"
        for part in location
    )


def _log_call(scope: Scope, status: int, started: float) -> None:
    """Write the line of a call.

    A look at the service's health that finds nothing wrong is for developers alone: supervisors make thousands a day.
    """
    quiet = scope["path"] in _SUPERVISED and status < HTTPStatus.BAD_REQUEST
    write = _LOG.debug if quiet else _LOG.info
    write(
        "call",
        **fields_of_call(scope, status, started),
        party=str(scope.get("state", {}).get("party", "")),
        person=str(scope.get("state", {}).get("person", "")),
    )


_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class OwnNames:
    """The layer that refuses calls to other names, before anything else looks at them."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or named_in(scope) in self._names:
            await self._app(scope, receive, send)
            return
        error = errors.MisdirectedError("service_name_unknown")
        await problem_response(error)(scope, receive, send)


def named_in(scope: Scope) -> str:
    """Return the host that a call names, without its port; empty where it names none, or two."""
    named = [value for name, value in scope["headers"] if name == b"host"]
    if len(named) != 1:
        return ""
    try:
        return (urlsplit(f"//{named[0].decode('latin-1')}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def names_of(settings: ServiceSettings) -> frozenset[str]:
    """Return the names under which a service may be called; raises InputError if the certificate cannot be read."""
    listen = settings.listen
    public = urlsplit(listen.public_url).hostname
    names = {*_LOOPBACK, listen.host, *listen.names, *([public] if public else ())}
    if settings.tls is not None:
        names.update(_certified(settings.tls.certificate))
    return frozenset(name.lower().strip("[]").rstrip(".") for name in names)


def _certified(path: Path) -> Iterator[str]:
    """Yield the names in a certificate, the first of its file."""
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    except (OSError, ValueError) as error:
        raise InputError("tls_certificate_unreadable", kind=type(error).__name__) from None
    yield from found.get_values_for_type(x509.DNSName)
    yield from map(str, found.get_values_for_type(x509.IPAddress))


class DeclaredLengths:
    """The layer that refuses a body in chunks, before anything else looks at the call."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a call whose body has a length, or that has none."""
        if scope["type"] != "http" or all(name != b"transfer-encoding" for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return
        response = problem_response(errors.LengthRequiredError("body_length_not_declared"))
        # Where the body ends is not known: nothing behind it can be read.
        response.headers["connection"] = "close"
        await response(scope, receive, send)
