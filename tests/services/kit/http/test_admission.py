"""Admission control: how many calls of strangers are worked on at once, and which calls hold no place."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from services.kit.http.connections import AT_ONCE, Admission, mark_caller_known
from services.kit.work.threads import MOST_STRANGERS

SECONDS = 30.0
TURNS = 20  # of the event loop: more than a call takes to get where it waits


class Service:
    def __init__(self) -> None:
        self.entered: list[str] = []
        self.over = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        self.entered.append(path)
        if path.startswith("/known"):
            mark_caller_known(scope)
        elif path.startswith("/body"):
            await receive()
        elif path.startswith("/answer"):
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.over.wait()


@pytest.fixture
async def service() -> Service:
    return Service()


def call(admission: Admission, path: str, **extension: Callable[[], Any]) -> asyncio.Task[None]:
    """Begin a call whose body does not come and whose answer is read."""

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(_message: Message) -> None:
        pass

    scope: Scope = {"type": "http", "path": path}
    if extension:
        scope["extensions"] = {"aquila.caller": extension}
    return asyncio.ensure_future(admission(scope, receive, send))


async def settle() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


async def test_calls_beyond_the_places_wait_in_their_order(service: Service) -> None:
    """As many calls are worked on as there are places; when one ends, the one that came next has its place."""
    admission = Admission(service, at_once=2)
    calls = [call(admission, f"/{number}") for number in range(5)]
    await settle()
    assert service.entered == ["/0", "/1"]
    calls[1].cancel()
    await settle()
    assert service.entered == ["/0", "/1", "/2"]
    service.over.set()
    await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), SECONDS)
    assert service.entered == [f"/{number}" for number in range(5)]


async def test_calls_that_end_at_once_are_served_in_turns(service: Service) -> None:
    """A place that is given back is free in the next turn of the event loop, also if a call waits for nothing."""
    service.over.set()
    admission = Admission(service, at_once=2)
    calls = [call(admission, f"/{number}") for number in range(5)]
    await asyncio.sleep(0)
    assert service.entered == ["/0", "/1"]
    await asyncio.wait_for(asyncio.gather(*calls), SECONDS)
    assert service.entered == [f"/{number}" for number in range(5)]


def test_sign_ins_leave_places_to_others() -> None:
    """More calls are worked on than can wait for a password or the provider (OPERATIONS has the number)."""
    assert AT_ONCE == 24
    assert AT_ONCE > MOST_STRANGERS


async def test_health_waits_for_nobody(service: Service) -> None:
    """Whoever supervises the service is answered while every place is held; so is what is no call."""
    admission = Admission(service, at_once=1)
    calls = [call(admission, path) for path in ("/a", "/b", "/health", "/live", "/ready")]
    await settle()
    assert service.entered == ["/a", "/health", "/live", "/ready"]
    service.over.set()
    await asyncio.wait_for(asyncio.gather(*calls), SECONDS)
    await admission({"type": "lifespan"}, None, None)  # type: ignore[arg-type]  # nothing is received or sent
    assert service.entered[-1] == ""


@pytest.mark.parametrize("path", ["/known", "/body", "/answer"])
async def test_calls_that_hold_no_place(service: Service, path: str) -> None:
    """A known caller, a call that waits for its body and one whose answer has begun leave their places to others."""
    admission = Admission(service, at_once=1)
    calls = [call(admission, f"{path}/{number}") for number in range(5)]
    calls.append(call(admission, "/stranger"))
    await settle()
    assert len(service.entered) == 6
    for one in calls:
        one.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


async def test_a_body_that_came() -> None:
    """With its body a call needs a place again, unless its caller has become known meanwhile."""
    noted: list[str] = []
    arrived = asyncio.Event()

    async def app(scope: Scope, receive: Receive, _send: Send) -> None:
        if scope["path"] == "/holder":
            await arrived.wait()
            return
        await receive()
        noted.append("read")
        mark_caller_known(scope)
        await receive()
        noted.append("read on")

    async def receive() -> Message:
        await arrived.wait()
        return {"type": "http.request", "body": b""}

    async def send(_message: Message) -> None:
        pass

    admission = Admission(app, at_once=1)
    told = {"note": lambda: noted.append("known"), "gone": bool}
    scope: Scope = {"type": "http", "path": "/", "extensions": {"aquila.caller": told}}
    reading = asyncio.ensure_future(admission(scope, receive, send))
    holder = call(admission, "/holder")
    await settle()
    assert noted == []
    arrived.set()
    await asyncio.wait_for(asyncio.gather(reading, holder), SECONDS)
    assert noted == ["read", "known", "read on"]


async def test_a_caller_who_left_while_waiting(service: Service) -> None:
    admission = Admission(service, at_once=1)
    holder = call(admission, "/holder")
    left = call(admission, "/left", gone=lambda: True)
    here = call(admission, "/here", gone=lambda: False)
    await settle()
    service.over.set()
    await asyncio.wait_for(asyncio.gather(holder, left, here), SECONDS)
    assert service.entered == ["/holder", "/here"]
