"""What of the rounds needs the secretariat: evidence and flags for a while, delay as long as it lasts."""

from typing import Any

import httpx
import pytest

from services.matcher.rounds import attention
from services.matcher.storage.tables import EvidenceRow, FaultRow, FlagRow, RoundRow
from tests.services.matcher.rounds.test_proposals import SHORT
from tests.support.matcher_world import BASE, World
from tests.support.people import FourEyes

pytestmark = pytest.mark.postgresql_soak


async def found(world: World) -> list[tuple[Any, ...]]:
    transport = FourEyes(httpx.ASGITransport(world.app), world.secretariat)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        answer = await client.get("/v1/operator/needs")
    assert answer.status_code == 200, answer.text
    return [(need["kind"], need["parties"], need["count"]) for need in answer.json()["needs"]]


async def test_evidence_and_flags_are_told(world: World) -> None:
    """Evidence before what looks like guesses; both for a while after the round's end."""
    round_id = (await world.operate("POST", json=SHORT)).json()["round_id"]
    assert await found(world) == []
    now = world.clock.time
    with world.context.store.transaction("test.needs") as session:
        session.add(EvidenceRow(round_id=round_id, party="AL", digest="0" * 64, refused="{}", found_at=now))
        for number in range(2):
            session.add(FlagRow(round_id=round_id, submission_id="1" * 32, number=number, sentence="often"))
        session.add(FaultRow(round_id=round_id, submission_id="1" * 32, counterpart="AL", sentence="no tokens"))
    assert await found(world) == [("evidence", [], 1), ("problem", [], 1), ("flags", [], 2)]
    with world.context.store.transaction("test.over") as session:
        session.get_one(RoundRow, round_id).ended_at = now
    assert await found(world) == [("evidence", [], 1), ("flags", [], 2)]
    world.clock.time += attention.REMEMBERED + 1
    assert await found(world) == []
