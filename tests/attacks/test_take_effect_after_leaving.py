"""Who lost an account or a right wants what they asked for to take effect all the same, or to bury the approver."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from aquila.audit.entries import Word
from aquila.audit.roles import Role
from services.kit.actor import LOCAL_KEY, Actor
from services.kit.approvals.decisions import expire_requests
from services.kit.approvals.requests import MOST_WAITING
from services.kit.approvals.tables import ApprovalRow
from services.kit.people.accounts import change_roles, reset_account, switch_account
from services.kit.people.context import People
from services.kit.people.tables import AccountRow, PeopleRows
from tests.support import stored_log
from tests.support.node_world import HEADER, JUSTIFICATION, LISTS, PartyNode, World
from tests.support.sealing import sealed

ADMINISTRATOR = Actor(LOCAL_KEY, frozenset({Role.ADMINISTRATOR}), Role.ADMINISTRATOR)


pytestmark = pytest.mark.parties("AL", "RS")


def deactivate(people: People, person: str) -> None:
    switch_account(people, ADMINISTRATOR, person, active=False)


def reset(people: People, person: str) -> None:
    """Forget password and authenticator."""
    reset_account(people, ADMINISTRATOR, person)


def demote(people: People, person: str) -> None:
    """Leave the account a role that asks for nothing."""
    change_roles(people, ADMINISTRATOR, person, [Role.ANALYST])


def behind(people: People, person: str) -> None:
    """Deactivate the account by another way than the use case, so that nothing was withdrawn."""
    with people.store.transaction("test.behind") as session:
        session.execute(update(AccountRow).where(AccountRow.person == person).values(active=False))
        sealed(session, PeopleRows)


async def asked_consent(world: World, party_node: PartyNode) -> dict[str, Any]:
    answer = await party_node.person(Role.OFFICER).post(f"/v1/rounds/{await world.propose()}/consent")
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def approved(party_node: PartyNode, asked: dict[str, Any]) -> int:
    """Let an approver approve, and return the status of the answer."""
    path = f"/v1/approvals/{asked['approval_id']}/approve"
    return (await party_node.person(Role.APPROVER).post(path, json={"digest": asked["digest"]})).status_code


def stored(party_node: PartyNode) -> ApprovalRow:
    with party_node.node.store.reading("test.request") as session:
        return session.scalars(select(ApprovalRow)).one()


@pytest.mark.parametrize("leave", [deactivate, reset, demote])
async def test_a_request_ends_with_its_author(world: World, leave: Callable[[People, str], None]) -> None:
    """It is withdrawn at once, the log says by whom, and nobody can approve it, even with the author back."""
    party_node = world.nodes["AL"]
    asked = await asked_consent(world, party_node)
    author = stored(party_node).author
    leave(party_node.node.people, author)
    row = stored(party_node)
    assert (row.state, row.decided_by) == ("withdrawn", LOCAL_KEY)
    with party_node.node.store.reading("test.log") as session:
        last = [entry for _, entry in stored_log.entries(session) if entry and entry.ids and "how" in entry.ids][-1]
    assert (last.ids["how"], last.person, last.round) == (Word.WITHDRAWN, LOCAL_KEY, row.round_id)
    assert await approved(party_node, asked) == 409
    switch_account(party_node.node.people, ADMINISTRATOR, author, active=True)
    change_roles(party_node.node.people, ADMINISTRATOR, author, [Role.OFFICER])
    assert await approved(party_node, asked) == 409
    await world.settle("AL")
    assert not (await party_node.round(row.round_id))["consented"]


async def test_a_request_that_nobody_withdrew_takes_no_effect(world: World) -> None:
    """An approval looks at the author in its own transaction; housekeeping withdraws the request."""
    party_node = world.nodes["AL"]
    asked = await asked_consent(world, party_node)
    behind(party_node.node.people, stored(party_node).author)
    assert await approved(party_node, asked) == 409
    assert stored(party_node).state == "waiting"
    assert expire_requests(party_node.app.state.approvals, 1_095)
    assert not expire_requests(party_node.app.state.approvals, 1_095)
    assert stored(party_node).state == "withdrawn"


async def test_who_may_not_decide_any_more_decides_nothing(world: World) -> None:
    """A session that the service still holds is not enough: the approver's account is looked at, too."""
    party_node = world.nodes["AL"]
    asked = await asked_consent(world, party_node)
    approver = party_node.person(Role.APPROVER)
    with party_node.node.store.transaction("test.roles") as session:
        login = AccountRow.login == "person-approver"
        session.execute(update(AccountRow).where(login).values(roles=[Role.ANALYST.value]))
        sealed(session, PeopleRows)
    path = f"/v1/approvals/{asked['approval_id']}/approve"
    assert (await approver.post(path, json={"digest": asked["digest"]})).status_code == 403
    assert stored(party_node).state == "waiting"


async def test_other_rights_are_no_reason_to_withdraw(world: World) -> None:
    """An officer who becomes an analyst besides may still ask for what waits."""
    party_node = world.nodes["AL"]
    asked = await asked_consent(world, party_node)
    change_roles(party_node.node.people, ADMINISTRATOR, stored(party_node).author, [Role.OFFICER, Role.ANALYST])
    assert await approved(party_node, asked) == 200


async def test_the_same_is_asked_for_once(world: World) -> None:
    """By whomever, for whatever reason; another list is another request, and what was decided does not wait."""
    party_node = world.nodes["AL"]
    round_id = await world.begin(lists=False)
    officer, other = party_node.person(Role.OFFICER), party_node.person(Role.OFFICER, Role.ANALYST)
    wanted = {"import_id": await party_node.load(HEADER + LISTS["AL"]), "kind": "list", "justification": JUSTIFICATION}
    path = f"/v1/rounds/{round_id}/submissions"
    first = (await officer.post(path, json=wanted)).json()
    for person in (officer, other):
        again = await person.post(path, json=wanted)
        assert (again.status_code, first["approval_id"] in again.text) == (409, True)
    elsewhere = wanted | {"justification": JUSTIFICATION | {"case_reference": "2026/2"}}
    assert (await other.post(path, json=elsewhere)).status_code == 409
    another = wanted | {"import_id": await party_node.load(HEADER + LISTS["AL"], "another list")}
    assert (await other.post(path, json=another)).status_code == 202
    assert (await officer.post(f"/v1/approvals/{first['approval_id']}/withdraw")).status_code == 200
    assert (await other.post(path, json=wanted)).status_code == 202


async def test_an_approver_is_not_buried_in_requests(world: World) -> None:
    """One account has so many requests waiting and no more; another account can still ask."""
    party_node = world.nodes["AL"]
    round_id = await world.begin(lists=False)
    officer, other = party_node.person(Role.OFFICER), party_node.person(Role.OFFICER, Role.ANALYST)
    path = f"/v1/rounds/{round_id}/submissions"

    async def ask(person: httpx.AsyncClient, number: int) -> int:
        import_id = await party_node.load(HEADER + LISTS["AL"], f"list {number}")
        wanted = {"import_id": import_id, "kind": "list", "justification": JUSTIFICATION}
        return (await person.post(path, json=wanted)).status_code

    assert [await ask(officer, number) for number in range(MOST_WAITING + 1)] == [202] * MOST_WAITING + [403]
    assert await ask(other, MOST_WAITING + 1) == 202
