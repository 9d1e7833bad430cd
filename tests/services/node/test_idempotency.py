"""Calls that are repeated under a key of the caller's own are done once."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from starlette.types import Message

from aquila.audit.roles import Role
from services.kit.people.idempotency import erase_old_answers
from services.kit.people.tables import KeptAnswerRow
from tests.support.node_steps import hit_path
from tests.support.node_world import HEADER, JUSTIFICATION, LISTS, PartyNode, World
from tests.support.stored_hits import StoredHit, store_hits

pytestmark = pytest.mark.parties("AL", "RS")
LIST = (HEADER + LISTS["AL"]).encode()


def keyed(number: int) -> dict[str, str]:
    return {"idempotency-key": str(UUID(int=number))}


@pytest.fixture
async def al(world: World) -> PartyNode:
    return world.nodes["AL"]


async def lists(party_node: PartyNode) -> int:
    return len((await party_node.get("/imports"))["imports"])


async def test_a_list_is_stored_once(al: PartyNode) -> None:
    first = await al.post("/imports", params={"name": "list"}, content=LIST, headers=keyed(1))
    again = await al.post("/imports", params={"name": "list"}, content=LIST, headers=keyed(1))
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert first.status_code == 201
    assert await lists(al) == 1
    for params, content in (({"name": "list"}, LIST + b"\n"), ({"name": "other"}, LIST)):
        other = await al.post("/imports", params=params, content=content, headers=keyed(1))
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_of_another_call")
    assert await lists(al) == 1
    assert (await al.post("/imports", params={"name": "list"}, content=LIST, headers=keyed(2))).status_code == 201
    assert await lists(al) == 2


async def test_a_list_that_failed_in_the_end_is_not_stored(al: PartyNode) -> None:
    """Its key is free again, so that a list which was there all the same would be stored twice."""
    with al.node.store.transaction("test.break") as session:
        session.execute(text("DROP TABLE chosen_columns"))
    params = {"name": "list", "columns": HEADER.strip()}
    for _ in range(2):
        failed = await al.post("/imports", params=params, content=LIST, headers=keyed(1))
        assert failed.status_code >= 500
        assert await lists(al) == 0


async def test_a_decision_is_taken_once(al: PartyNode, world: World) -> None:
    """Without an answer's body as well; keys are each person's own."""
    round_id = await world.propose()
    store_hits(al.node.store, round_id, [StoredHit(0, "RS")], world.clock.time)
    async with al.person(Role.ANALYST) as first, al.person(Role.ANALYST, Role.OFFICER) as second:
        (hit,) = (await first.get("/v1/hits")).json()["hits"]
        path, body = f"/v1{hit_path(hit, '/remarks')}", {"remark": "asked by telephone"}
        for person in (first, first, second):
            answer = await person.post(path, json=body, headers=keyed(1))
            assert (answer.status_code, answer.content) == (204, b"")
        assert len((await first.get(f"/v1{hit_path(hit)}")).json()["history"]) == 2


async def test_a_request_is_made_once(al: PartyNode, world: World) -> None:
    round_id = await world.propose()
    asked = {"round_id": round_id, "persons": [{"full_name": "Mira Hoxha"}], "justification": JUSTIFICATION}
    async with al.person(Role.OFFICER) as officer:
        refused = await officer.post("/v1/queries", json=asked | {"persons": []}, headers=keyed(1))
        assert refused.status_code == 422  # nothing came of it, and the key is free
        body: dict[str, Any] = {"records": 2, "queries": 0}
        path = f"/v1/rounds/{round_id}/consent"
        first = await officer.post(path, json=body, headers=keyed(1))
        again = await officer.post(path, json=body, headers=keyed(1))
        assert first.status_code == again.status_code == 202, first.text
        assert first.json() == again.json()
        assert len((await officer.get("/v1/approvals")).json()["approvals"]) == 1


async def test_a_call_whose_end_is_not_known_is_not_done_again(al: PartyNode, world: World) -> None:
    """As after a crash between the call and its answer; a day later the key is free."""
    await al.post("/imports", params={"name": "list"}, content=LIST, headers=keyed(1))
    with al.node.store.transaction("test.crash") as session:
        session.query(KeptAnswerRow).one().call_digest = None
    again = await al.post("/imports", params={"name": "list"}, content=LIST, headers=keyed(1))
    assert (again.status_code, again.json()["code"]) == (409, "idempotency_key_not_over")
    assert await lists(al) == 1
    world.clock.time += 86_400
    assert (await al.post("/imports", params={"name": "list"}, content=LIST, headers=keyed(1))).status_code == 201


async def test_a_caller_that_leaves_before_its_body_is_whole_keeps_its_key(al: PartyNode) -> None:
    """As when the line breaks: nothing was done, and the call is made again under the same key."""
    came: list[Message] = [{"type": "http.request", "body": LIST[:9], "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Message:
        return came.pop(0)

    async def send(message: Message) -> None:
        """Nobody hears an answer."""

    async with al.person(Role.OFFICER) as officer:
        call = officer.build_request("POST", "/v1/imports?name=list", content=LIST, headers=keyed(1))
        await al.app(
            {
                "type": "http",
                "method": "POST",
                "scheme": "http",
                "path": "/v1/imports",
                "query_string": b"name=list",
                "headers": [(name.lower(), value) for name, value in call.headers.raw],
                "server": ("node.test", 80),
            },
            receive,
            send,
        )
        assert not came
        assert await lists(al) == 0
        assert (await officer.send(call)).status_code == 201


async def test_an_old_answer_goes_though_no_other_call_comes(al: PartyNode, world: World) -> None:
    await al.post("/imports", params={"name": "list"}, content=LIST, headers=keyed(1))
    for passed, kept in ((86_399, 1), (1, 0)):
        world.clock.time += passed
        erase_old_answers(al.node.people)
        with al.node.store.reading("test.kept") as session:
            assert session.query(KeptAnswerRow).count() == kept


async def test_two_at_once_are_one(al: PartyNode) -> None:
    calls = [al.post("/imports", params={"name": "list"}, content=LIST, headers=keyed(1)) for _ in range(4)]
    answers = [answer.status_code for answer in await asyncio.gather(*calls)]
    assert set(answers) <= {201, 409}
    assert 201 in answers
    assert await lists(al) == 1


async def test_an_erasure_forgets_answers(al: PartyNode) -> None:
    """They hold findings, with the numbers of records; the call is not done again all the same."""
    await al.post("/imports", params={"name": "list"}, content=LIST, headers=keyed(1))
    async with al.person(Role.ANALYST) as analyst:
        assert (await analyst.post("/v1/erasures", json={"record_id": "al-list-1"})).status_code == 200
    with al.node.store.reading("test.kept") as session:
        assert [row.body for row in session.query(KeptAnswerRow)] == [b""]
    again = await al.post("/imports", params={"name": "list"}, content=LIST, headers=keyed(1))
    assert again.status_code == 409


async def test_a_key_where_none_is_taken(al: PartyNode) -> None:
    """It is refused rather than ignored: the caller relies on it."""
    async with al.person(Role.ANALYST) as analyst:
        answer = await analyst.post("/v1/hits/search", json={}, headers=keyed(1))
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_not_taken")
        for unusable in ("", "two words", "x" * 256):
            answer = await analyst.post("/v1/hits/undo", json={"number": 1}, headers={"idempotency-key": unusable})
            assert answer.status_code == 422, unusable
