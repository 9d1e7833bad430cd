"""A stranger wants the service to read, parse or keep what costs much: it reads nothing before it knows who calls."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from aquila.audit.roles import Role
from aquila.protocol.messages.base import MAX_PARTIES
from aquila.records.rules import InputClass
from clients.web.app.forms import FORM_BYTES
from clients.web.app.uploads import Inbox
from services.kit.http.routing import SMALL_BODY, caller_checks
from services.matcher.api.routes import LARGEST_PROPOSAL
from tests.support.people import signed_in
from tests.support.web_world import ServedPages

ORIGIN = "http://127.0.0.1:8701"
SAME = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
ENDLESS = 10_000  # pieces, which is endless for a test
PIECE = bytes(1 << 16)
LIST = (
    b'--x\r\ncontent-disposition: form-data; name="form_token"\r\n\r\n%s\r\n'
    b'--x\r\ncontent-disposition: form-data; name="file"; filename="l.csv"\r\n\r\n'
)


class Endless:
    """A body without an end that counts what was taken of it."""

    def __init__(self, beginning: bytes = b"", piece: bytes = PIECE) -> None:
        self.beginning, self.piece, self.taken = beginning, piece, 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in (self.beginning, *[self.piece] * ENDLESS):
            self.taken += 1
            yield piece


@pytest.fixture(params=["node", "matcher"])
def place(request: pytest.FixtureRequest) -> ServedPages:
    """Each of both services."""
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def client_of(place: ServedPages, session: str = "") -> httpx.AsyncClient:
    """Return a caller, with a cookie where it has one."""
    cookies = {"aquila-session-8701": session} if session else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=place.app), base_url=ORIGIN, cookies=cookies)


async def test_a_body_for_every_call(place: ServedPages) -> None:
    """No call that is anybody's in particular reads a byte of a stranger's body."""
    async with client_of(place) as client:
        for route in iter_route_contexts(place.app._service.routes):
            for method in route.methods - {"GET"}:
                if list(caller_checks(route.dependant)):
                    body, path = Endless(), route.path.replace("{", "").replace("}", "")
                    answer = await client.request(method, path, content=body)
                    assert (answer.status_code, body.taken) == (401, 0), route.path


async def test_a_large_body_for_a_call_that_is_open(place: ServedPages) -> None:
    """What anybody may call takes a few thousand bytes, whether their number is declared or not."""
    kind = {"content-type": "application/json"}
    async with client_of(place) as client:
        for path in ("/v1/people/sign-in", "/v1/people/enrolment", "/v1/people/enrolment/confirm"):
            body = Endless(b'{"login": "', b"a" * 4_096)
            assert (await client.post(path, content=body, headers=kind)).status_code == 413
            assert body.taken <= SMALL_BODY // 4_096 + 2
            assert (await client.post(path, content=PIECE, headers=kind)).status_code == 413


async def test_an_answer_full_of_faults(place: ServedPages) -> None:
    """However many faults a body has, the answer names few."""
    shown = {f"a{number}": 1 for number in range(1_000)}
    async with client_of(place) as client:
        answer = await client.post("/v1/people/sign-in", json=shown)
    assert answer.status_code == 422
    assert len(answer.content) < 1_000
    assert answer.json()["detail"].count(": it is ") == 8
    assert "995 more" in answer.json()["detail"]


async def test_a_large_body_of_somebody(place: ServedPages) -> None:
    """A session opens no way to larger bodies, where the call takes no list."""
    people = place.app._service.state.door.people
    bearer = {"authorization": f"Bearer {signed_in(people, 'ana', Role.ADMINISTRATOR)}"}
    body = Endless(b'{"login": "', b"a" * 4_096)
    async with client_of(place) as client:
        answer = await client.post("/v1/people/accounts", content=body, headers=bearer)
    assert answer.status_code == 413
    assert body.taken <= SMALL_BODY // 4_096 + 2


def test_a_proposal_for_as_many_parties_as_can_be_fits() -> None:
    """The largest proposal that there can be is no body over the limit."""
    codes = [f"A{chr(65 + number % 26)}" for number in range(MAX_PARTIES)]
    pairs = [(first, second) for place, first in enumerate(codes) for second in codes[place + 1 :]]
    caps = [{"party": code, **dict.fromkeys(InputClass, 2**53)} for code in codes]
    texts = dict.fromkeys(("area", "legal_basis", "purpose", "category", "rules"), "Ж" * 500)
    proposal = {"participants": codes, "pairs": pairs, "caps": caps, **texts}
    assert len(json.dumps(proposal, ensure_ascii=False).encode()) < LARGEST_PROPOSAL * 3 // 4


@pytest.mark.parametrize("session", ["", "x"])
async def test_forms_of_strangers(place: ServedPages, session: str) -> None:
    """A form that needs a session is not read without one, and one that needs none is small."""
    kind = SAME | {"content-type": "application/x-www-form-urlencoded"}
    async with client_of(place, session) as client:
        for route in iter_route_contexts(place.app._pages.routes):
            if "POST" in route.methods:
                body = Endless(b"form_token=")
                path = route.path.replace("{", "").replace("}", "")
                answer = await client.post(path, content=body, headers=kind)
                assert answer.status_code in {303, 413}, path
                assert body.taken <= (2 if answer.status_code == 413 else 0), path


async def test_a_list_of_a_stranger(node: ServedPages) -> None:
    """Nothing of a list is read for a cookie that opens nothing, or for somebody whose roles do not allow it."""
    auditor = signed_in(node.app._service.state.door.people, "eva", Role.AUDITOR)
    kind = SAME | {"content-type": "multipart/form-data; boundary=x"}
    for session, status in (("", 303), ("x", 303), (auditor, 403)):
        body = Endless()
        async with client_of(node, session) as client:
            answer = await client.post("/records/preview", content=body, headers=kind)
        assert (answer.status_code, body.taken) == (status, 0)


@pytest.mark.parametrize(("inbox", "status"), [({"most": 1 << 20}, 413), ({"keep_free": 1 << 60}, 503)])
async def test_a_list_without_an_end(node: ServedPages, tmp_path: Path, inbox: dict[str, Any], status: int) -> None:
    """An officer's list is taken up to the limit and while there is room, and nothing is kept of what is more."""
    node.app._site.inbox = Inbox(tmp_path, **inbox)
    browser = await node.visitor("ana", "officer")
    await browser.open("/records")
    token = browser.page.split('name="form_token" value="')[1][:64]
    body = Endless(LIST % token.encode())
    kind = SAME | {"content-type": "multipart/form-data; boundary=x"}
    answer = await browser.client.post("/records/preview", content=body, headers=kind)
    assert answer.status_code == status
    assert body.taken <= (1 << 20) // len(PIECE) + 2


def test_a_list_lies_in_the_home(tmp_path: Path) -> None:
    """A list that waits lies on the disk of the service's home, without a name, and not in the temporary folder."""
    with Inbox(tmp_path).new_file() as file:
        assert file.fileno() > 0
        shown = (tmp_path / "/proc/self/fd" / str(file.fileno())).readlink()
    assert str(shown).startswith(str(tmp_path))
    assert not list(tmp_path.iterdir())


async def test_a_form_larger_than_any_of_ours(node: ServedPages) -> None:
    """Somebody with a session sends no form larger than the largest of ours."""
    browser = await node.visitor("ana", "officer")
    kind = SAME | {"content-type": "application/x-www-form-urlencoded"}
    body = Endless(b"form_token=")
    answer = await browser.client.post("/records/store", content=body, headers=kind)
    assert answer.status_code == 413
    assert body.taken <= FORM_BYTES // len(PIECE) + 2
