"""A stranger sends what costs a step for each of many small pieces: few are parsed, and not all at once."""

import asyncio
import json
import ssl
from pathlib import Path

import pytest

from services.kit.http.connections import HEAD_LINES, PIECE_BYTES, BoundedProtocol
from services.kit.http.tls import server_context
from services.kit.settings import TlsSettings
from tests.support.authority import Authority
from tests.support.raw_calls import HALF, LONG, SECONDS, WHOLE, Caller, served

CHUNKED = b"POST /%s HTTP/1.1\r\nhost: x\r\ntransfer-encoding: %s\r\n\r\n"
BYTES_IN_CHUNKS = b"1\r\na\r\n" * 100_000


@pytest.mark.parametrize("coding", [b"chunked", b"Chunked", b"chunked\r\ncontent-length: 9"])
@pytest.mark.parametrize("path", [b"", b"no", b"known"])
async def test_a_chunk_for_every_byte(path: bytes, coding: bytes) -> None:
    """A body in chunks is refused by its head, also from a caller who is known, and nothing behind it is parsed."""
    async with served(LONG) as port:
        caller = await Caller.to(port, CHUNKED % (path, coding))
        assert await caller.status() == 411
        head = await asyncio.wait_for(caller.reader.readuntil(b"\r\n\r\n"), SECONDS)
        assert b"connection: close" in head
        problem = json.loads(await asyncio.wait_for(caller.reader.read(), SECONDS))  # to the end of the connection
        assert problem["type"] == "urn:aquila:problem:length-required"
        caller.writer.close()


async def test_chunks_of_many_callers_at_once() -> None:
    """What they send is thrown away, and somebody else is answered."""
    async with served(LONG, most=100) as port:
        callers = [await Caller.to(port) for _ in range(50)]
        for caller in callers:
            caller.writer.write(CHUNKED % (b"", b"chunked") + BYTES_IN_CHUNKS)
        other = await Caller.to(port, WHOLE)
        assert await other.answered()
        for caller in callers:
            await caller.ends()
        other.writer.close()


async def test_a_coding_that_nobody_knows() -> None:
    """It is no HTTP that is read here."""
    async with served(LONG) as port:
        caller = await Caller.to(port, CHUNKED % (b"", b"gzip, chunked"))
        assert await caller.status() == 400
        await caller.ends()


@pytest.mark.parametrize(("lines", "status"), [(HEAD_LINES - 2, 200), (HEAD_LINES - 1, 400)])
async def test_a_head_of_many_lines(lines: int, status: int) -> None:
    """A head has no more than so many lines, with that of the call and that of the host."""
    async with served(LONG) as port:
        caller = await Caller.to(port, HALF + b"a:\r\n" * lines + b"\r\n")
        assert await caller.status() == status
        caller.writer.close()


async def test_a_head_of_many_lines_behind_an_answered_call() -> None:
    """No way leads around: not behind another call, nor behind a body that was not wanted."""
    long = HALF + b"a:\r\n" * HEAD_LINES + b"\r\n"
    body = b"POST /no HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n"
    for first, rest in ((WHOLE + long, b""), (body, b"123456789" + long)):
        async with served(LONG) as port:
            caller = await Caller.to(port, first)
            assert await caller.status() == 200
            caller.writer.write(rest)
            assert (await asyncio.wait_for(caller.reader.read(), SECONDS)).count(b"HTTP/1.1 400") == 1
            caller.writer.close()


async def test_a_large_head_that_comes_at_once() -> None:
    """A head with all its lines is refused like half a one if it is too large."""
    async with served(LONG) as port:
        caller = await Caller.to(port, HALF + b"a: %s\r\n" % (b"a" * 1_000) * 17 + b"\r\n")
        assert await caller.status() == 400
        await caller.ends()


async def test_calls_ahead_of_the_answer() -> None:
    """A few calls may be sent; a caller who sends more than a piece of them is cut off."""
    async with served(LONG) as port:
        caller = await Caller.to(port, WHOLE * 3)
        for _ in range(3):
            assert await caller.answered()
            await asyncio.wait_for(caller.reader.readuntil(b"\r\n\r\n"), SECONDS)
        caller.writer.write(b"GET /known HTTP/1.1\r\nhost: x\r\n\r\n" + WHOLE * (2 * PIECE_BYTES // len(WHOLE)))
        await caller.ends()


@pytest.mark.parametrize("over_tls", [False, True])
async def test_pieces_of_strangers_are_small(tmp_path: Path, *, over_tls: bool) -> None:
    """However much comes at once, a step of the event loop takes one small piece of it, until it is known who calls."""
    taken: list[int] = []

    class Watched(BoundedProtocol):
        def data_received(self, data: bytes) -> None:
            taken.append(len(data))
            super().data_received(data)

    authority = Authority.create(tmp_path, "ca")
    authority.issue("service")
    tls = server_context(TlsSettings(certificate=tmp_path / "service.pem", key=tmp_path / "service.key"))
    trust = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    async with served(LONG, tls=tls if over_tls else None, protocol=Watched) as port:
        for path, is_small in ((b"/", True), (b"/known", False)):
            taken.clear()
            connected = await asyncio.open_connection("127.0.0.1", port, ssl=trust if over_tls else None)
            caller = Caller(*connected)
            caller.writer.write(b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: 4000000\r\n\r\n" % path)
            caller.writer.write(bytes(4_000_000))
            assert await caller.answered()
            assert (max(taken) <= PIECE_BYTES) is is_small
            caller.writer.close()
