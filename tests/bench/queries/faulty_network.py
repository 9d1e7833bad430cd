"""A TCP proxy that delays, breaks and throttles the connections that go through it.

It stands in for a bad network where the system cannot simulate one. It runs in a thread with an event loop of its own
and looks at no byte that it carries.
"""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from random import Random
from typing import Self

_PIECE_BYTES = 1 << 14
_BREAKS_WITHIN = 1 << 15
_BACKLOG_PIECES = 256


@dataclass(frozen=True, slots=True)
class NetworkFaults:
    """Faults of a network, for each connection.

    Attributes:
        delay: Seconds that each byte is under way, in each direction; a new connection takes it twice.
        broken_share: The share of connections that break off, at a random place of their first 32 KiB.
        bytes_per_second: Bytes of one connection and direction; None for as many as come.
    """

    delay: float = 0.0
    broken_share: float = 0.0
    bytes_per_second: int | None = None


class FaultyNetwork:
    """The proxy in front of one address. A `with` block runs it."""

    def __init__(self, target_port: int, trouble: NetworkFaults, seed: int = 1) -> None:
        self.port = self.connections = self.broken = 0
        self._target_port = target_port
        self._trouble = trouble
        self._random = Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="faulty network", daemon=True)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        """Break every connection and stop."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def change(self, trouble: NetworkFaults) -> None:
        """Break every connection, and let other things happen to those that come."""
        self._run(self._change(trouble))

    def _run(self, work: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _change(self, trouble: NetworkFaults) -> None:
        self._trouble = trouble
        await self._break_all()

    async def _end(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._break_all()

    async def _break_all(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = self._loop.create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, near_reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        """Carry one connection until either end closes it, or it breaks."""
        breaks = self._random.random() < self._trouble.broken_share
        budget = _Budget(self._random.randrange(_BREAKS_WITHIN) if breaks else None)
        far: asyncio.StreamWriter | None = None
        is_broken = True
        try:
            await asyncio.sleep(2 * self._trouble.delay)
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._target_port)
            ways = (
                self._loop.create_task(self._one_way(near_reader, far, budget)),
                self._loop.create_task(self._one_way(far_reader, near, budget)),
            )
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
            is_broken = budget.is_spent
        except OSError:
            is_broken = False  # nobody listens at the target: the connection ends, as it would there
        finally:
            self.broken += budget.is_spent
            for writer in (near, far):
                if writer is not None:
                    _end_of(writer, at_once=is_broken)

    async def _one_way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, budget: "_Budget") -> None:
        """Carry one direction: what is under way at the same time does not wait for what came before it."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_BACKLOG_PIECES)
        leaving = self._loop.create_task(self._depart(reader, under_way))
        arriving = self._loop.create_task(self._deliver(under_way, writer, budget))
        try:
            await arriving
        finally:
            for task in (leaving, arriving):
                task.cancel()
            await asyncio.gather(leaving, arriving, return_exceptions=True)

    async def _depart(self, reader: asyncio.StreamReader, under_way: asyncio.Queue[tuple[float, bytes]]) -> None:
        """Put what is sent on its way, and an empty piece behind the last."""
        piece = b"-"
        while piece:
            try:
                piece = await reader.read(_PIECE_BYTES)
            except OSError:
                piece = b""  # a side that breaks off has nothing more to send
            await under_way.put((self._loop.time() + self._trouble.delay, piece))

    async def _deliver(
        self, under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter, budget: "_Budget"
    ) -> None:
        """Hand over what arrives, until the last piece or the break."""
        while True:
            at, piece = await under_way.get()
            await asyncio.sleep(at - self._loop.time())
            if not piece or not budget.take(len(piece)):
                return
            writer.write(piece)
            await writer.drain()
            if self._trouble.bytes_per_second is not None:
                await asyncio.sleep(len(piece) / self._trouble.bytes_per_second)


class _Budget:
    """The bytes after which a connection breaks, in both directions together; None for never."""

    def __init__(self, left: int | None) -> None:
        self._left = left
        self.is_spent = False

    def take(self, count: int) -> bool:
        """Count bytes, and return whether the connection still carries them."""
        if self._left is not None:
            self._left -= count
            self.is_spent = self._left < 0
        return not self.is_spent


def _end_of(writer: asyncio.StreamWriter, *, at_once: bool) -> None:
    """Close a connection, or break it so that the other side notices at once."""
    if at_once:
        writer.transport.abort()
    else:
        with contextlib.suppress(OSError):
            writer.close()
