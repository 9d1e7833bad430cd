"""One administrator of the matcher admits a party that nobody knows, or one of a node accepts the registry with it."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from aquila.audit.roles import Role
from aquila.errors import OrderError, PolicyError
from aquila.protocol.registration.statements import RegistryStatement, next_statement
from services.kit.people.context import People
from services.kit.people.keys import TOKEN_FILE
from services.kit.storage import registry as stored
from services.matcher.administration import registry
from services.matcher.context import MatcherContext
from services.node.context import NodeContext
from services.node.safeguards.registry import accept
from tests.support.ceremony import REGISTRY, fetched, invite, make_home
from tests.support.node_world import MATCHER_URL, World
from tests.support.people import signed_in

pytestmark = pytest.mark.parties("AL", "RS")


async def call(app: Any, token: str, method: str, path: str, **body: object) -> httpx.Response:
    """Make a call to a service over HTTP as whoever holds a token."""
    transport, headers = httpx.ASGITransport(app=app), {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url=MATCHER_URL, headers=headers) as one:
        return await one.request(method, path, json=body or None)


async def decide(app: Any, token: str, asked: dict[str, Any], how: str = "approve") -> tuple[int, str]:
    """Decide on a request, and return the status and the code of what is refused."""
    body = {"approve": {"digest": asked["digest"]}, "refuse": {"reason": "who is that?"}}.get(how, {})
    answer = await call(app, token, "POST", f"/v1/approvals/{asked['approval_id']}/{how}", **body)
    return answer.status_code, answer.json().get("code", "")


def key_of_home(service: MatcherContext | NodeContext) -> str:
    """Return the key in the home, which acts as administrator."""
    return (service.settings.home / TOKEN_FILE).read_text().strip()


def account(people: People, *roles: Role) -> str:
    return signed_in(people, "-".join(roles), *roles)


def known(world: World) -> tuple[set[str], int]:
    """Return whom the matcher knows, and how many statements it has made."""
    context = world.app.state.context
    with context.store.reading("test.statements") as session:
        return {*context.registry.parties}, len(stored.statements_from(session, context.registry))


async def ask(world: World, token: str, party: str = "HR") -> httpx.Response:
    """Ask to admit an invented party, whose words the administrator knows: it is the administrator's own."""
    made = make_home(world, await invite(world, party), party)
    body = {"content": made.request.decode(), "spoken": made.spoken.sentence}
    return await call(world.app, token, "POST", f"{REGISTRY}/parties", **body)


@pytest.mark.parametrize("with_key", [True, False])
async def test_one_administrator_of_the_matcher(world: World, *, with_key: bool) -> None:
    """By the key in the home or by an account with every right: nothing is stated before another person approves."""
    people = world.app.state.context.people
    both = account(people, Role.ADMINISTRATOR, Role.SECRETARIAT)
    answer = await ask(world, key_of_home(world.app.state.context) if with_key else both)
    assert answer.status_code == 202, answer.text
    asked = answer.json()
    refused = "request_of_home_key" if with_key else "request_of_same_person"
    assert await decide(world.app, both, asked) == (403, refused)
    assert await decide(world.app, account(people, Role.ADMINISTRATOR), asked) == (403, "role_needed")
    assert await decide(world.app, key_of_home(world.app.state.context), asked) == (403, "role_needed")
    assert known(world) == ({"AL", "RS"}, 0)
    assert (await fetched(world.nodes["AL"]))["waiting"] is None
    # The second person reads who joins, under which key, and what was heard.
    second = account(people, Role.SECRETARIAT)
    shown = (await call(world.app, second, "GET", f"/v1/approvals/{asked['approval_id']}")).json()["content"]["changes"]
    assert [one["party"] for one in shown["joins"]] == ["AL", "HR", "RS"]  # nothing was stated before
    assert shown["joins"][1]["name"] == "Party HR"
    assert len(shown["heard"].split()) == 12
    assert await decide(world.app, second, asked | {"digest": "0" * 64}) == (403, "decision_digest_differs")
    assert await decide(world.app, second, asked) == (200, "")
    assert known(world) == ({"AL", "HR", "RS"}, 1)


async def test_a_second_person_says_no(world: World) -> None:
    """One change waits at a time, and ends by a refusal, its author, or its time."""
    people = world.app.state.context.people
    one, second = account(people, Role.ADMINISTRATOR), account(people, Role.SECRETARIAT)
    asked = (await ask(world, one)).json()
    assert (await call(world.app, one, "GET", REGISTRY)).json()["asked"]["approval_id"] == asked["approval_id"]
    again = await call(world.app, one, "POST", f"{REGISTRY}/parties/AL/remove")
    assert (again.status_code, again.json()["code"]) == (409, "registry_change_waits")
    assert await decide(world.app, second, asked, "refuse") == (200, "")
    asked = (await call(world.app, one, "POST", f"{REGISTRY}/parties/AL/remove")).json()
    assert await decide(world.app, one, asked, "withdraw") == (200, "")
    asked = (await call(world.app, one, "POST", f"{REGISTRY}/parties/AL/remove")).json()
    world.clock.time += people.settings.approval_hours * 3_600
    assert await decide(world.app, second, asked) == (409, "request_waited_too_long")
    assert (await call(world.app, one, "GET", REGISTRY)).json()["asked"] is None
    assert known(world) == ({"AL", "RS"}, 0)


async def test_the_key_of_the_home_withdraws_nothing_by_housekeeping(world: World) -> None:
    """It has no account that could be deactivated: what it asked for waits as long as anything."""
    people, context = world.app.state.context.people, world.app.state.context
    asked = (await ask(world, key_of_home(context))).json()
    world.matcher_step()
    assert await decide(world.app, account(people, Role.SECRETARIAT), asked) == (200, "")


async def test_one_administrator_of_a_node(world: World) -> None:
    """The words agree, and nothing is in force before an approver has seen who joins."""
    assert (await ask(world, key_of_home(world.app.state.context))).status_code == 202
    (asked,) = (await world.operator.get("/v1/approvals", params={"waiting": "true"})).json()["approvals"]
    assert await decide(world.app, account(world.app.state.context.people, Role.SECRETARIAT), asked) == (200, "")
    node = world.nodes["AL"]
    waiting = (await fetched(node))["waiting"]
    body = {"digest": waiting["digest"], "spoken": " ".join(waiting["words"])}
    both = account(node.node.people, Role.ADMINISTRATOR, Role.APPROVER)
    for token, refused in ((both, "request_of_same_person"), (key_of_home(node.node), "request_of_home_key")):
        answer = await call(node.app, token, "POST", "/v1/registry/accept", **body)
        assert answer.status_code == 202, answer.text
        asked = answer.json()
        again = await call(node.app, both, "POST", "/v1/registry/accept", **body)
        assert again.json()["code"] == "same_request_already_waiting"
        assert await decide(node.app, both, asked) == (403, refused)
        assert "HR" not in node.node.registry.parties
        if token == both:
            assert await decide(node.app, both, asked, "withdraw") == (200, "")
    approver = account(node.node.people, Role.APPROVER)
    shown = (await call(node.app, approver, "GET", f"/v1/approvals/{asked['approval_id']}")).json()["content"]
    assert [one["party"] for one in shown["changes"]["joins"]] == ["HR"]
    assert shown["changes"]["heard"] == body["spoken"]
    assert await decide(node.app, approver, asked) == (200, "")
    assert "HR" in node.node.registry.parties


async def test_rows_of_an_approval_that_nobody_gave(world: World) -> None:
    """Who writes into the database makes a request approved, and nothing is stated; nor is it after a restart."""
    context = world.app.state.context
    asked = (await ask(world, account(context.people, Role.ADMINISTRATOR))).json()
    with context.store.engine.begin() as connection:
        done = connection.execute(text("UPDATE approval SET state = 'approved', decided_by = 'p-0123456789ab'"))
        assert done.rowcount == 1
    world.matcher_step()
    assert known(world) == ({"AL", "RS"}, 0)
    status, _ = await decide(world.app, account(context.people, Role.SECRETARIAT), asked)
    assert status == 503
    assert known(world) == ({"AL", "RS"}, 0)


def stated(context: MatcherContext, **changes: object) -> RegistryStatement:
    return next_statement(context.registry, None, context.clock(), MATCHER_URL, None).model_copy(update=changes)


async def test_nothing_is_signed_without_two_persons_in_the_log(world: World) -> None:
    """Whatever way leads there: without both entries there is no statement and no acceptance."""
    context, node = world.app.state.context, world.nodes["AL"]
    with pytest.raises(PolicyError) as caught, context.store.transaction("test.state") as session:
        registry.state(context, session, stated(context))
    assert caught.value.sentence.code == "registry_approval_not_in_log"
    assert known(world) == ({"AL", "RS"}, 0)
    assert (await world.operator.post(REGISTRY)).status_code == 202
    waiting = (await fetched(node))["waiting"]
    with pytest.raises(PolicyError) as caught, node.node.store.transaction("test.accept") as session:
        accept(node.node, session, waiting["digest"])
    assert caught.value.sentence.code == "registry_approval_not_in_log"
    assert (await fetched(node))["in_force"] is None


async def test_an_approval_of_an_older_registry(world: World) -> None:
    """What was asked for before another change was stated is stated no more."""
    context = world.app.state.context
    assert (await world.operator.post(REGISTRY)).status_code == 202
    with context.store.reading("test.check") as session:
        for message in (stated(context), stated(context, number=2, previous="0" * 64)):
            with pytest.raises(OrderError) as caught:
                registry.check_change(context, session, message)
            assert caught.value.sentence.code == "registry_changed_meanwhile"
