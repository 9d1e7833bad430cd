"""The pages of standing queries: set up at the matcher, approved, asked in two rounds, prolonged and withdrawn."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from aquila.audit.roles import Role, Service
from clients.web.wiring import front_of
from services.node.records.queries import standing_queries
from tests.support.node_steps import round_for_queries
from tests.support.node_world import PartyNode, World
from tests.support.played_worlds import WorldAfter
from tests.support.web_world import Browser, endpoint, visitor_of

pytestmark = pytest.mark.more_rounds

REASON = {
    "legal_basis": "Article 7",
    "purpose": "check of identity",
    "case_reference": "2026/7",
    "category": "travellers",
    "urgency": "normal",
}
ROWS = {
    "given_names": ["Mira"],
    "family_names": ["Janković"],
    "date_of_birth": ["8.8.1988"],
    "nationality": [""],
    "document_numbers": [""],
}


def day(world: World, after: int) -> str:
    """Return a day some days after the world's present one, as a form has it."""
    return (datetime.fromtimestamp(world.clock.time, UTC) + timedelta(days=after)).date().isoformat()


async def approve(party_node: PartyNode, approver: Browser) -> str:
    (waits,) = [one for one in (await party_node.get("/approvals"))["approvals"] if one["state"] == "waiting"]
    page = await approver.open(f"/approvals/{waits['approval_id']}")
    await approver.send(f"/approvals/{waits['approval_id']}/approve", digest=waits["digest"], read="yes")
    assert approver.answer.status_code == 200
    return page


def first_of(page: str) -> str:
    path = re.search(r'href="(/queries/standing/[0-9a-f]{32})"', page)
    assert path
    return path[1]


async def test_an_officer_sets_one_up_and_reads_what_it_found(world_after: WorldAfter) -> None:
    """Faults stand at the day, a second person reads the terms, and what is new is said on Home and on its page."""
    world, round_id = await world_after(round_for_queries)
    party_node = world.nodes["AL"]
    app = front_of(Service.NODE, "Albania")(party_node.app, endpoint())
    officer, analyst, approver = (
        visitor_of(app, party_node, role) for role in (Role.OFFICER, Role.ANALYST, Role.APPROVER)
    )
    assert "There is none yet." in await officer.open("/queries/standing")
    assert "Ask again in later rounds until" in await officer.open("/queries")
    page = await officer.send("/queries", round_id=round_id, until="soon", **REASON, **ROWS)
    assert "Write the day as 2027-03-31." in page
    page = await officer.send("/queries", round_id=round_id, until=day(world, 999), step="ask", **REASON, **ROWS)
    assert "is approved for at most 180 days" in page
    assert "Janković" in page
    page = await officer.send("/queries", round_id=round_id, until=day(world, 9), step="ask", **REASON, **ROWS)
    assert "Waiting for approval." in page
    read = await approve(party_node, approver)
    for text in ("asked in each coming round", "Among no others than", "check of identity", "PCC SEE"):
        assert text in read
    assert standing_queries.advance(party_node.node)
    await world.settle()
    page = await officer.open("/")
    for text in ("New hits of standing queries", "Standing queries that end soon", "See the standing queries"):
        assert text in page
    page = await officer.open("/queries/standing")
    assert "1 hit, 1 not there before" in page
    path = first_of(page)
    page = await officer.open(path)
    for text in ("Mira Janković", "1 hit is on a person and a party", "Ask for longer", "Withdraw it", "ends soon"):
        assert text in page
    page = await analyst.open(path)
    assert "Mira Janković" in page
    assert "Withdraw it" not in page
    assert "/hits?kind=query&stage=new" in page
    app.end()


async def test_an_officer_asks_once_more_prolongs_and_withdraws(world_after: WorldAfter) -> None:
    world, round_id = await world_after(round_for_queries)
    party_node = world.nodes["AL"]
    app = front_of(Service.NODE, "Albania")(party_node.app, endpoint())
    officer, approver = (visitor_of(app, party_node, role) for role in (Role.OFFICER, Role.APPROVER))
    await officer.open("/queries")
    await officer.send("/queries", round_id=round_id, until=day(world, 9), step="ask", **REASON, **ROWS)
    await approve(party_node, approver)
    path = first_of(await officer.open("/queries/standing"))
    other = await world.propose(mode="lists_and_queries", purpose="another purpose")
    await party_node.post(f"/rounds/{other}/consent")
    page = await officer.open(path)
    assert "Its terms differ from those that were approved." in page
    assert "Purpose: another purpose." in page
    assert "Waiting for approval." in await officer.send(f"{path}/ask", round_id=other)
    await approve(party_node, approver)
    assert "Its terms differ" not in await officer.open(path)
    await officer.send(f"{path}/prolong", until="never")
    assert officer.answer.status_code == 422
    await officer.open(path)
    await officer.send(f"{path}/prolong", until=day(world, 100))
    await approve(party_node, approver)
    page = await officer.open("/queries/standing")
    assert "replaced by another" in page
    path = first_of(page)
    await officer.open(path)
    assert "The standing query is withdrawn." in await officer.send(f"{path}/withdraw", reason="the case is closed")
    page = await officer.open(path)
    assert "the case is closed" in page
    assert "Withdraw it" not in page
    assert "standing query" in await visitor_of(app, party_node, Role.AUDITOR).open("/log")
    app.end()


async def test_a_standing_query_without_a_round_that_is_open(world_after: WorldAfter) -> None:
    world, round_id = await world_after(round_for_queries)
    party_node = world.nodes["AL"]
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle()
    app = front_of(Service.NODE, "Albania")(party_node.app, endpoint())
    officer = visitor_of(app, party_node, Role.OFFICER)
    page = await officer.open("/queries")
    assert re.search(r"later rounds like \d{4}-\d\d terrorism: AL, RS, SI", page)
    page = await officer.send("/queries", round_id=round_id, until="", **REASON, **ROWS)
    assert "Give a day until which later rounds of its terms are asked." in page
    page = await officer.send("/queries", round_id=round_id, until=day(world, 30), step="ask", **REASON, **ROWS)
    assert "Waiting for approval." in page
    app.end()
