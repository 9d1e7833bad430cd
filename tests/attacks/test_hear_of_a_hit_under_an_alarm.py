"""An asker under an alarm listens to what owners do with their hits: withdrawing or erasing one tells it nothing."""

import base64
import json

import pytest
from sqlalchemy import select

from services.matcher.events import visible_events
from services.node.storage.tables import StatementRow, WithdrawalRow
from tests.support.node_steps import PEOPLE, answered, does, hit_path
from tests.support.node_world import HEADER, PartyNode, World
from tests.support.played_worlds import WorldAfter
from tests.support.sentence_texts import texts

SHARED = PEOPLE[3]
"""A person on the lists of AL and SI, so that both have hits of the lists which they have acknowledged."""


async def fished(world: World) -> str:
    """RS asked for everyone on AL's list, which raised the alarm, and for one of SI, which did not."""
    round_id = await world.begin(lists=False, mode="lists_and_queries")
    lists = {"AL": PEOPLE, "RS": ["Mira,Marić,1970-01-02,\n"], "SI": [SHARED, "Tone,Kranjc,1971-03-04,\n"]}
    for code, party_node in world.nodes.items():
        rows = "".join(f"{code}-{n},{line}" for n, line in enumerate(lists[code]))
        await party_node.submit(round_id, await party_node.load(HEADER + rows))
    await world.settle()
    question = HEADER + "".join(f"q-{n},{line}" for n, line in enumerate(PEOPLE))
    await world.nodes["RS"].submit(round_id, await world.nodes["RS"].load(question, "query"), "query")
    await world.settle()
    (alarm,) = (await world.nodes["AL"].get(f"/rounds/{round_id}/safeguards"))["alarms"]
    assert (alarm["asker"], alarm["released_at"]) == ("RS", None)
    return round_id


@pytest.fixture
async def asked(world_after: WorldAfter) -> tuple[World, str]:
    return await world_after(fished)


async def withdraw_and_erase(world: World, round_id: str) -> tuple[list[str], str]:
    """Let AL withdraw a hit of the query and erase the record of another, and SI erase the record of its only one.

    Returns the hits' ids, and the query's.
    """
    al, si = world.nodes["AL"], world.nodes["SI"]
    hits = {hit["record_id"]: hit for hit in await answered(al, round_id)}
    told = hits["AL-0"]
    await does(al, told | {"round_id": round_id}, "withdrawal", ground="incorrect")
    (own,) = await answered(si, round_id)
    for party_node, record in ((al, "AL-1"), (si, "SI-0")):
        wanted = {"record_id": record, "reason": "the court says so"}
        assert (await party_node.post("/erasure-requests", json=wanted)).status_code == 202
    await world.settle()
    return [told["hit_id"], hits["AL-1"]["hit_id"], own["hit_id"]], told["submission_id"]


def heard(world: World, round_id: str) -> bytes:
    """Return everything that the matcher's feed tells RS, decoded."""
    with world.app.state.context.store.reading("test.feed") as session:
        events = visible_events(session, round_id, "RS", 0, 1_000_000)
    envelopes = [json.loads(event.envelope) for event in events if event.envelope]
    return b"\n".join(base64.b64decode(envelope["payload"]) for envelope in envelopes)


def of_queries(world: World, round_id: str) -> dict[str, list[str]]:
    """Return the hits that are withdrawn towards RS in the matcher's record, by their owner, in their order."""
    found: dict[str, list[str]] = {}
    with world.app.state.context.round_cache.reading(round_id) as turn:
        for said in turn.round.withdrawals.values():
            if said.counterpart == "RS":
                found.setdefault(said.party, []).extend(said.hits)
    return {party: sorted(hits) for party, hits in found.items()}


def said_by(party_node: PartyNode) -> set[str]:
    """Return the kinds of a node's own statements that came after its hits."""
    with party_node.node.store.reading("test.said") as session:
        return {*session.scalars(select(StatementRow.kind).where(StatementRow.own))} & {"withdrawal", "outcomes"}


async def test_nobody_tells_before_the_release(asked: tuple[World, str]) -> None:
    """AL signs no statement: neither feed, numbers nor matcher have anything of it, until it releases its answer.

    The answer of SI was given, so RS hears at once that SI erased its record.
    """
    world, round_id = asked
    al, rs = world.nodes["AL"], world.nodes["RS"]
    (*hits, of_si), query = await withdraw_and_erase(world, round_id)
    assert of_queries(world, round_id) == {"SI": [of_si]}
    assert not any(hit.encode() in heard(world, round_id) for hit in hits)
    assert said_by(al) == set()
    assert [hit["hit_id"] for hit in await answered(rs, round_id)] == [of_si]
    # What came of hits is told of those that were acknowledged alone.
    world.clock.time += 25 * 3_600
    await world.settle()
    assert not any(hit.encode() in heard(world, round_id) for hit in hits)
    assert texts((await al.round(round_id))["problems"]) == [
        line for line in texts((await al.round(round_id))["problems"]) if "is held back" in line
    ]
    # Once RS has its report, AL tells it at once.
    assert (await al.post(f"/rounds/{round_id}/alarms/{query}/release")).status_code == 204
    await world.settle()
    assert len(await answered(rs, round_id)) == len(PEOPLE) + 1
    assert of_queries(world, round_id) == {"AL": sorted(hits), "SI": [of_si]}
    shown = [(await rs.get(hit_path({"round_id": round_id, "hit_id": hit})))["withdrawals"] for hit in (*hits, of_si)]
    assert [[one["ground"] for one in of] for of in shown] == [["incorrect"], ["erased"], ["erased"]]
    with al.node.store.reading("test.told") as session:
        assert all(session.scalars(select(WithdrawalRow.acknowledged_at).where(WithdrawalRow.counterpart == "RS")))


async def test_nobody_tells_after_an_end_without_a_release(asked: tuple[World, str]) -> None:
    """AL has nothing to withdraw, for RS never hears of its hits."""
    world, round_id = asked
    al = world.nodes["AL"]
    (*hits, of_si), _ = await withdraw_and_erase(world, round_id)
    await al.post(f"/rounds/{round_id}/abort", json={"reason": "this is fishing"})
    await world.settle()
    assert await world.phase(round_id) == "aborted"
    with al.node.store.reading("test.untold") as session:
        assert not session.scalars(select(WithdrawalRow).where(WithdrawalRow.own)).all()
    with world.app.state.context.round_cache.reading(round_id) as turn:
        world.clock.time = turn.round.notes_expire + 1
    await world.settle()
    assert of_queries(world, round_id) == {"SI": [of_si]}
    assert not any(hit.encode() in heard(world, round_id) for hit in hits)
    assert [hit["hit_id"] for hit in await answered(world.nodes["RS"], round_id)] == [of_si]
