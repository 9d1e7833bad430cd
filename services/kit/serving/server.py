"""Running a service: a bound socket, uvicorn around the application, a line when it is ready, and a graceful end.

The socket is bound before the application is made, so that the application knows its own authority even where the
port was left to the system, and so that a taken port is an error of the tree.

The supervisor that started the service is told by systemd's protocol (sd_notify(3)) when it is ready, alive and
stopping: one datagram for each report, to the socket that the supervisor names. Without a supervisor nothing is sent.
"""

import asyncio
import contextlib
import gc
import json
import os
import socket
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable, MutableMapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import Protocol, TypeAlias
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from aquila.errors import InputError
from services.kit.http.connections import QUEUE, Admission, BoundedProtocol, Connections, Listener, places_for
from services.kit.http.tls import server_context
from services.kit.logging import Log
from services.kit.serving.application import DeclaredLengths, OwnNames, names_of
from services.kit.settings import ServiceSettings, TlsSettings, is_loopback
from services.kit.work.drivers import Driver, stop_all

_SOCKET, _MICROSECONDS, _PROCESS = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"
_PARTS = 3  # reports in the supervisor's time, so that one or two may come late


@dataclass(slots=True)
class Supervisor:
    """The supervisor of this process."""

    address: str = ""
    """Its socket: a path, or an abstract name that begins with `@`; empty without a supervisor."""
    watchdog_seconds: float = 0.0
    """The time after which it ends a service that has not reported; 0 if it does not."""
    _fed_at: float = field(default=0.0, init=False)

    @classmethod
    def of_process(cls, environment: MutableMapping[str, str], process: int) -> "Supervisor":
        """Return the supervisor that an environment names, and take its names out: they are not for workers."""
        address = environment.pop(_SOCKET, "")
        microseconds, owner = environment.pop(_MICROSECONDS, ""), environment.pop(_PROCESS, str(process))
        own = microseconds.isascii() and microseconds.isdigit() and owner == str(process)
        return cls(address, int(microseconds) / 1e6 if own else 0.0)

    def ready(self) -> None:
        self._send("READY=1")
        self._fed_at = time.monotonic()

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def feed(self, check: Callable[[], None]) -> None:
        """Report that the service makes progress, when the next report is due, unless `check` raises an error."""
        now = time.monotonic()
        if not self.watchdog_seconds or now - self._fed_at < self.watchdog_seconds / _PARTS:
            return
        self._fed_at = now
        try:
            check()
        except Exception as error:  # noqa: BLE001 - whatever it is, the service is not reported alive
            _LOG.error("watchdog_not_fed", error=error)
            return
        self._send("WATCHDOG=1")

    def _send(self, report: str) -> None:
        """Send a report; without its supervisor the service goes on."""
        if not self.address:
            return
        name = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.settimeout(0)
                sender.sendto(report.encode(), name)
        except OSError as error:
            _LOG.warning("supervisor_not_reached", error=error)


_LOG = Log("kit.server")
_GRACE_SECONDS = 10
_TICKS_A_SECOND = 10  # as uvicorn counts them
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Middleware(Protocol):
    """An application in front of the service's own, which passes other calls on: the service's pages."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""

    def end(self) -> None:
        """Release waiting callers, because the process is about to stop."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A bound socket, the URL under which peers call it, its names, and the socket of the metrics."""

    socket: Listener
    host: str
    port: int
    url: str
    names: frozenset[str] = frozenset()
    metrics: Listener | None = None

    @property
    def authority(self) -> str:
        """Host, and port where it is not the scheme's own, as RFC 9421 section 2.2.3 has it."""
        parts = urlsplit(self.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else str(parts.hostname)
        return host if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f"{host}:{parts.port}"


UNREAD_SECONDS = 30
"""A connection whose other end acknowledges nothing for so long is closed."""
_LOOPBACK = "127.0.0.1"
_OF_METRICS = 16  # connections


def bind(settings: ServiceSettings) -> Endpoint:
    """Bind the service's sockets."""
    listen = settings.listen
    if settings.tls is None and not is_loopback(listen.host):
        raise InputError("tls_off_on_reachable_host", host=listen.host)
    names = names_of(settings)
    with contextlib.ExitStack() as failing:
        bound = failing.enter_context(_listener(listen.host, listen.port, places_for(settings.limits.connections)))
        metrics = None if settings.metrics is None else _listener(_LOOPBACK, settings.metrics.port, _OF_METRICS)
        failing.pop_all()
    port = bound.getsockname()[1]
    host = f"[{listen.host}]" if bound.family == socket.AF_INET6 else listen.host
    scheme = "http" if settings.tls is None else "https"
    url = listen.public_url.rstrip("/") or f"{scheme}://{host}:{port}"
    return Endpoint(bound, listen.host, port, url, names, metrics)


def _listener(host: str, port: int, connections: int) -> Listener:
    # With the protocol named, asyncio sends small pieces at once (TCP_NODELAY). Otherwise the second piece of an answer
    # waits about 40 ms for the caller to acknowledge the first.
    bound = Listener(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.connections = Connections(connections)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Those who are gone without a word, by a power cut or a network that is down, end their calls (held ones get a
        # space every 15 seconds). Connections that are accepted have it too.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1_000)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise InputError("listening_failed", port=port, host=host, fault=error.strerror) from None
    return bound


MiddlewareFactory: TypeAlias = Callable[[ASGIApp, Endpoint], Middleware]


def with_middleware(
    app: ASGIApp, endpoint: Endpoint, front: MiddlewareFactory | None, before_end: Callable[[], None] = lambda: None
) -> tuple[ASGIApp, Callable[[], None]]:
    """Return the application to serve, and the call to make before the end, if there is an application in front."""
    if front is None:
        return app, before_end
    made = front(app, endpoint)

    def end() -> None:
        made.end()
        before_end()

    return made, end


def serve(
    app: ASGIApp,
    endpoint: Endpoint,
    tls: TlsSettings | None = None,
    before_end: Callable[[], None] = lambda: None,
    live: Callable[[], None] = lambda: None,
    metrics: ASGIApp | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT.

    Then calls in progress end, the application's lifespan ends, and the signal takes its usual effect. When the
    service accepts calls, one line of JSON on stdout says so: `{"event":"ready","url":...,"port":...}`.

    Args:
        before_end: Called in the event loop before calls in progress are waited for: it lets those go that wait.
        live: Raises an error where the service makes no progress: then its supervisor is not told that it lives.
        metrics: What is served at the socket of the metrics, where the endpoint has one.

    Raises:
        InputError: A certificate or key cannot be read.
    """
    context = None if tls is None else server_context(tls)
    config = _config(app, endpoint, endpoint.socket, context)
    supervisor = Supervisor.of_process(os.environ, os.getpid())
    server = _Server(config, endpoint, before_end, partial(supervisor.feed, live), supervisor, metrics)
    server.run(sockets=[endpoint.socket])


def _config(app: ASGIApp, endpoint: Endpoint, bound: Listener, context: ssl.SSLContext | None = None) -> uvicorn.Config:
    return uvicorn.Config(
        DeclaredLengths(OwnNames(Admission(app), endpoint.names)),
        # Our own logging: uvicorn's access log writes paths and query strings.
        log_config=None,
        access_log=False,
        server_header=False,
        # Calls are signed over the Host they were made to; nothing is taken from a proxy's headers.
        proxy_headers=False,
        http=partial(BoundedProtocol, bound.connections),  # type: ignore[arg-type]  # it is called as a class is
        backlog=QUEUE,
        ws="none",
        lifespan="on",
        timeout_graceful_shutdown=_GRACE_SECONDS,
        ssl_context_factory=None if context is None else lambda _config, _default: context,
    )


def lifespan_of(
    drivers: Sequence[Driver], close: Callable[[], None]
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return an application's lifespan: drivers run while it serves; at the end they stop, and `close` closes the rest.

    What must happen at the end belongs here: after `serve` a signal may have ended the process.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        for driver in drivers:
            driver.start()
        try:
            yield
        finally:
            await stop_all(drivers, _GRACE_SECONDS)
            close()

    return lifespan


class _Server(uvicorn.Server):
    """uvicorn, with a line when it is ready."""

    def __init__(
        self,
        config: uvicorn.Config,
        endpoint: Endpoint,
        before_end: Callable[[], None],
        feed: Callable[[], None],
        supervisor: Supervisor,
        metrics: ASGIApp | None,
    ) -> None:
        super().__init__(config)
        self._metrics = metrics
        self._feed, self._supervisor = feed, supervisor
        self._endpoint = endpoint
        self._before_end = before_end
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and report it on stdout, for a supervisor or a test that waits for it."""
        await super().startup(sockets)
        if self.started:
            await self._serve_metrics()
            # What is there now stays until the end. To look through it for garbage takes tenths of a second, in which
            # the event loop stands still.
            gc.collect()
            gc.freeze()
            ready = {"event": "ready", "url": self._endpoint.url, "port": self._endpoint.port}
            sys.stdout.write(json.dumps(ready, separators=(",", ":")) + "\n")
            sys.stdout.flush()
            self._supervisor.ready()
            _LOG.info("ready", url=self._endpoint.url, port=self._endpoint.port)

    async def _serve_metrics(self) -> None:
        """Serve the socket of the metrics in the same event loop: what it answers, the service can do."""
        bound = self._endpoint.metrics
        if bound is None or self._metrics is None:
            return
        config = _config(self._metrics, self._endpoint, bound)
        config.load()
        made = partial(BoundedProtocol, bound.connections, config=config, server_state=self.server_state, app_state={})
        self.servers.append(await asyncio.get_running_loop().create_server(made, sock=bound, backlog=QUEUE))

    async def main_loop(self) -> None:
        """Wait for a signal, with uvicorn's tick once a second: ten a second are what an idle service would cost."""
        self._loop, counter = asyncio.get_running_loop(), 0
        while not await self.on_tick(counter):
            counter = (counter + _TICKS_A_SECOND) % (_TICKS_A_SECOND * 86_400)
            self._feed()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), timeout=1.0)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal, and end the wait for it."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ending.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Release waiting callers, then stop."""
        self._supervisor.stopping()
        self._before_end()
        await super().shutdown(sockets)
