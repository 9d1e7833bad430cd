"""Limits of connections: the time and the size of what they send, and how many of them are served at once.

uvicorn closes a connection that stands idle after an answer, and no other: one that sends half a head, or a body byte
by byte, or never reads its answer, stays for good. Here it gets this long:

- `Times.head` for the handshake of TLS, and again for a head, from the connection or from its first byte;
- `Times.body` for a body, and a second more for every `BYTES_A_SECOND` that came;
- `Times.write` until it has read what was sent, whenever more waits than the system takes;
- `Times.linger` to take the answer to a call whose body was not wanted.

In one turn of the event loop at most `QUEUE` connections are accepted, and `PIECE_BYTES` of a stranger's are read and
parsed. So a turn is short however fast strangers come, and a call, which takes some ten turns, is answered before its
connection is the oldest. No more than `QUEUE` wait to be accepted; whoever comes then is let in by the system when it
tries again, after a second. `Reader` parses short heads and bodies of a declared length alone, so that a piece costs
little whatever it holds. A caller who sends more than a piece of further calls before the answer to a call is cut off.

And there are so many at once. A new one beyond takes the place of the one that has waited longest without a caller who
is known: half heads, handshakes, idle connections and strangers' calls give way, and those of whoever showed a
session, the home's key or a party's signature do not. Those that give way are reset and closed at once. No more than
`CLOSING` of them are open still: until then no new connection is accepted, so that the number of open files follows
from the number of connections. What this does not do: count by address, since behind a proxy all callers share one.

Admission: every call runs in one event loop. Hundreds of strangers' calls that come at once would each take a step in
every turn of the loop, and a caller who comes then would wait for all of them at each of its own steps. Here at most
`AT_ONCE` calls are worked on at a time, and the others wait in the order in which they came; there are never more of
them than connections.

A call takes a place before it is looked at, and gives it back as soon as

- its caller is known (`mark_caller_known`): long calls of parties and persons hold none;
- it waits for its body: half a body holds none;
- its answer begins, or it ends.

Somebody else may have it from the next turn of the event loop on, so that few calls are worked on in one turn, also of
those that are answered at once.

`/health`, `/live` and `/ready` take none: programs that supervise the service have an answer while strangers wait.
"""

import asyncio
import contextlib
import resource
import socket
import struct
import threading
from asyncio import Semaphore, get_running_loop
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from h11 import DONE, IDLE, NEED_DATA, PAUSED, SEND_BODY, SERVER, Connection, Event, RemoteProtocolError, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from services.kit.work.threads import MOST_STRANGERS

BYTES_A_SECOND = 4_096
PIECE_BYTES = 16 << 10
"""Bytes that are read of a stranger's connection at a time; a head has no more."""
_LARGE_PIECE_BYTES = 256 << 10  # of a caller who is known: as many as asyncio reads
HEAD_LINES = 128
QUEUE = 64
"""Connections that wait to be accepted, and that are accepted in one turn of the event loop."""
CLOSING = 64
"""Connections that gave way and are not closed yet."""
_OTHER_FILES = 256  # what a service opens besides: connections that close, database, chunks, logs, workers
_RESET = struct.pack("ii", 1, 0)  # nothing is sent any more (SO_LINGER)
_CALLER = "aquila.caller"


@dataclass(frozen=True, slots=True)
class Times:
    """Time limits of a caller, in seconds; see the module."""

    head: float = 10.0
    body: float = 20.0
    write: float = 30.0
    linger: float = 2.0


class Link:
    """One connection, as `Connections` counts it."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket, self.number = connection, connection.fileno()
        self.abort: Callable[[], None] = partial(connection.shutdown, socket.SHUT_RDWR)
        self.timer: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        return self.socket.fileno() >= 0

    def reset(self) -> None:
        """Close it without sending what waits to be sent; the event loop closes its file within a turn or two."""
        with contextlib.suppress(OSError):  # it ended by itself
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.abort()


class Connections:
    """The connections of a listening socket, oldest first. Safe in threads, but for accepting and beginning."""

    def __init__(self, most: int, times: Times | None = None) -> None:
        self.times = times or Times()
        self._most = most
        self._lock = threading.Lock()
        self._beginning: dict[int, Link] = {}
        self._strangers: dict[Link, None] = {}
        self._known: dict[Link, None] = {}
        self._closing: list[Link] = []
        self._room = memoryview(bytearray(_LARGE_PIECE_BYTES))

    def may_accept(self) -> bool:
        """Return whether few enough connections that gave way are still open."""
        self._closing = [link for link in self._closing if link.is_open]
        return len(self._closing) < CLOSING

    def open(self, connection: socket.socket) -> bool:
        """Take a new connection, in place of another where there are too many; return whether there was a place.

        It ends unless it begins in time.
        """
        with self._lock:
            if len(self._strangers) + len(self._known) >= self._most and not self._make_room():
                return False
            link = Link(connection)
            self._strangers[link] = None
        # One that ended in its handshake may have left its number.
        self._beginning[link.number] = link
        link.timer = asyncio.get_running_loop().call_later(self.times.head, link.reset)
        return True

    def begin(self, transport: asyncio.Transport) -> Link:
        """Return the connection of a transport, whose handshake is over where it had one."""
        link = self._beginning.pop(transport.get_extra_info("socket").fileno())
        assert link.timer is not None
        link.timer.cancel()
        link.abort = transport.abort
        return link

    def room(self, link: Link) -> memoryview:
        """Return where the next piece of a connection is read to; it is taken before that of another is read."""
        return self._room if link in self._known else self._room[:PIECE_BYTES]

    def know(self, link: Link) -> None:
        """Note that somebody who is known calls on a connection."""
        self._move(link, self._strangers, self._known)

    def forget(self, link: Link) -> None:
        """Note that a call is over: the connection is a stranger's, and the youngest of them."""
        self._move(link, self._known, self._strangers)

    def close(self, link: Link) -> None:
        with self._lock:
            self._strangers.pop(link, None)
            self._known.pop(link, None)

    def _move(self, link: Link, source: dict[Link, None], target: dict[Link, None]) -> None:
        with self._lock:
            if link in source or link in target:
                source.pop(link, None)
                target.pop(link, None)
                target[link] = None

    def _make_room(self) -> bool:
        """Let go of those that ended in their handshake, or reset the oldest stranger's."""
        for held in (self._strangers, self._known):
            for link in [link for link in held if not link.is_open]:
                del held[link]
        if len(self._strangers) + len(self._known) < self._most:
            return True
        oldest = next(iter(self._strangers), None)
        if oldest is None:
            return False
        del self._strangers[oldest]
        oldest.reset()
        self._closing.append(oldest)
        return True


class Listener(socket.socket):
    """A listening socket whose connections are bounded."""

    connections: Connections

    def accept(self) -> tuple[socket.socket, Any]:
        """Take the next connection for which there is a place.

        Raises:
            BlockingIOError: There is none, or those that gave way have to be closed first.
        """
        while self.connections.may_accept():
            connection, address = super().accept()
            if self.connections.open(connection):
                return connection, address
            connection.close()
        raise BlockingIOError


class Reader(Connection):
    """h11's side of a service, which reads short heads, and bodies of a declared length alone.

    A body in chunks costs a step for each of them, which may hold a byte. So nothing is read behind a head that
    announces one; the call is refused (`services.kit.serving.application`), and its connection ends.
    """

    def __init__(self) -> None:
        super().__init__(SERVER, PIECE_BYTES)
        self._is_over = False

    def receive_data(self, data: bytes) -> None:
        if not self._is_over:
            super().receive_data(data)

    def next_event(self) -> type[NEED_DATA | PAUSED] | Event:
        """Return the next part of a call."""
        if self._is_over:
            return NEED_DATA
        if self.their_state is IDLE:
            head = self.waiting.partition(b"\r\n\r\n")[0]
            if len(head) > PIECE_BYTES or head.count(b"\n") >= HEAD_LINES:
                raise RemoteProtocolError("the head is too long", error_status_hint=431)
        event = super().next_event()
        if isinstance(event, Request):
            self._is_over = any(name == b"transfer-encoding" for name, _ in event.headers)
        return event

    @property
    def waiting(self) -> bytes:
        """Return the bytes that came and are not parsed yet."""
        return self.trailing_data[0]


class BoundedProtocol(H11Protocol, asyncio.BufferedProtocol):
    """uvicorn's protocol with the limits of this module."""

    def __init__(self, connections: Connections, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn: Reader = Reader()
        self._connections = connections
        self._times = connections.times
        self._link: Link
        self._doing: object = None
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._link = self._connections.begin(transport)
        self._wait(IDLE, self._times.head)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.close(self._link)
        self._stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's own
        return self._connections.room(self._link)

    def buffer_updated(self, nbytes: int) -> None:
        """Take a piece, unless the connection is being closed: TLS is read until its other side agrees."""
        if not self.transport.is_closing():
            self.data_received(bytes(self._connections.room(self._link)[:nbytes]))

    def data_received(self, data: bytes) -> None:
        """Take what came, and give a body the time that it earns."""
        super().data_received(data)
        if self.conn.their_state is DONE and len(self.conn.waiting) > PIECE_BYTES:
            self.transport.abort()  # more calls before the answer to this one
            return
        self._look()
        if self._doing is SEND_BODY and not self._answered:
            self._until += len(data) / BYTES_A_SECOND

    def handle_events(self) -> None:
        """Have a call report when its caller is known."""
        super().handle_events()
        if self.scope is not None:
            self.scope.setdefault("extensions", {})[_CALLER] = {"note": self._know, "gone": self.transport.is_closing}

    def on_response_complete(self) -> None:
        """Begin to wait for the next head, or for the end of a body that was not wanted."""
        self._connections.forget(self._link)
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self._wait_until_read()
        self._look()

    def pause_writing(self) -> None:
        """Begin to wait until what was sent is read."""
        super().pause_writing()
        self._wait_until_read()

    def resume_writing(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None
        super().resume_writing()

    @property
    def _answered(self) -> bool:
        cycle: Any = self.cycle  # none before the first call, whatever uvicorn declares
        return cycle is not None and bool(cycle.response_complete)

    def _wait_until_read(self) -> None:
        if self._writing is None:
            self._writing = self.loop.call_later(self._times.write, self._abort_unread)

    def _abort_unread(self) -> None:
        self._writing = None
        if self.transport.get_write_buffer_size():
            self._link.reset()

    def _know(self) -> None:
        self._connections.know(self._link)

    def _look(self) -> None:
        """Set the time for what the caller owes now: the rest of a head or of a body, or nothing."""
        owed = self.conn.their_state
        if owed is SEND_BODY:
            if self._doing is not SEND_BODY:
                self._wait(SEND_BODY, self._times.body)
            if self._answered:
                self._until = min(self._until, self.loop.time() + self._times.linger)
                self._arm()
        elif owed is not IDLE:
            self._stop_waiting()
        elif self._doing is not IDLE and self.timeout_keep_alive_task is None:
            self._wait(IDLE, self._times.head)

    def _wait(self, doing: object, seconds: float) -> None:
        self._doing, self._until = doing, self.loop.time() + seconds
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_at(self._until, self._give_up)

    def _stop_waiting(self) -> None:
        self._doing = DONE
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        """Break the connection, unless its time was extended, or this side has stopped reading."""
        if self.flow.read_paused and not self._answered:
            self._until = self.loop.time() + self._times.body
        if self.loop.time() < self._until:
            self._arm()
        else:
            self.transport.abort()


def places_for(wanted: int) -> int:
    """Return the number of connections that fit into the process's limit of open files, after raising that limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return wanted if most == resource.RLIM_INFINITY else max(1, min(wanted, most - _OTHER_FILES))


def mark_caller_known(scope: Scope) -> None:
    """Note that a call's caller is known: its connection does not give way to a stranger's."""
    caller = scope.get("extensions", {}).get(_CALLER)
    if caller is not None:
        caller["note"]()


def when_known(scope: Scope, tell: Callable[[], None]) -> Scope:
    """Return the scope of a call that also calls `tell` when its caller is known."""
    extensions = scope.get("extensions", {})
    caller = extensions.get(_CALLER, {})

    def note() -> None:
        tell()
        if "note" in caller:
            caller["note"]()

    return {**scope, "extensions": {**extensions, _CALLER: {**caller, "note": note}}}


def is_gone(scope: Scope) -> bool:
    """Return whether the caller of a call has left, as far as the connection knows."""
    caller = scope.get("extensions", {}).get(_CALLER)
    return caller is not None and bool(caller["gone"]())


AT_ONCE = MOST_STRANGERS + 8
"""More than can wait for a password or the provider at a time: sign-ins that take long leave places to others."""

PROBES = frozenset({"/health", "/live", "/ready"})
"""The calls of programs that supervise a service."""


class Admission:
    """The layer that limits how many calls of strangers are worked on at once."""

    def __init__(self, app: ASGIApp, at_once: int = AT_ONCE) -> None:
        self._app = app
        self._places = Semaphore(at_once)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        place = _Place(self._places)
        await place.acquire()
        try:
            if not is_gone(scope):
                await self._app(when_known(scope, place.leave), place.receiving(receive), place.sending(send))
        finally:
            place.leave()


class _Place:
    """The place of one call."""

    def __init__(self, places: Semaphore) -> None:
        self._places = places
        self._held = self._left = False

    async def acquire(self) -> None:
        """Wait for a place; a call that has left needs none."""
        if not self._left:
            await self._places.acquire()
            self._held = True

    def leave(self) -> None:
        """Give the place back for good."""
        self._left = True
        self._give_back()

    def receiving(self, receive: Receive) -> Receive:
        """Return the call's `receive`, which holds no place while it waits."""

        async def waiting() -> Message:
            self._give_back()
            message = await receive()
            await self.acquire()
            return message

        return waiting

    def sending(self, send: Send) -> Send:
        """Return the call's `send`, which gives the place back as the answer begins."""

        async def answering(message: Message) -> None:
            self.leave()
            await send(message)

        return answering

    def _give_back(self) -> None:
        if self._held:
            self._held = False
            get_running_loop().call_soon(self._places.release)
