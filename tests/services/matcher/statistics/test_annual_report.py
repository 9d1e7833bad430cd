"""The report of some days: the published figures and the log's entries of their rounds, signed for a person."""

import hashlib
from typing import Any

import httpx
import pytest

from aquila.audit.entries import EntryKind
from aquila.audit.roles import Role, Service
from aquila.protocol.published_report import check_report
from tests.services.matcher.statistics.test_published import PICTURE, read, round_with
from tests.support import stored_log
from tests.support.matcher_world import BASE, World
from tests.support.people import signed_in

pytestmark = pytest.mark.postgresql_soak
DAYS = "since=2000-01-01&until=2100-01-01"


async def signing(three: World, role: Role, body: dict[str, Any]) -> httpx.Response:
    session = signed_in(three.context.people, role.value, role)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(three.app), base_url=BASE) as client:
        key = {"authorization": f"Bearer {session}"}
        return await client.post("/v1/operator/reports", json=body, headers=key)


async def test_a_report_is_signed_and_checked(three: World) -> None:
    """It has the regional picture as it is published, and the entries; who signed it stands in the log."""
    first, second = await round_with(three), await round_with(three, days=30)
    head = three.log_head()
    assert head is not None
    found = (await read(three, f"/v1/operator/report?{DAYS}")).json()
    [picture] = found["pictures"]
    assert picture == (await read(three, PICTURE)).json()
    assert [one["round_id"] for one in found["rounds"]] == [second, first]
    one = found["rounds"][1]
    with three.context.store.reading("test.log") as session:
        [place] = [
            index
            for index, entry in stored_log.entries(session)
            if entry and entry.kind is EntryKind.PROPOSAL and entry.round == first
        ]
    assert (one["proposal_entry"], one["ending_entry"], one["parties"]) == (place, None, ["AL", "RS", "SI"])
    assert (found["log_size"], found["log_root"]) == (head.size, head.root)
    assert (await read(three, "/v1/operator/report?since=2000-01-01&until=2000-12-31")).json()["pictures"] == []

    paper = b"%PDF of these numbers"
    body = {
        "digest": hashlib.sha256(paper).hexdigest(),
        "size": len(paper),
        "title": "Annual report",
        "since": found["since"],
        "until": found["until"],
        "log_size": head.size,
    }
    assert (await signing(three, Role.AUDITOR, body)).status_code == 403
    for size in (0, head.size + 99):
        assert (await signing(three, Role.SECRETARIAT, body | {"log_size": size})).status_code == 404
    for days in ({"since": "2100-01-02"}, {"until": "2026-02-29"}):
        assert (await signing(three, Role.SECRETARIAT, body | days)).status_code == 422
    answer = await signing(three, Role.SECRETARIAT, body)
    assert answer.status_code == 200, answer.text
    checked = check_report(paper, answer.json()["envelope"].encode(), three.registry)
    assert (checked.report.digest, checked.checkpoint.size) == (body["digest"], head.size)
    with three.context.store.reading("test.log") as session:
        [entry] = [one for _, one in stored_log.entries(session) if one and one.kind is EntryKind.REPORT_SIGNED]
    assert (entry.digests["report"], entry.role) == (body["digest"], Role.SECRETARIAT.value)
    assert Service.MATCHER.value == entry.party


async def test_all_rounds_are_in_it_and_no_entry_beyond_its_head(three: World) -> None:
    """More rounds than a page has stand in a report, and what came since the last checkpoint is under its head."""
    rounds = [await round_with(three, days=number) for number in range(13)]
    three.context.log.own.publish()
    late = await round_with(three, days=13)
    found = (await read(three, f"/v1/operator/report?{DAYS}")).json()
    assert [one["round_id"] for one in found["rounds"]] == [late, *reversed(rounds)]
    assert len(found["pictures"][0]["rounds"]) == 14
    assert all(one["proposal_entry"] < found["log_size"] for one in found["rounds"])
    assert len((await read(three, PICTURE)).json()["rounds"]) == 12
