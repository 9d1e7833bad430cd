"""The route of a service's call: who calls is found out before its body is read, and nothing blocks the event loop.

FastAPI reads and parses a body before it asks any dependency, and runs plain handlers in one pool for everything. Here
each route does this, in this order:

1. Who calls: the route's one `CallerCheck` (an action of the role table, or a party's signature) refuses a caller
   before a byte of the body is read. Routes without one are open to everybody, and few.
2. The body's size: `SMALL_BODY` unless the route is signed (chunks and statements) or takes lists.
3. The handler, in a thread of the caller's kind (`services.kit.work.threads`); a model that it returns becomes JSON
   in that thread too.
"""

import functools
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from http import HTTPStatus
from inspect import iscoroutinefunction
from typing import Annotated, Any, BinaryIO, ClassVar

from fastapi import APIRouter, FastAPI, Query, params
from fastapi.dependencies.models import Dependant
from fastapi.responses import Response, StreamingResponse
from fastapi.routing import APIRoute
from fastapi.security.base import SecurityBase
from fastapi.telemetry import TelemetryConfig
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from aquila.errors import InputError
from services.kit.http.connections import mark_caller_known
from services.kit.http.openapi import operation_id
from services.kit.work import threads
from services.kit.work.threads import Pool

_LARGEST_NUMBER = 2**53

Offset = Annotated[int, Query(ge=0, le=_LARGEST_NUMBER, description="How many of the first entries are left out.")]
Limit = Annotated[int | None, Query(ge=1, le=1_000, description="At most so many entries; all by default.")]
Ongoing = Annotated[bool, Query(description="Only rounds that are not over.")]


_PIECE_BYTES = 1 << 18
SMALL_BODY = 16 << 10
"""Bytes of a body that is neither a list nor a chunk nor a statement."""


TLS_HEADERS = {"strict-transport-security": "max-age=31536000"}
"""Headers of each answer over TLS; over plain HTTP they must not be sent (RFC 6797 section 7.2)."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def bare_application(**options: Any) -> FastAPI:
    """Return an application that answers nothing yet.

    It has no telemetry: FastAPI would send requests and exception texts wherever an environment variable says. Nor
    pages of documentation: they load scripts from elsewhere; the schema is a file of the project. Nor redirects, which
    would repeat the caller's Host.
    """
    closed: dict[str, Any] = {"openapi_url": None, "docs_url": None, "redoc_url": None, "redirect_slashes": False}
    return FastAPI(**closed, **options, telemetry=_NO_TELEMETRY)


def fields_of_call(scope: Scope, status: int, started: float) -> dict[str, Any]:
    """Return what a log line says of each call, with the template of its route: a path is the caller's text."""
    return {
        "method": scope["method"] if scope["method"] in _METHODS else "other",
        "route": getattr(scope.get("route"), "path", ""),
        "status": status,
        "milliseconds": round(1000 * (time.monotonic() - started)),
    }


def add_routes(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Let an application answer with the routes of routers, as they are.

    `include_router` would derive each of them anew in every application, at its first call, and compare every call
    with them twice. Nothing is lost as long as the application adds nothing to its routes.
    """
    for router in routers:
        app.router.routes.extend(router.routes)


class CallerCheck(SecurityBase):
    """A dependency that knows who may make a call."""

    pool: ClassVar[Pool]
    """The threads of its callers."""
    small: ClassVar[bool]
    """Whether its callers' bodies are small."""

    @abstractmethod
    async def check(self, request: Request) -> None:
        """Refuse a caller by the call's head alone; raises an error of the tree."""


class AroundCall:
    """A dependency that stands around the handler of a call, once who calls and how much comes is known."""

    @abstractmethod
    async def around(self, request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        """Answer a call by its handler or without it."""


class ServiceRoute(APIRoute):
    """One call of a service; see the module."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        status = options.get("status_code") or 200
        options["generate_unique_id_function"] = operation_id
        super().__init__(path, endpoint if iscoroutinefunction(endpoint) else _threaded(endpoint, status), **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, behind the check of its caller and of its body's size."""
        answer = super().get_route_handler()
        checks = tuple(caller_checks(self.dependant))
        around = next((found for found in _calls(self.dependant) if isinstance(found, AroundCall)), None)
        pool = next((check.pool for check in checks), Pool.PEOPLE)
        small = all(check.small for check in checks)

        async def checked(request: Request) -> Response:
            threads.begin_call(request.scope, pool)
            for check in checks:
                await check.check(request)
                mark_caller_known(request.scope)
            limits: Mapping[str, int] = request.app.state.body_limits
            limit = limits.get(self.path, SMALL_BODY if small else request.app.state.body_bytes)
            if declared_length(request.scope) > limit:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            taken = Request(request.scope, limited(request.receive, limit))
            if around is not None:
                return await around.around(taken, answer)
            if "idempotency-key" in request.headers and self.methods != {"GET"}:
                raise InputError("idempotency_key_not_taken")
            return await answer(taken)

        return checked


def caller_checks(dependant: Dependant) -> Iterator[CallerCheck]:
    """Yield the checks of a handler's callers, wherever it declares them."""
    return (found for found in _calls(dependant) if isinstance(found, CallerCheck))


def _calls(dependant: Dependant) -> Iterator[object]:
    """Yield a handler and its dependencies, wherever it declares them."""
    yield dependant.call
    for part in dependant.dependencies:
        yield from _calls(part)


def state_part(name: str) -> params.Depends:
    """Return the dependency that hands a handler the part of its service that `app.state` has under a name."""

    async def found(request: Request) -> object:
        return getattr(request.app.state, name)

    return params.Depends(found)


def limited(receive: Receive, body_bytes: int) -> Receive:
    """Count what arrives, whatever length was declared, and refuse what is too much."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > body_bytes:
            # The one exception that FastAPI lets through while it reads a body.
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return message

    return counted


def declared_length(scope: Scope) -> int:
    """Return the Content-Length of a call, 0 if there is none."""
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(lengths[0]) if lengths and lengths[0].isdigit() else 0


def file_response(file: BinaryIO, media_type: str) -> StreamingResponse:
    """Return an answer that is sent from a file piece by piece; the file is closed when it was sent."""

    async def pieces() -> AsyncIterator[bytes]:
        with file:
            await threads.run_call(file.seek, 0)
            while piece := await threads.run_call(file.read, _PIECE_BYTES):
                yield piece

    return StreamingResponse(pieces(), media_type=media_type)


def _threaded(handler: Callable[..., object], status: int) -> Callable[..., Coroutine[Any, Any, object]]:
    """Let a plain handler run in a thread of its caller's kind, and make JSON of a model there."""

    def answer(**values: object) -> object:
        result = handler(**values)
        if not isinstance(result, BaseModel):
            return result
        return Response(result.model_dump_json(by_alias=True), status, media_type="application/json")

    @functools.wraps(handler)
    async def call(**values: object) -> object:
        return await threads.run_call(answer, **values)

    return call
