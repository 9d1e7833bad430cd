"""Erasing a record with hits: one person asks and says why, another approves exactly that, and no trace stays."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import select

from aquila.audit.roles import Role, Service
from clients.web.wiring import front_of
from services.kit.approvals.tables import ApprovalRow
from tests.support import stored_log
from tests.support.node_world import HEADER, PartyNode, World
from tests.support.people import signed_in
from tests.support.stored_hits import StoredHit, store_hits
from tests.support.web_world import ORIGIN, Browser, endpoint

REASON = "the court of Tirana says so"
Staff = tuple["PartyNode", str, Browser, Browser]


@pytest.fixture
async def staff(world: World) -> AsyncIterator[Staff]:
    """Albania's node with a record that has two hits, the path of one, and the browsers of analyst and approver."""
    party_node, round_id = world.nodes["AL"], await world.propose()
    (hit, _) = store_hits(party_node.node.store, round_id, [StoredHit(1, "RS"), StoredHit(1, "SI")], world.clock.time)
    front = front_of(Service.NODE, "Albania")(party_node.app, endpoint())

    def browser(login: str, role: Role) -> Browser:
        cookies = {front._site.cookie("session"): signed_in(party_node.node.people, login, role)}
        return Browser(httpx.AsyncClient(transport=httpx.ASGITransport(app=front), base_url=ORIGIN, cookies=cookies))

    analyst, approver = browser("eva", Role.ANALYST), browser("bor", Role.APPROVER)
    yield party_node, f"/hits/{round_id}/{hit}", analyst, approver
    for one in (analyst, approver):
        await one.client.aclose()
    front.end()


async def ask(analyst: Browser, path: str) -> None:
    await analyst.open(path)
    assert "Ask for the erasure" in analyst.page
    assert "Waiting for approval." in await analyst.send(
        "/hits/erase", record_id="r-1", sure="yes", erasure_reason=REASON
    )


async def read(approver: Browser) -> tuple[str, str]:
    path = re.findall(r'href="(/approvals/[0-9a-f]{32})"', await approver.open("/approvals"))[0]
    page = await approver.open(path)
    for text in ("Erasure of a record with hits", "r-1", REASON, "Serbia", "Slovenia"):
        assert text in page
    return path, re.findall(r'name="digest" value="([0-9a-f]{64})"', page)[0]


@pytest.mark.database_files
async def test_a_second_person_approves_it(staff: Staff) -> None:
    """Nothing goes before; afterwards neither record nor hit nor reason is left, and the log names both persons."""
    party_node, path, analyst, approver = staff
    await ask(analyst, path)
    await ask_again(analyst, path)
    assert (await party_node.get("/hits"))["total"] == 2
    request, digest = await read(approver)
    assert "takes effect" in await approver.send(f"{request}/approve", digest=digest, read="yes")
    assert (await party_node.get("/hits"))["total"] == 0
    for word in (b"r-1", REASON.encode(), b"Ilir"):
        assert word not in party_node.stored_bytes()
    assert REASON not in await approver.open(request)
    with party_node.node.store.reading("test.log") as session:
        logged = [entry for _, entry in stored_log.entries(session) if entry]
        row = session.scalars(select(ApprovalRow)).one()
    (erasure,) = [entry for entry in logged if entry.kind == "erasure"]
    assert (erasure.person, erasure.role, erasure.counts) == (
        row.author,
        "analyst",
        {"records": 1, "hits": 2, "imports": 1},
    )
    (approved,) = [entry for entry in logged if entry.kind == "approved"]
    assert (approved.person, approved.round, approved.ids["what"]) == (row.decided_by, None, "erasure")


async def ask_again(analyst: Browser, path: str) -> None:
    await analyst.open(path)
    await analyst.send("/hits/erase", record_id="r-1", sure="yes", erasure_reason="another")
    assert analyst.answer.status_code == 409


async def test_it_is_exactly_what_was_read(staff: Staff) -> None:
    """Where another list has the record since, the request does not take effect, and can be asked for again."""
    party_node, path, analyst, approver = staff
    await ask(analyst, path)
    request, digest = await read(approver)
    await party_node.load(HEADER + "r-1,Ilir,Hoxha,1951-03-02,\n")
    assert "other hits or lists" in await approver.send(f"{request}/approve", digest=digest, read="yes")
    assert approver.answer.status_code == 409
    await approver.open(request)
    assert "It is refused." in await approver.send(f"{request}/refuse", reason="ask again")
    await ask(analyst, path)
    assert (await party_node.get("/hits"))["total"] == 2


async def test_its_author_sees_it_and_takes_it_back(staff: Staff) -> None:
    party_node, path, analyst, approver = staff
    await ask(analyst, path)
    request, digest = await read(approver)
    assert 'href="/erasures"' in await analyst.open("/")
    page = await analyst.open("/erasures")
    assert REASON in page
    assert "r-1" in page
    assert "It is taken back." in await analyst.send(f"/erasures/{request.rpartition('/')[2]}/withdraw")
    assert "Take it back" not in analyst.page
    assert 'href="/erasures"' not in await analyst.open("/")
    await approver.send(f"{request}/approve", digest=digest, read="yes")
    assert approver.answer.status_code == 409
    assert (await party_node.get("/hits"))["total"] == 2


async def test_nobody_else_sees_or_takes_it_back(staff: Staff) -> None:
    """A colleague's list is empty, an approver has none, and a request of another kind is not found there."""
    party_node, path, analyst, approver = staff
    await ask(analyst, path)
    request, _ = await read(approver)
    address = f"/v1/erasure-requests/{request.rpartition('/')[2]}/withdraw"
    key = {"authorization": f"Bearer {signed_in(party_node.node.people, 'mia', Role.ANALYST)}"}
    colleague = analyst.client
    colleague.cookies.clear()
    assert (await colleague.get("/v1/erasure-requests", headers=key)).json() == {"requests": []}
    assert (await colleague.post(address, headers=key)).status_code == 403
    other = {"authorization": f"Bearer {signed_in(party_node.node.people, 'zoe', Role.APPROVER)}"}
    assert (await colleague.get("/v1/erasure-requests", headers=other)).status_code == 403
    own = {"authorization": f"Bearer {signed_in(party_node.node.people, 'jon', Role.OFFICER, Role.ANALYST)}"}
    round_id = path.split("/")[2]
    asked = (await colleague.post(f"/v1/rounds/{round_id}/consent", headers=own)).json()["approval_id"]
    wrong = f"/v1/erasure-requests/{asked}/withdraw"
    assert (await colleague.post(wrong, headers=own)).status_code == 404


async def test_boxes_have_their_faults(staff: Staff) -> None:
    _, path, analyst, approver = staff
    await analyst.open(path)
    page = await analyst.send("/hits/erase", headers={"referer": ORIGIN + path}, record_id="r-1", erasure_reason=REASON)
    assert analyst.answer.status_code == 422
    assert '<a href="#sure">I am sure.</a>: tick this' in page
    assert re.search(r'id="sure"[^>]* aria-invalid="true" aria-describedby="sure-fault"', page)
    assert REASON in page
    await ask(analyst, path)
    request, digest = await read(approver)
    page = await approver.send(f"{request}/approve", headers={"referer": ORIGIN + request}, digest=digest)
    assert approver.answer.status_code == 422
    assert re.search(r'id="read"[^>]* aria-invalid="true" aria-describedby="read-fault"', page)
    assert "Your decision" in page
