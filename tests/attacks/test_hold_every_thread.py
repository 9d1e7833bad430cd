"""A stranger wants to hold every thread, so that nobody else is served: no call waits in the pool that it needs."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from inspect import isasyncgenfunction, iscoroutinefunction
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio import to_thread
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from aquila.audit.roles import Role, role_table
from aquila.crypto.keys import IdentityKey
from clients.web.wiring import InProcessTransport
from services.kit.http.routing import ServiceRoute
from services.kit.http.signatures import CallSigner
from services.kit.people.context import People
from services.kit.people.oidc import Provider
from services.kit.people.passwords import Passwords
from services.kit.people.permissions import Permission
from services.kit.settings import ProviderSettings
from services.kit.storage.files import write_secret
from services.kit.work import threads
from services.kit.work.threads import Pool
from tests.support.people import signed_in
from tests.support.signed_calls import is_signed_call
from tests.support.web_world import ServedPages

SECONDS = 30.0  # far more than a call takes, and less than a test may
ISSUER = "https://sso.example"
AT_ONCE = 60  # more than the forty threads of the default pool
NAMED = {"party": "AL", "person": "p-000000000000", "session_id": "0" * 16, "name": "x"}


def routes_of(app: Any) -> Iterator[Any]:
    yield from iter_route_contexts(app.routes)


def path_of(route: Any) -> str:
    return re.sub(r"{(\w+)(?::\w+)?}", lambda found: NAMED.get(found[1], "0" * 32), route.path)


def people_of(place: ServedPages) -> People:
    people = place.app._service.state.door.people
    assert people is not None
    return people  # type: ignore[no-any-return]


def somebody(place: ServedPages) -> str:
    """Return the token of a session of somebody who has every role."""
    people = people_of(place)
    return signed_in(people, "ana", *role_table().roles_of(people.service))


@pytest.fixture(params=["node", "matcher"])
def place(request: pytest.FixtureRequest) -> ServedPages:
    """Each of both services."""
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


@pytest.fixture
async def no_default_threads() -> AsyncIterator[None]:
    """The pool in which a framework runs plain handlers is held by somebody else."""
    limiter = to_thread.current_default_thread_limiter()
    limiter.total_tokens = 1
    await limiter.acquire_on_behalf_of(limiter)
    yield
    limiter.release_on_behalf_of(limiter)


def test_no_handler_and_no_dependency_runs_in_the_default_pool(place: ServedPages) -> None:
    """Every route of a service is of its own kind; on pages, every handler says in which threads it waits."""
    for route in routes_of(place.app._service):
        assert isinstance(route.original_route, ServiceRoute), route.path
        assert plain_calls(route.dependant) == [], route.path
    for route in routes_of(place.app._pages):
        assert plain_calls(route.dependant) == [], route.path


def plain_calls(dependant: Dependant) -> list[Any]:
    """Return the functions of a handler and its dependencies that the framework would run in its own threads."""
    call: Any = dependant.call
    inner = type(call).__call__ if isinstance(call, Permission) or not hasattr(call, "__name__") else call
    own = [] if iscoroutinefunction(inner) or isasyncgenfunction(inner) else [call]
    return own + [found for part in dependant.dependencies for found in plain_calls(part)]


@pytest.mark.usefixtures("no_default_threads")
async def test_every_call_of_a_service_is_answered_without_the_default_pool(place: ServedPages) -> None:
    """Whoever holds the default pool keeps no caller from an answer, with a session, with a signature or without."""
    signer = CallSigner(IdentityKey.generate(lambda count: bytes([7]) * count), "AL", lambda: place.clock[0])
    bearer = {"authorization": f"Bearer {somebody(place)}"}
    transport = httpx.ASGITransport(app=place.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8700") as client:
        for route in routes_of(place.app._service):
            for method in route.methods:
                auth, headers = (signer, {}) if is_signed_call(route.dependant) else (None, bearer)
                asked = client.request(method, path_of(route), headers=headers, auth=auth)
                answer = await asyncio.wait_for(asked, SECONDS)
                assert answer.status_code != 500, route.path
            if "sessions" in route.path or "sign-out" in route.path:
                bearer = {"authorization": f"Bearer {somebody(place)}"}


@pytest.mark.usefixtures("no_default_threads")
@pytest.mark.parametrize("session", ["x", "open"])
async def test_every_page_is_answered_without_the_default_pool(place: ServedPages, session: str) -> None:
    """Whoever holds the default pool keeps no visitor from an answer, whatever the visitor's cookie."""
    name = f"aquila-session-{8701}"
    transport = httpx.ASGITransport(app=place.app)
    same = {"origin": "http://127.0.0.1:8701", "sec-fetch-site": "same-origin"}
    for route in routes_of(place.app._pages):
        token = somebody(place) if session == "open" else session
        async with httpx.AsyncClient(transport=transport, base_url=same["origin"], cookies={name: token}) as client:
            for method in route.methods:
                asked = client.request(method, path_of(route), headers=same)
                answer = await asyncio.wait_for(asked, SECONDS)
                assert answer.status_code != 500, route.path


async def test_watching_rounds_without_a_session(place: ServedPages) -> None:
    """Many who watch a round with a cookie that opens nothing are sent to the sign-in at once."""
    cookies = {"aquila-session-8701": "x"}
    transport = httpx.ASGITransport(app=place.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8701", cookies=cookies) as client:
        asked = [client.get("/rounds/x/live") for _ in range(AT_ONCE)]
        answers = await asyncio.wait_for(asyncio.gather(*asked), SECONDS)
        assert {answer.status_code for answer in answers} == {303}
        assert (await asyncio.wait_for(client.get("/health"), SECONDS)).status_code == 204


async def test_a_page_that_waits_in_the_wrong_pool(place: ServedPages) -> None:
    """Pages that would wait for the service in the framework's own pool hold up neither it nor each other."""
    client = httpx.Client(transport=InProcessTransport(place.app._service), base_url="http://127.0.0.1")
    asked = [to_thread.run_sync(client.get, "/v1/people/me") for _ in range(AT_ONCE)]
    answers = await asyncio.wait_for(asyncio.gather(*asked), SECONDS)
    assert {answer.status_code for answer in answers} == {401}


async def test_a_call_inside_that_is_never_answered(place: ServedPages) -> None:
    """A page's call is given up when its time is over, whatever keeps the service."""
    release = threading.Event()
    held = [asyncio.ensure_future(threads.run(Pool.SESSIONS, release.wait)) for _ in range(AT_ONCE)]
    client = httpx.Client(transport=InProcessTransport(place.app._service), base_url="http://127.0.0.1", timeout=0.01)
    try:
        with pytest.raises(httpx.ReadTimeout):
            await to_thread.run_sync(client.get, "/v1/people/me")
    finally:
        release.set()
        await asyncio.gather(*held)


class Slow(Passwords):
    """Passwords whose hashing takes until it is let go."""

    def __init__(self, real: Passwords) -> None:
        self.real, self.release, self.lock = real, threading.Event(), threading.Lock()
        self.now = self.most = 0

    def verify(self, stored: str | None, password: str, decoy: str | None = None) -> bool:
        """Wait."""
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        assert self.release.wait(SECONDS)
        with self.lock:
            self.now -= 1
        return False


async def test_signing_in_by_the_hundred(place: ServedPages) -> None:
    """Two passwords are hashed at a time and few wait; others come again, and everyone else is served meanwhile."""
    door, people = place.app._service.state.door, people_of(place)
    slow = Slow(people.passwords)
    door.people = replace(people, passwords=slow)
    shown = {"login": "ana", "password": "wrong", "code": "000000"}
    transport = httpx.ASGITransport(app=place.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8701") as client:
        asked = [asyncio.ensure_future(client.post("/v1/people/sign-in", json=shown)) for _ in range(AT_ONCE)]
        refused: list[httpx.Response] = []
        for answer in asyncio.as_completed(asked):
            refused.append(await answer)
            if len(refused) == AT_ONCE - 8:
                break
        assert {one.status_code for one in refused} == {503}
        assert {one.headers["retry-after"] for one in refused} == {"5"}
        bearer = {"authorization": f"Bearer {somebody(place)}"}
        assert (await asyncio.wait_for(client.get("/v1/people/me", headers=bearer), SECONDS)).status_code == 200
        assert (await asyncio.wait_for(client.get("/health"), SECONDS)).status_code == 204
        slow.release.set()
        late = await asyncio.gather(*asked)
        assert [answer.status_code for answer in late].count(401) == 8
        assert slow.most <= 2


class SlowMinistry:
    """A provider that says nothing until it is let go, and notes when as many ask as may."""

    def __init__(self) -> None:
        self.release, self.asked_by_four, self.lock = threading.Event(), threading.Event(), threading.Lock()
        self.now = self.most = 0

    def __call__(self, _request: httpx.Request) -> httpx.Response:
        """Wait."""
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            if self.now == 4:
                self.asked_by_four.set()
        assert self.release.wait(SECONDS)
        with self.lock:
            self.now -= 1
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        return httpx.Response(200, json={"issuer": ISSUER} | {name: f"{ISSUER}/{name}" for name in names})


@pytest.fixture
def ministry(place: ServedPages, tmp_path: Path) -> SlowMinistry:
    """The provider of the service."""
    door, slow = place.app._service.state.door, SlowMinistry()
    write_secret(tmp_path / "client.secret", b"the secret\n")
    settings = ProviderSettings(
        issuer=ISSUER,
        client_id="aquila",
        client_secret_file=tmp_path / "client.secret",
        redirect_url=f"{ISSUER}/back",
        roles={"administrator": Role.ADMINISTRATOR},
    )
    door.people = replace(people_of(place), provider=Provider(settings, httpx.MockTransport(slow)))
    return slow


async def test_beginning_at_the_provider_by_the_hundred(place: ServedPages, ministry: SlowMinistry) -> None:
    """Four ask the provider at a time and few wait; others come again, and everyone else is served meanwhile."""
    transport = httpx.ASGITransport(app=place.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8701") as client:
        asked = [asyncio.ensure_future(client.post("/v1/people/provider/start")) for _ in range(AT_ONCE)]
        try:
            refused: list[httpx.Response] = []
            for answer in asyncio.as_completed(asked, timeout=SECONDS):
                refused.append(await answer)
                if len(refused) == AT_ONCE - 8:
                    break
            assert {one.status_code for one in refused} == {503}
            assert {one.headers["retry-after"] for one in refused} == {"5"}
            bearer = {"authorization": f"Bearer {somebody(place)}"}
            assert (await asyncio.wait_for(client.get("/v1/people/me", headers=bearer), SECONDS)).status_code == 200
            assert (await asyncio.wait_for(client.get("/health"), SECONDS)).status_code == 204
            wrong = {"login": "ana", "password": "wrong", "code": "000000"}
            tried = await asyncio.wait_for(client.post("/v1/people/sign-in", json=wrong), SECONDS)
            assert tried.status_code == 401  # passwords have a queue of their own
            assert await to_thread.run_sync(ministry.asked_by_four.wait, SECONDS)
        finally:
            ministry.release.set()
        late = await asyncio.gather(*asked)
        assert [answer.status_code for answer in late].count(201) == 8
        assert ministry.most == 4


async def test_signing_in_by_the_hundred_on_the_pages(place: ServedPages) -> None:
    """On the pages whoever has a session is shown pages meanwhile."""
    door, people = place.app._service.state.door, people_of(place)
    slow = Slow(people.passwords)
    door.people = replace(people, passwords=slow)
    browser = place.browser()
    await browser.open("/sign-in")
    cookies = {"aquila-session-8701": somebody(place)}
    transport = httpx.ASGITransport(app=place.app)
    try:
        fields = {"login": "ana", "password": "wrong", "code": "000000", "next": "/"}
        asked = [asyncio.ensure_future(browser.send("/sign-in", follow=False, **fields)) for _ in range(AT_ONCE)]
        done, _ = await asyncio.wait(asked, timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED)
        assert done
        assert browser.answer.status_code == 503
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8701", cookies=cookies) as client:
            assert (await asyncio.wait_for(client.get("/account"), SECONDS)).status_code == 200
    finally:
        slow.release.set()
        await asyncio.gather(*asked)
