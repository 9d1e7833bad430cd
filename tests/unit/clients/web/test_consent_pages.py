"""What officer and approver see of earlier rounds before their party takes part in another one."""

import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest

from aquila.audit.roles import Role, Service
from aquila.records.rules import InputClass
from clients.web.wiring import PagesDispatcher, front_of
from tests.support.node_steps import closed_round
from tests.support.node_world import PartyNode, World
from tests.support.people import signed_in
from tests.support.played_worlds import WorldAfter
from tests.support.web_world import ORIGIN, Browser, endpoint

REASON = {"legal_basis": "Article 7", "purpose": "common persons", "case_reference": "2026/7", "category": "fighters"}
COMPARED = "A party with the reports of two rounds can compare them"


pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.rounds]


@pytest.fixture
async def world(world_after: WorldAfter) -> World:
    world, _ = await world_after(closed_round)
    return world


@pytest.fixture
def pages(world: World) -> Iterator[PagesDispatcher]:
    app = front_of(Service.NODE, "Albania")(world.nodes["AL"].app, endpoint())
    yield app
    app.end()


def visitor(app: PagesDispatcher, party_node: PartyNode, login: str, role: Role) -> Browser:
    cookies = {"aquila-session-8701": signed_in(party_node.node.people, login, role)}
    return Browser(httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ORIGIN, cookies=cookies))


async def test_earlier_rounds_are_shown_before_anybody_decides(pages: PagesDispatcher, world: World) -> None:
    party_node = world.nodes["AL"]
    first = (await party_node.get("/rounds"))["rounds"][0]["round_id"]
    second = await world.propose()
    await world.settle()
    found = await party_node.get(f"/rounds/{second}/safeguards")
    spent = found["earlier_rounds"][0]["spent"][0]
    officer, approver = (visitor(pages, party_node, role.value, role) for role in (Role.OFFICER, Role.APPROVER))
    page = unescape(await officer.open(f"/rounds/{second}"))
    consent = page.split("Shall your party take part?")[1].split("</section>")[0]
    for text in (COMPARED, f'href="/rounds/{first}"', *(str(spent[kind]) for kind in InputClass)):
        assert text in consent
    page = await officer.send(f"/rounds/{second}/consent", headers={"referer": f"{ORIGIN}/rounds/{second}"})
    assert officer.answer.status_code == 422
    assert re.search(r'id="read"[^>]* aria-invalid="true" aria-describedby="read-fault"', page)
    await officer.send(f"/rounds/{second}/consent", read="yes")
    (asked,) = (await party_node.get("/approvals"))["approvals"][:1]
    page = unescape(await approver.open(f"/approvals/{asked['approval_id']}"))
    assert page.index(COMPARED) < page.index("Your decision")
    declared = page.split("Declared by your party")[1].split("</section>")[0]
    assert re.search(r"Coarse ones, of names with at most a year</dt><dd>17,000</dd>", declared)
    assert re.search(r"Names of a list that the coarse ones could find</dt><dd>about 80 of 100</dd>", declared)
    assert f'href="/rounds/{first}"' in page
    await approver.send(f"/approvals/{asked['approval_id']}/approve", digest=asked["digest"], read="yes")
    assert COMPARED not in unescape(await approver.open(f"/approvals/{asked['approval_id']}"))
    await world.settle()
    await officer.open(f"/rounds/{second}")
    page = await officer.send(f"/rounds/{second}/submit", headers={"referer": f"{ORIGIN}/rounds/{second}"}, kind="list")
    assert officer.answer.status_code == 422
    assert re.search(r'<select id="import_id"[^>]* aria-invalid="true" aria-describedby="import_id-fault"', page)
    for browser in (officer, approver):
        await browser.client.aclose()


async def test_a_request_waits_where_it_was_made_and_is_made_once(pages: PagesDispatcher, world: World) -> None:
    """The round's page says for whom and until when, has no form for another one, and chooses no list beforehand."""
    party_node = world.nodes["AL"]
    round_id = await world.propose()
    await world.settle()
    officer, approver = (visitor(pages, party_node, role.value, role) for role in (Role.OFFICER, Role.APPROVER))
    for path, form in (("consent", {"read": "yes"}), ("submit", {"kind": "list"})):
        page = unescape(await officer.open(f"/rounds/{round_id}"))
        assert f'action="/rounds/{round_id}/{path}"' in page
        if path == "submit":
            lists = re.findall(r'<option value="([0-9a-f]*)"( selected)?>', page.split('<select id="import_id"')[1])
            assert lists[0] == ("", " selected")
            form.update(REASON, import_id=lists[1][0])
        sent = await officer.send(f"/rounds/{round_id}/{path}", **form)
        assert "Waiting for approval." in sent
        page = unescape(await officer.open(f"/rounds/{round_id}"))
        assert "It waits for another person of your party with the role of an approver, until" in page
        assert f'action="/rounds/{round_id}/{path}"' not in page
        await officer.send(f"/rounds/{round_id}/{path}", **form)
        assert officer.answer.status_code == 409
        assert "the same request waits for a second person already" in unescape(officer.page)
        (asked,) = [one for one in (await party_node.get("/approvals"))["approvals"] if one["state"] == "waiting"]
        await approver.open(f"/approvals/{asked['approval_id']}")
        await approver.send(f"/approvals/{asked['approval_id']}/approve", digest=asked["digest"], read="yes")
        await world.settle()
    for browser in (officer, approver):
        await browser.client.aclose()
