"""A stranger wants to hold every connection: each gets little time, and gives way to the next one."""

import asyncio
import socket
import ssl
from pathlib import Path

import pytest
from uvicorn.server import ServerState

from services.kit.http.connections import CLOSING, Connections, places_for
from services.kit.http.tls import server_context
from services.kit.settings import TlsSettings
from tests.support.authority import Authority
from tests.support.raw_calls import HALF, LARGE, LONG, MOST, SECONDS, SHORT, WHOLE, Caller, served


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"G",
        HALF,
        WHOLE + HALF,
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\na",
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
        while state.connections:
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
    connections = Connections(MOST, SHORT)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert connections.open(ours)
        timer = connections.begin(asyncio.Transport({"socket": ours})).timer
        assert timer is not None
        assert timer.cancelled()


async def test_connections_that_are_not_read() -> None:
    """Those that give way are closed at once, also if the service has stopped to read them: files stay few."""
    state = ServerState()
    body = b"POST /hold HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n" + bytes(1 << 18)
    async with served(LONG, state=state) as port, asyncio.timeout(SECONDS):
        callers = [await Caller.to(port, body) for _ in range(MOST * 3)]
        while len(state.connections) > MOST:
            await asyncio.sleep(0)
        for caller in callers:
            caller.writer.close()


async def test_more_new_connections_than_old_ones_are_closed() -> None:
    """Nobody is accepted before those who gave way are closed, so that the files that are open have a bound."""
    connections = Connections(MOST, LONG)
    pairs = [socket.socketpair() for _ in range(MOST + CLOSING)]
    for ours, _ in pairs:
        assert connections.may_accept()
        assert connections.open(ours)
    assert not connections.may_accept()
    pairs[0][0].close()
    assert connections.may_accept()
    for pair in pairs:
        for one in pair:
            one.close()


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
