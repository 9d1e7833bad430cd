"""Limits of connections: time for heads, bodies and answers, and how many there are at once.

uvicorn closes a connection that stands idle after an answer, and no other: one that sends half a head, or a body byte
by byte, or never reads its answer, stays for good. Here it gets this long:

- `Times.head` for the handshake of TLS, and again for a head, from the connection or from its first byte;
- `Times.body` for a body, and a second more for every `BYTES_A_SECOND` that came;
- `Times.write` until it has read what was sent, whenever more waits than the system takes;
- `Times.linger` to take the answer to a call whose body was not wanted.

And there are so many at once. A new one beyond takes the place of the one that has waited longest without a caller who
is known: half heads, handshakes, idle connections and strangers' calls give way, and those of whoever showed a
session, the home's key or a party's signature do not. What this does not do: count by address, since behind a proxy all
callers share one.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from h11 import DONE, IDLE, SEND_BODY
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Scope

BYTES_A_SECOND = 4_096
_OTHER_FILES = 256  # what a service opens besides: database, chunks, logs, workers
_CALLER = "aquila.caller"


@dataclass(frozen=True, slots=True)
class Times:
    """Time limits of a caller, in seconds; see the module."""

    head: float = 10.0
    body: float = 20.0
    write: float = 30.0
    linger: float = 2.0


class Connections:
    """The connections of a listening socket, oldest first. Safe in threads."""

    def __init__(self, most: int, times: Times | None = None) -> None:
        """Bound them.

        Args:
            most: How many there may be at once.
            times: How long their callers may take.
        """
        self.times = times or Times()
        self._most = most
        self._lock = threading.Lock()
        self._strangers: dict[int, socket.socket] = {}
        self._known: dict[int, socket.socket] = {}
        self._handshakes: dict[int, asyncio.TimerHandle] = {}

    def open(self, connection: socket.socket) -> bool:
        """Take a new connection, in place of another where there are too many; return whether there was a place."""
        with self._lock:
            if len(self._strangers) + len(self._known) >= self._most and not self._make_room():
                return False
            # One that ended in its handshake may have left the number, and its place in the order.
            self._strangers.pop(connection.fileno(), None)
            self._strangers[connection.fileno()] = connection
            return True

    def limit_handshake(self, connection: socket.socket) -> None:
        """Break a new connection unless it begins in time; to be called in the event loop's thread."""
        self.begin(connection.fileno())
        self._handshakes[connection.fileno()] = asyncio.get_running_loop().call_later(
            self.times.head, _break, connection
        )

    def begin(self, number: int) -> None:
        """Note that a connection's handshake is over, where it had one."""
        timer = self._handshakes.pop(number, None)
        if timer is not None:
            timer.cancel()

    def know(self, number: int) -> None:
        """Note that somebody who is known calls on a connection, by its number."""
        self._move(number, self._strangers, self._known)

    def forget(self, number: int) -> None:
        """Note that a call is over: the connection is a stranger's, and the youngest of them."""
        self._move(number, self._known, self._strangers)

    def close(self, number: int) -> None:
        """Note that a connection has ended."""
        with self._lock:
            self._strangers.pop(number, None)
            self._known.pop(number, None)

    def _move(self, number: int, source: dict[int, socket.socket], target: dict[int, socket.socket]) -> None:
        with self._lock:
            connection = source.pop(number, None) or target.pop(number, None)
            if connection is not None:
                target[number] = connection

    def _make_room(self) -> bool:
        """Let go of those that ended in their handshake, or break the oldest stranger's."""
        for held in (self._strangers, self._known):
            for number in [number for number, connection in held.items() if connection.fileno() != number]:
                del held[number]
        if len(self._strangers) + len(self._known) < self._most:
            return True
        oldest = next(iter(self._strangers), None)
        if oldest is None:
            return False
        _break(self._strangers.pop(oldest))
        return True


class Listener(socket.socket):
    """A listening socket whose connections are bounded."""

    connections: Connections

    def accept(self) -> tuple[socket.socket, Any]:
        """Take the next connection for which there is a place."""
        while True:
            connection, address = super().accept()
            if self.connections.open(connection):
                self.connections.limit_handshake(connection)
                return connection, address
            connection.close()


class BoundedProtocol(H11Protocol):
    """uvicorn's protocol with the limits of this module."""

    def __init__(self, connections: Connections, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*args, **kwargs)
        self._connections = connections
        self._times = connections.times
        self._number = -1
        self._doing: object = None
        self._until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._number = transport.get_extra_info("socket").fileno()
        self._connections.begin(self._number)
        self._wait(IDLE, self._times.head)

    def connection_lost(self, exc: Exception | None) -> None:
        """End every wait."""
        self._connections.close(self._number)
        self._stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, and give a body the time that it earns."""
        super().data_received(data)
        self._look()
        if self._doing is SEND_BODY and not self._answered:
            self._until += len(data) / BYTES_A_SECOND

    def handle_events(self) -> None:
        """Have a call report when its caller is known."""
        super().handle_events()
        if self.scope is not None:
            self.scope.setdefault("extensions", {})[_CALLER] = {
                "note": self._know,
                "gone": self.transport.is_closing,
            }

    def on_response_complete(self) -> None:
        """Begin to wait for the next head, or for the end of a body that was not wanted."""
        self._connections.forget(self._number)
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self._wait_until_read()
        self._look()

    def pause_writing(self) -> None:
        """Begin to wait until what was sent is read."""
        super().pause_writing()
        self._wait_until_read()

    def resume_writing(self) -> None:
        """Go on."""
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
            self.transport.abort()

    def _know(self) -> None:
        self._connections.know(self._number)

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
        """Break the connection, unless the time was extended meanwhile or it is we who do not read."""
        if self.flow.read_paused and not self._answered:
            self._until = self.loop.time() + self._times.body
        if self.loop.time() < self._until:
            self._arm()
        else:
            self.transport.abort()


def _break(connection: socket.socket) -> None:
    """Break a connection; its server notices the end, and closes it."""
    with contextlib.suppress(OSError):  # it ended by itself
        connection.shutdown(socket.SHUT_RDWR)


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
