"""Admission control: how many calls of strangers a service works on at once, so that its event loop stays free.

Every call runs in one event loop. Hundreds of strangers' calls that come at once would each take a step in every turn
of the loop, and whoever comes then would wait for all of them at each of its own steps. Here at most `AT_ONCE` calls
are worked on at a time, and the others wait in the order in which they came; there are never more of them than
connections.

A call takes a place before it is looked at, and gives it back as soon as

- its caller is known (`mark_caller_known`): long calls of parties and persons hold none;
- it waits for its body: half a body holds none;
- its answer begins, or it ends.

Somebody else may have it from the next turn of the event loop on, so that few calls are worked on in one turn, also of
those that are answered at once.

`/health`, `/live` and `/ready` take none: programs that supervise the service have an answer while strangers wait.
"""

from __future__ import annotations

from asyncio import Semaphore, get_running_loop

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kit.http.connections import is_gone, when_known
from services.kit.work.threads import MOST_STRANGERS

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
        """Serve a call when it has a place, unless its caller has left meanwhile."""
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
