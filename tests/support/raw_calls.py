"""A small application served on loopback with a service's limits of connections, and callers who send raw bytes."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from services.kit.http.connections import BoundedProtocol, Connections, Listener, Times, is_gone, mark_caller_known
from services.kit.serving.application import DeclaredLengths

SHORT = Times(head=0.05, body=0.05, write=0.05, linger=0.05)
LONG = Times(head=600, body=600, write=600, linger=600)
SECONDS = 30.0
MOST = 4
HALF = b"GET / HTTP/1.1\r\nhost: x\r\n"
WHOLE = HALF + b"\r\n"
LARGE = bytes(1 << 24)  # more than the system keeps for a reader who does not read


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a call: `/known` is somebody's, `/large` sends much, `/no` reads no body, `/hold` does not even answer."""
    assert scope["type"] == "http"
    if scope["path"] == "/hold":
        while not is_gone(scope):
            await asyncio.sleep(0)
        return
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
    times: Times,
    most: int = MOST,
    state: ServerState | None = None,
    tls: ssl.SSLContext | None = None,
    protocol: type[BoundedProtocol] = BoundedProtocol,
) -> AsyncIterator[int]:
    """Serve the application on a port of loopback."""
    idle = 600 if times is LONG else 0
    config = uvicorn.Config(
        DeclaredLengths(app), log_config=None, http="h11", ws="none", lifespan="off", timeout_keep_alive=idle
    )
    connections, state = Connections(most, times), state or ServerState()
    listener = Listener(socket.AF_INET, socket.SOCK_STREAM)
    listener.connections = connections
    listener.bind(("127.0.0.1", 0))
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol(connections, config=config, server_state=state, app_state={}), sock=listener, ssl=tls
    )
    try:
        yield listener.getsockname()[1]
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()  # type: ignore[union-attr]  # it is of the kind above
        await asyncio.gather(*state.tasks)
        await server.wait_closed()


class Caller:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, port: int, sent: bytes = b"") -> "Caller":
        made = cls(*await asyncio.open_connection("127.0.0.1", port))
        made.writer.write(sent)
        await made.writer.drain()
        return made

    async def status(self) -> int:
        """Wait for the first line of an answer; 0 where the connection ends without."""
        try:
            line = await asyncio.wait_for(self.reader.readline(), SECONDS)
        except ConnectionError:
            return 0
        return int(line.split()[1]) if line.startswith(b"HTTP/1.1 ") else 0

    async def answered(self) -> bool:
        """Wait for the first line of an answer; False where the connection ends without."""
        return await self.status() == HTTPStatus.OK

    async def ends(self) -> None:
        """Wait until the other side ends the connection."""
        try:
            while await asyncio.wait_for(self.reader.read(1 << 16), SECONDS):
                pass
        except ConnectionError:
            pass
        self.writer.close()
