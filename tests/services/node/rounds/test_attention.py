"""What of a node's rounds needs somebody: alarms before duties, so many at most, and nothing that is over."""

from __future__ import annotations

from typing import Any

import pytest

from aquila.errors import PolicyError
from aquila.sentences import quoted
from services.node.rounds import attention
from services.node.steps.submissions import prepare
from services.node.storage.tables import AlarmRow, PairCheckRow, ProblemRow, RoundRow, SubmissionRow
from tests.support.node_world import HEADER, LISTS, PartyNode, World

pytestmark = pytest.mark.postgresql_soak


async def kinds(party_node: PartyNode) -> list[str]:
    return [need["kind"] for need in (await party_node.get("/needs"))["needs"]]


def alarm(round_id: str, number: int, at: int, **changes: Any) -> AlarmRow:
    fields = {"asker": "RS", "hits": 14, "expected": 900, "raised_at": at, "released_at": None, "released_by": None}
    return AlarmRow(round_id=round_id, submission_id=f"{number:032x}", **(fields | changes))


def checked(round_id: str, counterpart: str, at: int, **changes: Any) -> PairCheckRow:
    return PairCheckRow(
        round_id=round_id, submission_id="", counterpart=counterpart, met="0" * 64, below=0, checked_at=at, **changes
    )


async def test_a_proposal_waits_for_consent_and_then_for_a_list(world: World) -> None:
    """With the round's title and the deadline; once both are asked for, nothing waits."""
    round_id = await world.propose()
    party_node = world.nodes["AL"]
    (need,) = (await party_node.get("/needs"))["needs"]
    manifest = (await party_node.round(round_id))["manifest"]
    window = manifest["window"]
    assert (need["kind"], need["round_title"]) == ("consent", manifest["title"])
    assert manifest["title"].endswith(" terrorism")
    assert (need["round_id"], need["until"], need["parties"]) == (round_id, window["consent_by"], [])
    await party_node.post(f"/rounds/{round_id}/consent")
    assert await kinds(party_node) == []
    await world.settle()
    assert await kinds(party_node) == ["list"]
    await party_node.submit(round_id, await party_node.load(HEADER + LISTS["AL"]))
    assert await kinds(party_node) == []


async def test_what_is_too_late_waits_for_nobody(world: World) -> None:
    await world.propose()
    party_node = world.nodes["AL"]
    world.clock.time += 8 * 86_400
    assert await kinds(party_node) == []


async def test_alarms_come_first(world: World) -> None:
    """Hits left out and held answers before problems, problems before duties, each once for its round."""
    first, second = await world.propose(), await world.propose()
    await world.settle()
    party_node, now = world.nodes["AL"], world.clock.time
    with party_node.node.store.transaction("test.alarms") as session:
        session.add(ProblemRow(round_id=second, place="step", sentence="the disk is full", noted_at=now))
        session.add_all(alarm(first, number, now) for number in range(2))
        session.add(alarm(second, 3, now, released_at=now))
        session.add(checked(first, "RS", now, fault="tags"))
        session.add(checked(first, "SI", now, agreed=False))
        session.add(checked(second, "RS", now, agreed=True))
        for place in ("alarm 1", "check RS", "submission 1"):
            session.add(ProblemRow(round_id=first, place=place, sentence="told elsewhere", noted_at=now))
    found = (await party_node.get("/needs"))["needs"]
    shown = [(need["kind"], need["round_id"], need["parties"], need["count"]) for need in found[:3]]
    assert shown == [("left_out", first, ["RS", "SI"], 2), ("held_back", first, ["RS"], 2), ("problem", second, [], 1)]
    assert [need["kind"] for need in found[3:]] == ["consent", "consent"]


async def test_hits_left_out_stay_after_the_round_for_a_while(world: World) -> None:
    """A round that is over needs nothing else, and these for thirty days."""
    round_id = await world.propose()
    party_node, now = world.nodes["AL"], world.clock.time
    with party_node.node.store.transaction("test.over") as session:
        session.add(checked(round_id, "RS", now, agreed=False, their_fault="earlier"))
        session.add(checked(round_id, "SI", now, fault="earlier"))
        session.add(alarm(round_id, 1, now))
        session.get_one(RoundRow, round_id).phase = "closed"
    assert await kinds(party_node) == []  # a side that could not check found nothing
    with party_node.node.store.transaction("test.fault") as session:
        session.get_one(PairCheckRow, (round_id, "", "SI")).fault = "levels"
    assert await kinds(party_node) == ["left_out"]
    world.clock.time += attention.REMEMBERED + 1
    assert await kinds(party_node) == []


@pytest.mark.more_rounds
async def test_refusals_are_told_apart(world: World) -> None:
    """A round that the node refused, and a submission that it gave up until another one stands for it."""
    refused, failing = await world.propose(), await world.propose()
    await world.settle()
    party_node, now = world.nodes["AL"], world.clock.time
    await party_node.post(f"/rounds/{failing}/consent")
    await world.settle()
    with party_node.node.store.transaction("test.refused") as session:
        session.get_one(RoundRow, refused).refused = "another manifest"
        session.add(ProblemRow(round_id=refused, place="manifest", sentence="another manifest", noted_at=now))
    await party_node.submit(failing, await party_node.load(HEADER + LISTS["AL"]))
    with party_node.node.store.reading("test.submission") as session:
        (row,) = session.query(SubmissionRow).all()
    prepare.fail(party_node.node, row, PolicyError(quoted("the list looks like guesses")))
    assert await kinds(party_node) == ["refused", "failed", "list"]
    await party_node.submit(failing, await party_node.load(HEADER + LISTS["AL"]))
    assert await kinds(party_node) == ["refused"]


async def test_no_more_than_a_page_takes(world: World) -> None:
    round_id = await world.propose()
    party_node = world.nodes["AL"]
    with party_node.node.store.transaction("test.many") as session:
        manifest = session.get_one(RoundRow, round_id).manifest
        for number in range(attention.MOST):
            other = f"{number:032x}"
            session.add(
                RoundRow(
                    round_id=other,
                    manifest=manifest,
                    manifest_digest="0" * 64,
                    discovered_at=0,
                    phase="open",
                    refused="no",
                    kept_until=0,
                )
            )
    found = await party_node.get("/needs")
    assert len(found["needs"]) == attention.MOST
    assert found["left_out"] == 1
