"""A stranger wants to hold every connection: each gets little time, and gives way to the next one."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import uvicorn
from uvicorn.server import ServerState

from services.kit.http.connections import BoundedProtocol, Connections, Listener, Times, mark_caller_known, places_for
from services.kit.http.tls import server_context
from services.kit.settings import TlsSettings
from tests.support.authority import Authority

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

SHORT = Times(head=0.05, body=0.05, write=0.05, linger=0.05)
LONG = Times(head=600, body=600, write=600, linger=600)
SECONDS = 30.0
MOST = 4
HALF = b"GET / HTTP/1.1\r\nhost: x\r\n"
WHOLE = HALF + b"\r\n"
LARGE = bytes(1 << 24)  # more than the system keeps for a reader who does not read


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a call: `/known` is somebody's, `/large` sends much, and a body is read but at `/no`."""
    assert scope["type"] == "http"
    if scope["path"] == "/known":
        mark_caller_known(scope)
        await receive()
    body, more = LARGE if scope["path"] == "/large" else b"", scope["path"] != "/no"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def served(
    times: Times, most: int = MOST, state: ServerState | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Serve the application on a port of loopback.

    Args:
        times: How long callers may take.
        most: How many connections there may be.
        state: Where uvicorn keeps the connections that it serves.
        tls: The service's side of TLS.
    """
    idle = 600 if times is LONG else 0
    config = uvicorn.Config(app, log_config=None, http="h11", ws="none", lifespan="off", timeout_keep_alive=idle)
    connections, state = Connections(most, times), state or ServerState()
    listener = Listener(socket.AF_INET, socket.SOCK_STREAM)
    listener.connections = connections
    listener.bind(("127.0.0.1", 0))
    server = await asyncio.get_running_loop().create_server(
        lambda: BoundedProtocol(connections, config=config, server_state=state, app_state={}), sock=listener,
        ssl=tls,
    )  # fmt: skip
    try:
        yield listener.getsockname()[1]
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()  # type: ignore[union-attr]  # it is of the kind above
        await asyncio.gather(*state.tasks)
        await server.wait_closed()


class Caller:
    """A connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, port: int, sent: bytes = b"") -> Caller:
        """Connect, and send something."""
        made = cls(*await asyncio.open_connection("127.0.0.1", port))
        made.writer.write(sent)
        await made.writer.drain()
        return made

    async def answered(self) -> bool:
        """Wait for the first line of an answer; False where the connection ends without."""
        try:
            return (await asyncio.wait_for(self.reader.readline(), SECONDS)).startswith(b"HTTP/1.1 200")
        except ConnectionError:
            return False

    async def ends(self) -> None:
        """Wait until the other side ends the connection."""
        try:
            while await asyncio.wait_for(self.reader.read(1 << 16), SECONDS):
                pass
        except ConnectionError:
            pass
        self.writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"G",
        HALF,
        WHOLE + HALF,
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n",
        b"POST /no HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n",
    ],
    ids=["nothing", "a byte", "half a head", "half a second head", "no body", "half a body", "a body not wanted"],
)
async def test_a_caller_that_stops_in_the_middle(sent: bytes) -> None:
    """A connection ends that owes the rest of a head or of a body."""
    async with served(SHORT) as port:
        await (await Caller.to(port, sent)).ends()


async def test_a_head_without_an_end() -> None:
    """A head of more than 16 KiB is refused, however quickly it comes, and its connection ends."""
    async with served(LONG) as port:
        caller = await Caller.to(port, b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: %s\r\n" % (b"a" * 1_000) * 17)
        assert not await caller.answered()
        await caller.ends()


async def test_an_answer_that_is_not_read() -> None:
    """A connection ends whose caller does not read what was sent."""
    state = ServerState()
    async with served(SHORT, state=state) as port, asyncio.timeout(SECONDS):
        caller = await Caller.to(port, b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
        read = len(await caller.reader.readexactly(8))  # the service serves it
        while state.connections:  # noqa: ASYNC110 - uvicorn tells nobody of an end
            await asyncio.sleep(0)
        try:
            while piece := await caller.reader.read(1 << 20):
                read += len(piece)
        except ConnectionError:
            pass
        caller.writer.close()
        assert read < len(LARGE)


async def test_a_call_in_time() -> None:
    """Whoever keeps the times is answered, call after call on one connection."""
    async with served(LONG) as port:
        caller = await Caller.to(port)
        for _ in range(3):
            caller.writer.write(WHOLE)
            assert await caller.answered()
            assert await asyncio.wait_for(caller.reader.readuntil(b"\r\n\r\n"), SECONDS)
        caller.writer.close()


async def test_more_half_heads_than_places() -> None:
    """However many wait without a head, or with half a body, a new caller finds a place and is answered."""
    half_a_body = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n"
    async with served(LONG) as port:
        held = [await Caller.to(port, sent) for sent in (HALF, half_a_body) * MOST * 3]
        caller = await Caller.to(port, WHOLE)
        assert await caller.answered()
        ended = [asyncio.ensure_future(one.ends()) for one in held[:-MOST]]
        await asyncio.wait_for(asyncio.gather(*ended), SECONDS)
        for one in (*held, caller):
            one.writer.close()


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    """A service's side of TLS."""
    authority = Authority.create(tmp_path, "ca")
    authority.issue("service")
    return server_context(TlsSettings(certificate=tmp_path / "service.pem", key=tmp_path / "service.key"))


def begun_handshake() -> bytes:
    """Return what a client sends first."""
    sent = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), sent, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0], ids=["not begun", "half a greeting", "a greeting and no more"])
async def test_a_handshake_that_does_not_end(tls: ssl.SSLContext, share: float) -> None:
    """A connection ends that owes its part of the handshake of TLS."""
    hello = begun_handshake()
    async with served(SHORT, tls=tls) as port:
        await (await Caller.to(port, hello[: int(len(hello) * share)])).ends()


async def test_more_handshakes_than_places(tls: ssl.SSLContext, tmp_path: Path) -> None:
    """However many wait within their handshake, a new caller finds a place and is answered."""
    trust = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    async with served(LONG, tls=tls) as port:
        held = [await Caller.to(port, begun_handshake()) for _ in range(MOST * 3)]
        caller = Caller(*await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port, ssl=trust), SECONDS))
        caller.writer.write(WHOLE)
        assert await caller.answered()
        ended = [asyncio.ensure_future(one.ends()) for one in held[:-MOST]]
        await asyncio.wait_for(asyncio.gather(*ended), SECONDS)
        for one in (*held, caller):
            one.writer.close()


async def test_a_handshake_that_ended_in_time() -> None:
    """The time for the handshake ends with it."""
    connections = Connections(MOST, SHORT)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert connections.open(ours)
        connections.limit_handshake(ours)
        connections.begin(ours.fileno())
        await asyncio.sleep(SHORT.head * 2)
        theirs.setblocking(False)  # noqa: FBT003 - the socket's own
        with pytest.raises(BlockingIOError):
            theirs.recv(1)


async def test_places_of_callers_who_are_known() -> None:
    """The call of somebody who is known gives way to nobody; where only such are left, a new one waits outside."""
    async with served(LONG, most=2) as port:
        known = await Caller.to(port, b"POST /known HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n123")
        others = [await Caller.to(port, WHOLE)]
        for _ in range(5):
            assert await others[-1].answered()
            others.append(await Caller.to(port, WHOLE))
        known.writer.write(b"456789")
        assert await known.answered()
        for one in (known, *others):
            one.writer.close()


def test_places_fit_into_the_files_that_may_be_open() -> None:
    """There are never more places than the process may have files."""
    assert 1 <= places_for(10) <= 10
    assert places_for(1 << 40) < 1 << 40
