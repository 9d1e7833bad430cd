"""A row of one round at the matcher is damaged: that round waits for people, and all others go on."""

import pytest
from sqlalchemy import select

from aquila.audit.checkpoint import cosigned_at
from aquila.interface.service.health import Grade, Subject
from services.matcher.administration.health import read_health
from services.matcher.rounds.attention import attention_list
from services.matcher.rounds.contacts import StoredContacts
from services.matcher.storage.tables import EventRow
from tests.support.node_steps import open_round
from tests.support.node_world import HEADER, LISTS, World

pytestmark = pytest.mark.rounds


def damage(world: World, round_id: str) -> None:
    """Change a stored statement of a round, as a disk or a wrong hand can."""
    context = world.app.state.context
    with context.store.transaction("test.damage") as session:
        first = select(EventRow).where(EventRow.round_id == round_id).order_by(EventRow.event_id)
        event = session.scalars(first).first()
        assert event is not None
        event.envelope = (event.envelope or "").replace('"sig":"', '"sig":"A')
    context.round_cache.forget(round_id)


async def played(world: World) -> str:
    round_id = await world.propose()
    await world.settle()
    for code, party_node in world.nodes.items():
        assert (await party_node.post(f"/rounds/{round_id}/consent")).status_code == 202
        await party_node.submit(round_id, await party_node.load(HEADER + LISTS[code]))
    await world.settle()
    return round_id


async def test_the_others_go_on(world: World) -> None:
    """Nodes reach the matcher, play a new round and cosign its log; people of both sides read why."""
    broken = await open_round(world)
    damage(world, broken)
    again = await played(world)
    assert await world.phase(again) == "reporting"
    context = world.app.state.context
    faults = read_health(context, StoredContacts(context.store, world.clock)).faults[Subject.ROUNDS]
    assert [(grade, sentence.code) for grade, sentence in faults] == [(Grade.CRITICAL, "stored_events_invalid")]
    assert broken not in {need.round_id for need in attention_list(context).needs}
    newest = context.log.own.newest()
    for code, party_node in world.nodes.items():
        assert party_node.node.contact.reachable
        assert not await party_node.rounds.step()
        (problem,) = (await party_node.round(broken))["problems"]
        assert "do not hold together" in str(problem)
        registry = party_node.node.registry
        assert cosigned_at(newest, registry.witness_of(code), registry.key_of(code)) is not None
