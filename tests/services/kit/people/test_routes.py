"""The calls about people over HTTP: what opens them, and what they say."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pyotp
import pytest

from services.kit.people import routes
from services.kit.people.context import People
from services.kit.people.keys import OperatorToken
from services.kit.people.permissions import AccessControl
from services.kit.serving.application import application
from tests.support.accounts import PASSWORD, Member
from tests.support.clock import Clock


@pytest.fixture
async def client(people: People, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    door = AccessControl(people.service, OperatorToken.create(tmp_path / "operator.token"), people)
    app = application(
        title="T", version="1", routers=[routes.router], body_bytes=10_000, health=lambda: None, door=door
    )
    key = (tmp_path / "operator.token").read_text().strip()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://node.test/v1/people", headers=bearer(key)
    ) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_from_the_first_account_to_the_sign_out(client: httpx.AsyncClient, clock: Clock) -> None:
    """The home's key makes an account; its person enrols, is known, and leaves."""
    made = await client.post("/accounts", json={"login": "ana", "roles": ["officer", "approver"]})
    assert made.status_code == 201
    code = made.json()["code"]
    begun = await client.post("/enrolment", json={"login": "ana", "code": code}, headers=bearer(""))
    secret = begun.json()["secret"]
    shown = {"login": "ana", "enrolment": code, "password": PASSWORD, "code": pyotp.TOTP(secret).at(clock.time)}
    granted = await client.post("/enrolment/confirm", json=shown, headers=bearer(""))
    mine = bearer(granted.json()["token"])
    me = (await client.get("/me", headers=mine)).json()
    assert (me["login"], me["roles"], me["ends_at"]) == ("ana", ["officer", "approver"], granted.json()["ends_at"])
    assert "consent.ask" in me["actions"]
    assert "people.manage" not in me["actions"]
    assert (await client.get("/accounts", headers=mine)).status_code == 403
    assert (await client.post("/sign-out", headers=mine)).status_code == 204
    assert (await client.get("/me", headers=mine)).status_code == 401
    listed = (await client.get("/accounts")).json()["accounts"]
    assert [(account["login"], account["state"]) for account in listed] == [("ana", "active")]


async def test_a_wrong_sign_in_is_a_problem(client: httpx.AsyncClient, member: Member) -> None:
    shown = {"login": "ana", "password": "another password", "code": member.code()}
    answer = await client.post("/sign-in", json=shown, headers=bearer(""))
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:aquila:problem:sign-in")
    assert "another password" not in answer.text
    assert "ana" not in answer.text


async def test_a_language_is_kept(client: httpx.AsyncClient, member: Member) -> None:
    """A sign-in returns what the person chose; the home's key has no account to keep one with."""
    assert member.grant.language is None
    mine = bearer(member.grant.token)
    assert (await client.put("/language", json={"language": "sr-Cyrl"}, headers=mine)).status_code == 204
    assert member.sign_in().language == "sr-Cyrl"
    assert (await client.put("/language", json={"language": "Serbian"}, headers=mine)).status_code == 422
    assert (await client.put("/language", json={"language": "sq"})).status_code == 422
