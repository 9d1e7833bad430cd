"""Signing in at a real OpenID Connect provider (npm `oidc-provider`), as a browser that is sent there and back."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest

from aquila.errors import AquilaError
from aquila.interface.people import ProviderReturn, SessionGrant
from clients.sdk import Access, Connection, PeopleClient
from services.kit.errors import NotAllowedError
from services.kit.storage.files import write_secret
from tests.support.browsing import Visitor, Window, chromium
from tests.support.loaded_program import LOADED, run
from tests.support.process_world import Service, free_port

pytestmark = pytest.mark.e2e

FOLDER = Path(__file__).parent / "provider"
BACK = "/sign-in/provider"
SECRET = "a secret of this test alone"
SETTINGS = """
[provider]
issuer = "http://127.0.0.1:{port}"
client_id = "aquila"
client_secret_file = "client.secret"
redirect_url = "{back}"

[provider.roles]
ct-officer = "officer"
"""


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@dataclass
class Provider:
    """A provider that knows one client and lets everyone in who names themselves."""

    back: str
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    def start(self, secret: str) -> None:
        node = shutil.which("node")
        assert node, "install Debian's nodejs and npm, then `npm ci` in tests/e2e/provider"
        command = [node, "server.mjs", str(self.port), self.back, secret]
        self._process = subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self._process.stdout is not None
        assert b"ready" in self._process.stdout.readline()

    def stop(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture(scope="module")
def provider(port: int) -> Iterator[Provider]:
    made = Provider(f"http://127.0.0.1:{port}{BACK}")
    made.start(SECRET)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, provider: Provider, port: int) -> Iterator[Service]:
    root = tmp_path_factory.mktemp("provider")
    service = Service("SI", "node", root / "SI", port, program=LOADED)
    run("matcher", "init", "--home", str(root / "matcher"))
    where = ["--matcher", "http://127.0.0.1:1", "--port", str(service.port)]
    run("node", "init", "--home", str(service.home), "--code", "SI", "--name", "Slovenia", *where)
    cards = []
    for name in ("matcher", "SI"):
        cards.append(str(root / f"{name}.card.toml"))
        Path(cards[-1]).write_text(run("party", "card", "--home", str(root / name)))
    run("party", "register", *cards, "--home", str(service.home))
    settings = service.home / "node.toml"
    settings.write_text(settings.read_text() + SETTINGS.format(port=provider.port, back=service.url + BACK))
    secret = service.home / "client.secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    service.start()
    yield service
    service.kill()


def at_the_provider(url: str, login: str) -> dict[str, str]:
    """Go to the provider as a browser does, sign in, agree, and return what the browser is sent back with."""
    with httpx.Client(timeout=30) as browser:
        answer = browser.get(url)
        for _ in range(20):
            if answer.has_redirect_location:
                place = urljoin(str(answer.url), answer.headers["location"])
                if urlsplit(place).path == BACK:
                    return {name: values[0] for name, values in parse_qs(urlsplit(place).query).items()}
                answer = browser.get(place)
                continue
            action = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert action, answer.text
            assert prompt, answer.text
            form = {"prompt": prompt[1], "login": login, "password": "whatever"}
            answer = browser.post(urljoin(str(answer.url), action[1]), data=form)
    raise AssertionError("the provider did not send the browser back")


def accounts(node: Service) -> dict[str, Any]:
    listed = json.loads(run("call", "get_accounts", "--home", str(node.home)))["accounts"]
    return {one["login"]: one for one in listed}


def sign_in(node: Service, subject: str) -> SessionGrant:
    with Connection(Access("node", node.url, "")) as connection:
        people = PeopleClient(connection)
        started = people.start_at_provider()
        back = at_the_provider(started.url, subject)
        shown = ProviderReturn(state=back["state"], code=back["code"], issuer=back["iss"], binding=started.binding)
        return people.finish_at_provider(shown)


def let_in(node: Service, subject: str) -> None:
    """Let somebody appear at the node for the first time, and let the account in as its administrator does."""
    before = accounts(node)
    with pytest.raises(NotAllowedError):
        sign_in(node, subject)
    [account] = [one for login, one in accounts(node).items() if login not in before]
    assert account["name"] == "Ana Novak"
    assert account["subject"] == subject
    known = [f"{field}={account[field]}" for field in ("person", "issuer", "subject", "name")]
    run("call", "post_admit", *known, "--home", str(node.home))


def test_a_person_of_the_ministry_signs_in_at_the_pages(node: Service) -> None:
    """The page leads to the provider and back, under the strict policy and without JavaScript; a return counts once."""
    let_in(node, "eva")
    for browser in chromium():
        visitor = Visitor.at(browser, node.url, Window(1280, scripts=False))
        visitor.open("/sign-in")
        visitor.page.get_by_role("button", name="Sign in at the ministry").click()
        visitor.page.locator("[name=login]").fill("eva")
        visitor.page.locator("[name=password]").fill("whatever")
        with visitor.page.expect_navigation():
            visitor.page.locator("[type=submit]").click()
        visitor.page.locator("[type=submit]").click()
        visitor.page.wait_for_url(f"{node.url}/")
        assert visitor.shows("Sign out")
        [back] = [address for address in visitor.addresses if f"{BACK}?" in address]
        visitor.page.goto(back)
        assert visitor.shows("Start again.")
        visitor.close()


def test_a_code_without_its_verifier_is_worth_nothing(node: Service, provider: Provider) -> None:
    """Whoever steals a code cannot exchange it, even with the client's secret."""
    with Connection(Access("node", node.url, "")) as connection:
        back = at_the_provider(PeopleClient(connection).start_at_provider().url, "ana")
    form = {
        "grant_type": "authorization_code",
        "code": back["code"],
        "redirect_uri": node.url + BACK,
        "code_verifier": "x" * 43,
    }
    answer = httpx.post(f"http://127.0.0.1:{provider.port}/token", data=form, auth=("aquila", SECRET))
    assert answer.json()["error"] == "invalid_grant"


def test_the_secret_is_changed_without_a_restart(node: Service, provider: Provider) -> None:
    """The provider takes another one: nobody is let in with the old one, and all as soon as the file has it."""
    let_in(node, "mira")
    provider.stop()
    provider.start("another secret of this test")
    try:
        with pytest.raises(AquilaError):
            sign_in(node, "mira")
        write_secret(node.home / "client.secret", b"another secret of this test")
        assert sign_in(node, "mira").token
    finally:
        provider.stop()
        provider.start(SECRET)
        write_secret(node.home / "client.secret", SECRET.encode())
