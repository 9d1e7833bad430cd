"""The web side: verified callers, problems that repeat nothing, limits, headers, and one log line per call."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.types import Message

from aquila.audit.roles import Action, Service
from aquila.crypto.keys import IdentityKey
from aquila.errors import CapError, KeyMaterialError
from aquila.sentences import quoted
from services.kit.actor import LOCAL_KEY, Actor
from services.kit.errors import NotReadyError, PeerUnavailableError, StoreError
from services.kit.http.routing import SMALL_BODY, ServiceRoute
from services.kit.http.signatures import CallSigner, CallVerifier
from services.kit.http.signed_calls import SignedCaller
from services.kit.people.keys import OperatorToken
from services.kit.people.permissions import AccessControl, requires
from services.kit.serving.application import application
from services.kit.settings import DatabaseSettings
from services.kit.storage.store import Store, database_url
from services.kit.work.memory import EventCounts
from tests.support.clock import Clock
from tests.support.log_lines import Lines
from tests.support.memory_nonces import MemoryNonces

SECRET = "Muhamed"
LIMIT = 1_000


class Body(BaseModel):
    count: int


def _router(failures: dict[str, Exception]) -> APIRouter:
    router = APIRouter(route_class=ServiceRoute, prefix="/rounds")

    @router.put("/{name}/chunks/{number}")
    def put_chunk(name: str, number: int, call: SignedCaller) -> dict[str, object]:
        return {"party": call.party, "name": name, "number": number, "bytes": len(call.body)}

    @router.post("/json")
    def post_json(body: Body, limit: Annotated[int, Query(le=9)] = 1) -> int:
        return body.count + limit

    @router.put("/stream")
    async def put_stream(request: Request) -> None:
        async for _ in request.stream():
            pass

    @router.get("/failures/{name}")
    def get_failure(name: str) -> None:
        raise failures[name]

    @router.get("/broken")
    def get_broken() -> StreamingResponse:
        def pieces() -> Iterator[bytes]:
            yield b"half"
            raise ValueError(SECRET)

        return StreamingResponse(pieces())

    @router.get("/mine")
    def get_mine(actor: Annotated[Actor, requires(Action.SEE_STATUS)]) -> str:
        return actor.person

    @router.get("/nobodys", dependencies=[requires(Action.PROPOSE_ROUND)])
    def get_nobodys() -> str:
        return "nobody's"

    return router


@pytest.fixture
def failures() -> dict[str, Exception]:
    return {
        "cap": CapError(quoted("too many", "fewer"), party="SI"),
        "away": PeerUnavailableError(quoted("away"), retry_after=7),
        "full": StoreError(quoted("failed")),
        "bug": ValueError(SECRET),
        "key": KeyMaterialError(quoted("closed")),
    }


@pytest.fixture
def token(tmp_path: Path) -> OperatorToken:
    return OperatorToken.create(tmp_path / "operator.token")


@pytest.fixture
def app(key: IdentityKey, clock: Clock, failures: dict[str, Exception], token: OperatorToken) -> FastAPI:
    verifier = CallVerifier({key.public.fingerprint: ("SI", key.public)}, MemoryNonces(), ["matcher.test"], clock)
    return application(
        title="Test",
        version="1",
        routers=[_router(failures)],
        body_bytes=LIMIT,
        health=lambda: None,
        call_verifier=verifier,
        door=AccessControl(Service.NODE, token),
        contacts=Calls(),
    )


class Calls:
    def __init__(self) -> None:
        self.recorded: list[tuple[str, str]] = []

    def record(self, party: str, release: str) -> None:
        self.recorded.append((party, release))


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://matcher.test") as client:
        yield client


@pytest.fixture
def signer(key: IdentityKey, clock: Clock) -> CallSigner:
    return CallSigner(key, "SI", clock)


def _calls(lines: Lines) -> list[dict[str, Any]]:
    parsed = [json.loads(line) for line in str(lines).splitlines()]
    return [line for line in parsed if line["event"] == "call"]


async def test_a_signed_call_reaches_its_handler(client: httpx.AsyncClient, signer: CallSigner, lines: Lines) -> None:
    """Party and body are what was signed; paths that need quoting are no hindrance; one line tells of the call."""
    answer = await client.put("/rounds/r%201%2Bx/chunks/3?a=%20b", content=b"abc", auth=signer)
    assert answer.json() == {"party": "SI", "name": "r 1+x", "number": 3, "bytes": 3}
    (line,) = _calls(lines)
    assert (line["method"], line["route"], line["status"], line["party"]) == (
        "PUT",
        "/rounds/{name}/chunks/{number}",
        200,
        "SI",
    )


@pytest.mark.parametrize(("agent", "release"), [("aquila/0.1.0", "0.1.0"), ("curl/8", ""), ("aquila/<b>", "")])
async def test_a_partys_last_contact_is_known(
    client: httpx.AsyncClient, app: FastAPI, signer: CallSigner, agent: str, release: str
) -> None:
    """That a party called is recorded, with the release that it said that it runs; another text is not kept."""
    await client.put("/rounds/r1/chunks/3", content=b"abc", auth=signer, headers={"user-agent": agent})
    assert app.state.contacts.recorded == [("SI", release)]


async def test_an_unsigned_call_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.put("/rounds/r1/chunks/3", content=b"abc")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Signature"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:aquila:problem:signature"


@pytest.mark.parametrize(
    ("name", "status", "slug", "wait"),
    [
        ("cap", 403, "cap", None),
        ("away", 503, "peer-unavailable", "7"),
        ("full", 503, "store", "5"),
        ("key", 500, "key-material", None),
    ],
)
async def test_an_error_of_the_tree_becomes_its_problem(
    client: httpx.AsyncClient, lines: Lines, name: str, status: int, slug: str, wait: str | None
) -> None:
    """Status, type and Retry-After are the table's; what is our own trouble is logged as such."""
    answer = await client.get(f"/rounds/failures/{name}")
    assert answer.status_code == answer.json()["status"] == status
    assert answer.json()["type"] == f"urn:aquila:problem:{slug}"
    assert answer.headers.get("retry-after") == wait
    refused = json.loads(str(lines).splitlines()[0])
    assert (refused["event"], refused["level"]) == ("call_refused", "error" if status >= 500 else "info")


async def test_an_unknown_exception_is_an_incident_that_quotes_nothing(client: httpx.AsyncClient, lines: Lines) -> None:
    """The caller gets an id, the log the class and place beside it, and neither gets the text."""
    answer = await client.get("/rounds/failures/bug")
    assert answer.status_code == 500
    incident = answer.json()["fields"]["incident"]
    assert answer.json()["instance"] == f"urn:aquila:incident:{incident}"
    failed = next(json.loads(line) for line in str(lines).splitlines() if "call_failed" in line)
    assert (failed["incident"], failed["error"]) == (incident, "builtins.ValueError")
    assert SECRET not in answer.text + str(lines)


async def test_a_caller_that_goes_away_is_no_incident(app: FastAPI, lines: Lines) -> None:
    """Who leaves in the middle of a body, as a node that is killed does, gets no answer and leaves no error behind."""
    came: list[Message] = [{"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Message] = []

    async def receive() -> Message:
        return came.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "PUT",
        "scheme": "http",
        "path": "/rounds/stream",
        "query_string": b"",
        "headers": [(b"host", b"matcher.test"), (b"content-length", b"8")],
        "server": ("matcher.test", 80),
    }
    await app(scope, receive, send)
    events = {line["event"]: line["level"] for line in map(json.loads, str(lines).splitlines())}
    assert (sent, events) == ([], {"caller_left": "info", "call": "info"})


async def test_an_answer_that_breaks_in_the_middle_is_broken_off(client: httpx.AsyncClient, lines: Lines) -> None:
    """The status is out already: the exception goes on to the server, which closes the connection."""
    with pytest.raises(ValueError, match=SECRET):
        await client.get("/rounds/broken")
    assert "call_failed" in str(lines)
    assert SECRET not in str(lines)


@pytest.mark.parametrize(
    ("body", "query"),
    [
        (json.dumps({"count": SECRET}).encode(), ""),
        (json.dumps({SECRET: 1}).encode(), ""),
        (json.dumps(SECRET).encode(), ""),
        (SECRET.encode(), ""),
        (b'{"count": 1}', f"?limit={SECRET}"),
        (b'{"count": 1}', "?limit=10"),
    ],
)
async def test_invalid_parameters_are_named_and_not_repeated(
    client: httpx.AsyncClient, lines: Lines, body: bytes, query: str
) -> None:
    """Place and kind of the fault are enough; the value may be a person's."""
    answer = await client.post(f"/rounds/json{query}", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:aquila:problem:input"
    assert "body" in answer.json()["detail"] or "query.limit" in answer.json()["detail"]
    assert SECRET not in answer.text + str(lines)


@pytest.mark.parametrize(
    ("shown", "taken"),
    [
        (["0123456789abcdef" * 2], True),
        ([SECRET], False),
        (["A" * 32], False),
        ([""], False),
        (["0" * 32, "1" * 32], False),
    ],
)
async def test_a_call_has_one_id_in_its_strict_form(
    client: httpx.AsyncClient, lines: Lines, shown: list[str], *, taken: bool
) -> None:
    answer = await client.get("/rounds/broken/nothing", headers=[("x-request-id", one) for one in shown])
    (line,) = _calls(lines)
    assert line["request"] == answer.headers["x-request-id"]
    assert (line["request"] in shown) is taken
    assert re.fullmatch("[0-9a-f]{32}", line["request"])
    assert SECRET not in str(lines)


async def test_probes_that_find_nothing_wrong_are_no_news(client: httpx.AsyncClient, lines: Lines) -> None:
    """Thousands of them come in a day; one that is refused is a line like others."""
    for path in ("/health", "/live", "/ready", "/nothing"):
        await client.get(path)
    assert [line["level"] for line in _calls(lines)] == ["debug", "debug", "debug", "info"]


async def test_unknown_paths_and_methods_are_problems(client: httpx.AsyncClient, lines: Lines) -> None:
    answer = await client.get(f"/{SECRET}?q={SECRET}")
    assert (answer.status_code, answer.json()["type"]) == (404, "about:blank")
    answer = await client.delete("/rounds/json")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    await client.request(SECRET, "/health")
    assert SECRET not in answer.text + str(lines)
    assert [line["method"] for line in _calls(lines)] == ["GET", "DELETE", "other"]


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_the_limit_is_refused(
    client: httpx.AsyncClient, signer: CallSigner, *, declared: bool
) -> None:
    """Whether its length is declared or not, signed or not, read by us or by the framework."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield bytes(SMALL_BODY // 2)

    content: Any = bytes(SMALL_BODY + 1) if declared else pieces()
    answer = await client.post("/rounds/json", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:aquila:problem:body-too-large")
    request = client.build_request("PUT", "/rounds/r1/chunks/1", content=bytes(LIMIT + 1))
    signer.sign(request)
    if not declared:
        del request.headers["content-length"]
    assert (await client.send(request)).status_code == 413


async def test_a_body_at_the_limit_is_accepted(client: httpx.AsyncClient, signer: CallSigner) -> None:
    answer = await client.put("/rounds/r1/chunks/1", content=bytes(LIMIT), auth=signer)
    assert answer.json()["bytes"] == LIMIT


async def test_over_tls_every_answer_says_that_there_is_no_other_way(client: httpx.AsyncClient) -> None:
    """Also a refusal; over plain HTTP nothing is said, as RFC 6797 section 7.2 asks."""
    for path in ("/health", "/nothing/here"):
        over_tls = (await client.get(f"https://service.test{path}")).headers
        assert over_tls["strict-transport-security"] == "max-age=31536000"
        assert "strict-transport-security" not in (await client.get(path)).headers


async def test_every_answer_has_the_security_headers(client: httpx.AsyncClient) -> None:
    for path in ("/health", "/nothing", "/rounds/failures/bug"):
        headers = (await client.get(path)).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["referrer-policy"] == "no-referrer"


async def test_health_is_what_the_service_says(tmp_path: Path) -> None:
    lost = Store(database_url(DatabaseSettings(), tmp_path / "nowhere" / "aquila.db"))
    app = application(title="T", version="1", routers=[], body_bytes=LIMIT, health=lost.check)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://h") as client:
        assert (await client.get("/health")).status_code == 503
        (tmp_path / "nowhere").mkdir()
        assert (await client.get("/health")).status_code == 204
    lost.close()


async def test_ready_and_live_are_asked_for_by_themselves() -> None:
    refused = {"ready": True, "live": True}

    def check(name: str) -> None:
        if refused[name]:
            raise NotReadyError("service_not_ready", listed="disk")

    counts = EventCounts()
    app = application(
        title="T",
        version="1",
        routers=[],
        body_bytes=LIMIT,
        health=lambda: None,
        counts=counts,
        ready=lambda: check("ready"),
        live=lambda: check("live"),
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://h") as client:
        assert [(await client.get(f"/{name}")).status_code for name in ("health", "ready", "live")] == [204, 503, 503]
        refused.update(ready=False, live=False)
        assert [(await client.get(f"/{name}")).status_code for name in ("ready", "live")] == [204, 204]
    assert counts.of("NotReadyError") == 2
    assert counts.of("SignInError") == 0


async def test_the_operator_needs_the_token(client: httpx.AsyncClient, tmp_path: Path) -> None:
    shown = (tmp_path / "operator.token").read_text(encoding="ascii").strip()
    assert (await client.get("/rounds/mine", headers={"authorization": f"Bearer {shown}"})).status_code == 200
    assert (await client.get("/rounds/mine", headers={"authorization": f"bearer {shown}"})).status_code == 200
    changed = ("y" if shown.startswith("x") else "x") + shown[1:]
    for header in ("", "Bearer", "Bearer ", f"Basic {shown}", f"Bearer {shown}x", shown, f"Bearer {changed}"):
        answer = await client.get("/rounds/mine", headers={"authorization": header})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert shown not in answer.text


async def test_a_person_does_what_the_roles_allow(client: httpx.AsyncClient, tmp_path: Path, lines: Lines) -> None:
    """The handler gets the actor and the log line names it; what no role of this service may do is refused."""
    headers = {"authorization": f"Bearer {(tmp_path / 'operator.token').read_text(encoding='ascii').strip()}"}
    answer = await client.get("/rounds/mine", headers=headers)
    assert answer.json() == LOCAL_KEY
    assert _calls(lines)[-1]["person"] == LOCAL_KEY
    refused = await client.get("/rounds/nobodys", headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:aquila:problem:not-allowed")
    assert refused.json()["fields"] == {"action": "round.propose"}


def test_a_token_is_read_from_its_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "token"
    with pytest.raises(KeyMaterialError):
        OperatorToken.load(path)
    created = OperatorToken.create(path)
    shown = path.read_text(encoding="ascii").strip()
    assert OperatorToken.load(path).is_shown(shown)
    assert shown not in repr(created)
    OperatorToken.create(path)
    assert not OperatorToken.load(path).is_shown(shown)
    path.write_text("short", encoding="ascii")
    with pytest.raises(KeyMaterialError, match="holds no operator's token"):
        OperatorToken.load(path)
    path.chmod(0o644)
    with pytest.raises(KeyMaterialError, match="open to others"):
        OperatorToken.load(path)


async def test_no_schema_or_page_is_served(client: httpx.AsyncClient, app: FastAPI) -> None:
    """The schema is a file of the project; the operations in it say how they are protected."""
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert (await client.get(path)).status_code == 404
    schema = app.openapi()
    assert schema["paths"]["/rounds/{name}/chunks/{number}"]["put"]["security"] == [{"MessageSignature": []}]
    assert schema["paths"]["/rounds/mine"]["get"]["security"] == [{"Person": []}]


def test_no_telemetry_leaves_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI would configure exporters, with exception texts, when the environment says so."""
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    app = application(title="T", version="1", routers=[], body_bytes=LIMIT, health=lambda: None)
    assert not app._native_telemetry.enabled()
    assert app._telemetry["auto_configure"] is False
