"""Four eyes at a node: what one person asks for waits, and exactly that takes effect when another approves it."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from aquila.audit.roles import Role
from aquila.protocol.approvals import content_digest
from services.kit.approvals.decisions import expire_requests
from services.kit.approvals.requests import expire
from services.kit.approvals.tables import ApprovalRow
from services.kit.people.tables import AccountRow
from services.node.steps.close import erase_justifications
from services.node.storage.tables import ImportRow, RecordRow, SubmissionRow
from tests.support import stored_log
from tests.support.node_world import HEADER, JUSTIFICATION, LISTS, PartyNode, World
from tests.support.sealing import sealed
from tests.support.sentence_texts import texts

pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.postgresql_soak]


class Staff:
    def __init__(self, party_node: PartyNode) -> None:
        self.party_node = party_node
        self.officer = party_node.person(Role.OFFICER)
        self.approver = party_node.person(Role.APPROVER)

    async def ask_consent(self, round_id: str) -> dict[str, Any]:
        answer = await self.officer.post(f"/v1/rounds/{round_id}/consent")
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    async def ask_submission(self, round_id: str, import_id: str) -> dict[str, Any]:
        wanted = {"import_id": import_id, "kind": "list", "justification": JUSTIFICATION}
        answer = await self.officer.post(f"/v1/rounds/{round_id}/submissions", json=wanted)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    async def decide(
        self, asked: dict[str, Any], decision: str = "approve", *, by: httpx.AsyncClient | None = None, **body: Any
    ) -> httpx.Response:
        shown = body or {"digest": asked["digest"]}
        return await (by or self.approver).post(f"/v1/approvals/{asked['approval_id']}/{decision}", json=shown)

    async def shown(self, asked: dict[str, Any]) -> dict[str, Any]:
        answer = await self.approver.get(f"/v1/approvals/{asked['approval_id']}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def logged(self) -> list[str]:
        with self.party_node.node.store.reading("test.log") as session:
            kinds = [entry.kind.value for _, entry in stored_log.entries(session) if entry]
        return [kind for kind in kinds if kind.startswith("appro")]


@pytest.fixture
async def staff(world: World) -> Staff:
    return Staff(world.nodes["AL"])


async def test_a_consent_waits_for_a_second_person(world: World, staff: Staff) -> None:
    round_id = await world.propose()
    asked = await staff.ask_consent(round_id)
    await world.settle()
    view = await staff.party_node.round(round_id)
    assert (view["consented"], view["wishes"]) == (False, [])
    shown = await staff.shown(asked)
    assert shown["content"]["manifest"] == view["manifest"]
    assert content_digest(shown["content"]) == asked["digest"]
    decided = await staff.decide(asked)
    assert (decided.status_code, decided.json()["state"]) == (200, "approved")
    # The node's own people read names, which neither the log nor the content has.
    entry = (await staff.shown(asked))["entry"]
    with staff.party_node.node.store.reading("test.names") as session:
        names = {row.person: row.login for row in session.scalars(select(AccountRow))}
    assert (entry["author_name"], entry["decided_by_name"]) == (names[entry["author"]], names[entry["decided_by"]])
    assert entry["author_name"] not in str(shown["content"])
    await world.settle()
    assert (await staff.party_node.round(round_id))["consented"]
    assert staff.logged() == ["approval_requested", "approved"]


async def test_a_submission_takes_effect_as_it_was_approved(world: World, staff: Staff) -> None:
    round_id = await world.begin(lists=False)
    asked = await staff.ask_submission(round_id, await staff.party_node.load(HEADER + LISTS["AL"], "informants"))
    assert (await staff.party_node.round(round_id))["submissions"] == []
    shown = await staff.shown(asked)
    assert shown["content"]["import"]["name"] == "informants"
    assert shown["content"]["import"]["records"] == 3
    assert (await staff.decide(asked)).status_code == 200
    with staff.party_node.node.store.reading("test") as session:
        row = session.get_one(SubmissionRow, asked["submission_id"])
    assert row.justification == JUSTIFICATION | {"officer": shown["entry"]["author"]}


async def test_nothing_is_asked_without_a_justification(world: World, staff: Staff) -> None:
    round_id = await world.begin(lists=False)
    import_id = await staff.party_node.load(HEADER + LISTS["AL"])
    for change in (*({missing: ""} for missing in JUSTIFICATION), {"officer": "p-0123456789ab"}):
        wanted = {"import_id": import_id, "kind": "list", "justification": JUSTIFICATION | change}
        answer = await staff.officer.post(f"/v1/rounds/{round_id}/submissions", json=wanted)
        assert answer.status_code == 422
    assert (await staff.approver.get("/v1/approvals")).json()["approvals"][0]["state"] == "approved"  # the consent


async def test_what_cannot_take_effect_is_not_asked_for(world: World, staff: Staff) -> None:
    """An unknown round or list, a second consent, and a list without a consent are refused at once."""
    round_id = await world.propose()
    wanted = {"import_id": "0" * 32, "kind": "list", "justification": JUSTIFICATION}
    assert (await staff.officer.post(f"/v1/rounds/{'0' * 32}/consent")).status_code == 404
    assert (await staff.officer.post(f"/v1/rounds/{round_id}/submissions", json=wanted)).status_code == 404
    wanted["import_id"] = await staff.party_node.load(HEADER + LISTS["AL"])
    assert (await staff.officer.post(f"/v1/rounds/{round_id}/submissions", json=wanted)).status_code == 409
    await staff.decide(await staff.ask_consent(round_id))
    assert (await staff.officer.post(f"/v1/rounds/{round_id}/consent")).status_code == 409


async def test_what_cannot_take_effect_any_more_is_not_approved(world: World, staff: Staff) -> None:
    """The consent comes too late: nothing is recorded, and the request still waits."""
    round_id = await world.propose()
    asked = await staff.ask_consent(round_id)
    world.clock.time += 8 * 86_400
    with staff.party_node.node.store.transaction("test") as session:
        session.execute(update(ApprovalRow).values(expires_at=world.clock.time + 1))
        sealed(session)
    assert (await staff.decide(asked)).status_code == 409
    assert (await staff.shown(asked))["entry"]["state"] == "waiting"


async def test_a_refusal_and_its_reason(world: World, staff: Staff) -> None:
    round_id = await world.propose()
    asked = await staff.ask_consent(round_id)
    refused = await staff.decide(asked, "refuse", reason="the legal basis is another one")
    assert refused.status_code == 200
    listed = (await staff.officer.get("/v1/approvals")).json()["approvals"]
    assert [(entry["state"], entry["reason"], entry["own"]) for entry in listed] == [
        ("refused", "the legal basis is another one", True)
    ]
    counts = {"waiting=true": 0, f"round_id={round_id}": 1, f"round_id={'0' * 32}": 0}
    for asked_for, count in counts.items():
        found = (await staff.officer.get(f"/v1/approvals?{asked_for}")).json()["approvals"]
        assert len(found) == count, asked_for
    for decision in ("approve", "refuse"):
        body = {} if decision == "approve" else {"reason": "no"}
        assert (await staff.decide(asked, decision, **body)).status_code == 409
    assert staff.logged() == ["approval_requested", "approval_denied"]


async def test_an_author_takes_a_request_back(world: World, staff: Staff) -> None:
    asked = await staff.ask_consent(await world.propose())
    other = staff.party_node.person(Role.OFFICER, Role.ANALYST)
    path = f"/v1/approvals/{asked['approval_id']}/withdraw"
    assert (await other.post(path)).status_code == 403
    assert (await staff.officer.post(path)).json()["state"] == "withdrawn"
    assert (await staff.officer.post(path)).status_code == 409
    assert (await staff.decide(asked)).status_code == 409


async def test_a_request_expires(world: World, staff: Staff) -> None:
    """After three days nobody approves it, and the log says that it is over."""
    asked = await staff.ask_consent(await world.propose())
    world.clock.time += 72 * 3_600
    assert (await staff.decide(asked)).status_code == 409
    assert (await staff.shown(asked))["entry"]["state"] == "expired"
    approvals = staff.party_node.app.state.approvals
    assert expire(approvals)
    assert not expire(approvals)
    assert staff.logged() == ["approval_requested", "approval_denied"]


async def test_a_content_that_was_changed_in_the_database_takes_no_effect(world: World, staff: Staff) -> None:
    asked = await staff.ask_consent(await world.propose())
    with staff.party_node.node.store.transaction("test") as session:
        row = session.scalars(select(ApprovalRow)).one()
        row.content = row.content.replace(b"terrorism", b"tax fraud")
    assert (await staff.decide(asked)).status_code == 503
    assert (await staff.approver.get(f"/v1/approvals/{asked['approval_id']}")).status_code == 503
    assert staff.logged() == ["approval_requested"]


@pytest.mark.more_rounds
async def test_a_list_that_was_replaced_is_another_one(world: World, staff: Staff) -> None:
    """The approver saw three records; with two it is another content."""
    round_id = await world.begin(lists=False)
    import_id = await staff.party_node.load(HEADER + LISTS["AL"])
    asked = await staff.ask_submission(round_id, import_id)
    assert (await staff.party_node.operator.delete(f"/v1/imports/{import_id}")).status_code == 204
    assert (await staff.decide(asked)).status_code == 404
    assert (await staff.party_node.round(round_id))["submissions"] == []


def change_a_record(party_node: PartyNode) -> None:
    """Put another person in the place of a stored record, as who has the database can."""
    with party_node.node.store.transaction("test.forge") as session:
        row = session.scalars(select(RecordRow).where(RecordRow.record_id == "al-list-1")).one()
        row.content = row.content.replace(b"Hoxha", b"Kurti")


async def test_a_record_that_was_changed_in_the_database_is_not_asked_for(world: World, staff: Staff) -> None:
    round_id = await world.begin(lists=False)
    import_id = await staff.party_node.load(HEADER + LISTS["AL"])
    change_a_record(staff.party_node)
    wanted = {"import_id": import_id, "kind": "list", "justification": JUSTIFICATION}
    answer = await staff.officer.post(f"/v1/rounds/{round_id}/submissions", json=wanted)
    assert (answer.status_code, "not those that were imported" in answer.json()["detail"]) == (409, True)
    with staff.party_node.node.store.transaction("test.restored") as session:
        session.get_one(ImportRow, import_id).digest = None
    shown = await staff.shown(await staff.ask_submission(round_id, import_id))
    with staff.party_node.node.store.reading("test.digest") as session:
        # A list that came before there were digests has one from when it is first asked for.
        assert session.get_one(ImportRow, import_id).digest == shown["content"]["import"]["digest"]


async def test_a_record_that_was_changed_after_it_was_asked_for(world: World, staff: Staff) -> None:
    round_id = await world.begin(lists=False)
    asked = await staff.ask_submission(round_id, await staff.party_node.load(HEADER + LISTS["AL"]))
    change_a_record(staff.party_node)
    answer = await staff.decide(asked)
    assert (answer.status_code, "not those that were imported" in answer.json()["detail"]) == (409, True)
    assert (await staff.party_node.round(round_id))["submissions"] == []


@pytest.mark.parametrize("state", ["wished", pytest.param("preparing", marks=pytest.mark.more_rounds)])
async def test_a_record_that_was_changed_after_the_approval(world: World, staff: Staff, state: str) -> None:
    """Nothing of the list is sent, and the round says why; also where it was changed while it was being prepared."""
    round_id = await world.begin(lists=False)
    asked = await staff.ask_submission(round_id, await staff.party_node.load(HEADER + LISTS["AL"]))
    await staff.decide(asked)

    async def reached() -> bool:
        return bool((await staff.party_node.round(round_id))["submissions"][0]["state"] == state)

    await world.until(reached)
    change_a_record(staff.party_node)
    await world.settle()
    view = await staff.party_node.round(round_id)
    assert [one["state"] for one in view["submissions"]] == ["failed"]
    assert any("not those that were approved" in problem for problem in texts(view["problems"]))


@pytest.mark.more_rounds
async def test_an_erased_record_makes_it_another_list(world: World, staff: Staff) -> None:
    round_id = await world.begin(lists=False)
    import_id = await staff.party_node.load(HEADER + LISTS["AL"])
    asked = await staff.ask_submission(round_id, import_id)
    assert (await staff.party_node.post("/erasures", json={"record_id": "al-list-1"})).status_code == 200
    answer = await staff.decide(asked)
    assert (answer.status_code, "not the one any more" in answer.json()["detail"]) == (409, True)
    await staff.decide(await staff.ask_submission(round_id, import_id))

    async def sent() -> bool:
        return bool((await staff.party_node.round(round_id))["submissions"][0]["state"] == "submitted")

    await world.until(sent)


async def test_reasons_are_erased_after_three_years(world: World, staff: Staff) -> None:
    round_id = await world.begin(lists=False)
    asked = await staff.ask_submission(round_id, await staff.party_node.load(HEADER + LISTS["AL"]))
    await staff.decide(asked)
    node, approvals = staff.party_node.node, staff.party_node.app.state.approvals
    world.clock.time += 1_095 * 86_400 - 1
    assert not expire_requests(approvals, 1_095)
    assert not erase_justifications(node)
    world.clock.time += 1
    assert expire_requests(approvals, 1_095)
    assert erase_justifications(node)
    assert not expire_requests(approvals, 1_095) | erase_justifications(node)
    shown = await staff.shown(asked)
    assert (shown["content"], shown["entry"]["digest"]) == ({}, asked["digest"])
    with node.store.reading("test") as session:
        assert session.get_one(SubmissionRow, asked["submission_id"]).justification == {}
        erased = [entry.counts for _, entry in stored_log.entries(session) if entry and entry.kind == "erasure"]
    assert erased == [{"requests": 2}, {"justifications": 1}]


async def test_an_unknown_request(staff: Staff) -> None:
    nothing = {"approval_id": "0" * 32, "digest": "0" * 64}
    assert (await staff.decide(nothing)).status_code == 404
    assert (await staff.decide(nothing, "refuse", reason="no")).status_code == 404
    assert (await staff.officer.post(f"/v1/approvals/{'0' * 32}/withdraw")).status_code == 404
