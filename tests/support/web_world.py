"""A node with its pages in one process, without sockets, and people who sign in as a browser would."""

import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest

from aquila.audit.roles import Role, Service
from aquila.crypto.keys import IdentityKey
from aquila.protocol.registry import RegisteredParty, Registry, write_registry
from clients.web.wiring import front_of
from services.kit.log_access.use_cases import LogUseCases
from services.kit.serving.server import Endpoint
from services.kit.settings import load
from services.matcher import main as matcher_main
from services.matcher.settings import MatcherSettings
from services.matcher.storage import home as matcher_home
from services.node import main as node_main
from services.node.settings import NodeSettings
from services.node.storage import home as node_home
from tests.support.databases import lay_tables
from tests.support.node_world import PartyNode
from tests.support.people import signed_in

PASSWORD = "four words are long enough"
ORIGIN = "http://127.0.0.1:8701"
CHEAP = {"argon2_kibibytes": 32, "argon2_passes": 1}
_FIELD = re.compile(r'name="form_token" value="([0-9a-f]{64})"')


@dataclass
class Browser:
    """A browser without JavaScript: it keeps cookies, sends forms with their token, and follows to the next page."""

    client: httpx.AsyncClient
    page: str = ""
    answer: httpx.Response = field(default_factory=lambda: httpx.Response(200))

    async def open(self, path: str) -> str:
        """Open a page, follow redirects, and return its text."""
        return self._see(await self.client.get(path, follow_redirects=True))

    async def send(self, path: str, *, follow: bool = True, **fields: Any) -> str:
        token = _FIELD.search(self.page)
        assert token, "the page has no form"
        files = fields.pop("files", None)
        headers = {"origin": ORIGIN, "sec-fetch-site": "same-origin", **fields.pop("headers", {})}
        data = {"form_token": token[1], **fields}
        answer = await self.client.post(path, data=data, files=files, headers=headers, follow_redirects=follow)
        return self._see(answer)

    async def sign_in(self, person: "Person") -> str:
        await self.open("/sign-in")
        return await self.send("/sign-in", login=person.login, password=PASSWORD, code=person.code(), next="/")

    def _see(self, answer: httpx.Response) -> str:
        self.answer = answer
        if answer.headers.get("content-type", "").startswith("text/html"):
            self.page = answer.text
        return unescape(answer.text)


@dataclass
class Person:
    """Somebody with an account, a password and an authenticator, whose codes each count once."""

    login: str
    secret: str
    clock: list[int]

    def code(self) -> str:
        self.clock[0] += 30
        return pyotp.TOTP(self.secret).at(self.clock[0])


@dataclass
class ServedPages:
    app: Any
    token: str
    clock: list[int]
    log: LogUseCases
    browsers: list[Browser] = field(default_factory=list)

    def browser(self) -> Browser:
        self.browsers.append(Browser(httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url=ORIGIN)))
        return self.browsers[-1]

    async def close(self) -> None:
        for browser in self.browsers:
            await browser.client.aclose()

    async def enrol(self, login: str, *roles: str) -> Person:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url=ORIGIN) as client:
            key = {"authorization": f"Bearer {self.token}"}
            made = await client.post("/v1/people/accounts", json={"login": login, "roles": roles}, headers=key)
            assert made.status_code == 201, made.text
            code = made.json()["code"]
            begun = await client.post("/v1/people/enrolment", json={"login": login, "code": code})
            person = Person(login, begun.json()["secret"], self.clock)
            shown = {"login": login, "enrolment": code, "password": PASSWORD, "code": person.code()}
            assert (await client.post("/v1/people/enrolment/confirm", json=shown)).status_code == 201
            return person

    async def visitor(self, login: str, *roles: str) -> Browser:
        person, browser = await self.enrol(login, *roles), self.browser()
        await browser.sign_in(person)
        assert browser.answer.status_code == 200, browser.page
        return browser


def visitor_of(app: Any, party_node: PartyNode, role: Role) -> Browser:
    """Return the browser of somebody with a role at a node of a world, who is signed in."""
    cookies = {"aquila-session-8701": signed_in(party_node.node.people, role.value, role)}
    return Browser(httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ORIGIN, cookies=cookies))


def endpoint() -> Endpoint:
    """Return where the pages are served."""
    return Endpoint(None, "127.0.0.1", 8701, ORIGIN)  # type: ignore[arg-type] # no socket is needed


@pytest.fixture
def homes(tmp_path: Path) -> Path:
    """Homes of a matcher and of Slovenia's node that know each other."""
    matcher_key = matcher_home.create(tmp_path / "matcher", port=8700)
    node_key = node_home.create(tmp_path / "SI", "SI", "Slovenia, Policija", "http://127.0.0.1:8700", port=8701)
    stranger = IdentityKey.generate(lambda count: bytes([7]) * count).public
    registry = Registry(
        matcher_key, {"SI": RegisteredParty("SI", "SI", node_key), "AL": RegisteredParty("AL", "AL", stranger)}
    )
    for name in ("matcher", "SI"):
        (tmp_path / name / "registry.toml").write_bytes(write_registry(registry))
        lay_tables(tmp_path / name)
    (tmp_path / "deliveries").mkdir()
    return tmp_path


@pytest.fixture
async def node(homes: Path) -> AsyncIterator[ServedPages]:
    settings = load(homes / "SI" / "node.toml", NodeSettings)
    changes = {"workers": 1, "people": settings.people.model_copy(update=CHEAP), "deliveries": homes / "deliveries"}
    settings = settings.model_copy(update=changes)
    clock = [int(time.time())]
    made = node_main.assemble(settings, clock=lambda: clock[0])
    app = node_main.build(settings, made)
    token = (homes / "SI" / "operator.token").read_text().strip()
    place = ServedPages(front_of(Service.NODE, settings.name)(app, endpoint()), token, clock, made.log)
    yield place
    place.app.end()
    await place.close()
    await made.peer.close()
    made.close()


@pytest.fixture
async def matcher(homes: Path) -> AsyncIterator[ServedPages]:
    settings = load(homes / "matcher" / "matcher.toml", MatcherSettings)
    settings = settings.model_copy(update={"workers": 1, "people": settings.people.model_copy(update=CHEAP)})
    matcher_main.prepare(settings)
    clock = [int(time.time())]
    app = matcher_main.build(settings, clock=lambda: clock[0])
    token = (homes / "matcher" / "operator.token").read_text().strip()
    place = ServedPages(front_of(Service.MATCHER, "Secretariat")(app, endpoint()), token, clock, app.state.context.log)
    yield place
    place.app.end()
    await place.close()
    app.state.context.close()
