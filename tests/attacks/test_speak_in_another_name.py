"""A site wants to speak to a service in its visitor's browser, or to send visitors elsewhere, by a name of its own."""

from itertools import product
from pathlib import Path

import httpx
import pytest

from services.kit.serving.application import OwnNames, names_of
from services.kit.settings import ListenSettings, ServiceSettings, TlsSettings
from tests.support.authority import Authority
from tests.support.web_world import ServedPages

OWN = frozenset({"localhost", "127.0.0.1", "::1", "node.example"})
FOREIGN = ("evil.example", "evil.example:8701", "127.0.0.1.evil.example", "localhost@evil.example", "[::2]:1", "[", "")
OURS = ("127.0.0.1", "127.0.0.1:8701", "LocalHost:1", "[::1]:8701", "node.example.:443")


@pytest.fixture(params=["node", "matcher"])
def place(request: pytest.FixtureRequest) -> ServedPages:
    """Each of both services."""
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


async def test_a_name_that_is_not_the_services(place: ServedPages) -> None:
    """A call to another name is refused before anything looks at it, by page and service alike."""
    transport = httpx.ASGITransport(app=OwnNames(place.app, OWN))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8701") as client:
        calls = product(FOREIGN, ("/", "/health", "/v1/people/ways", "/static/1/aquila.css", "/nothing/"))
        for host, path in calls:
            answer = await client.get(path, headers={"host": host})
            assert (answer.status_code, answer.json()["type"]) == (421, "urn:aquila:problem:misdirected")
            assert "evil" not in answer.text


async def test_a_name_of_the_service(place: ServedPages) -> None:
    """The service's own names are served with any port, however they are written."""
    transport = httpx.ASGITransport(app=OwnNames(place.app, OWN))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8701") as client:
        for host in OURS:
            assert (await client.get("/health", headers={"host": host})).status_code == 204, host


async def test_a_call_with_two_names(place: ServedPages) -> None:
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1"), (b"host", b"evil.example")]
    scope = {"type": "http", "method": "GET", "path": "/health", "headers": headers, "query_string": b""}
    await OwnNames(place.app, OWN)(scope, None, send)  # type: ignore[arg-type]  # nothing is read
    assert sent[0]["status"] == 421


async def test_no_redirect_repeats_a_name(place: ServedPages) -> None:
    """Wherever a caller is sent, the address has no host in it."""
    transport = httpx.ASGITransport(app=place.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8701") as client:
        for path in ("/", "/rounds", "/rounds/", "/v1/people/ways/", "/v1/approvals/", "/sign-in/", "//evil.example/"):
            answer = await client.get(path, headers={"host": "evil.example"})
            assert "evil.example" not in answer.headers.get("location", ""), path


def test_the_names_of_a_service(tmp_path: Path) -> None:
    """They are those of loopback, of its settings, of its public URL and of its certificate."""
    Authority.create(tmp_path, "ca").issue("service")
    listen = ListenSettings(host="192.0.2.1", public_url="https://Matcher.example:8443", names=("node.internal",))
    tls = TlsSettings(certificate=tmp_path / "service.pem", key=tmp_path / "service.key")
    found = names_of(ServiceSettings(home=tmp_path, listen=listen, tls=tls))
    assert found == {"localhost", "127.0.0.1", "::1", "192.0.2.1", "matcher.example", "node.internal"}
