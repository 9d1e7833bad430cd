"""Somebody with a party's stolen key wants to go on with it after it was replaced, or after the party has left."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from aquila.audit.roles import Role
from aquila.crypto.envelope import sign_envelope
from aquila.crypto.group import Group
from aquila.interface.service.party import RenewedKey
from aquila.protocol.messages.feed import Rounds
from aquila.protocol.registration.self_signed import open_renewal, sign_renewal
from aquila.protocol.registration.spoken_words import spoken
from aquila.protocol.registration.statements import RegistryAcceptance
from services.kit.actor import LOCAL_KEY, Actor
from services.matcher.administration import registry
from services.matcher.storage.tables import SPENT_NONCES
from tests.support.matcher_world import BASE, Node, World
from tests.support.people import approve
from tests.support.registering import key_of

ADMINISTRATOR = Actor(LOCAL_KEY, frozenset({Role.ADMINISTRATOR}), Role.ADMINISTRATOR)
LONG = 3_600


@pytest.fixture
async def world(tmp_path: Path, group: Group) -> AsyncIterator[World]:
    """A matcher with AL, RS and SI; the key of SI is stolen."""
    made = World(tmp_path / "matcher", "", group, "AL RS SI")
    made.context.wakeup.start()
    yield made
    made.context.close()


def revoke(world: World) -> None:
    """Let the secretariat put another key in the place of SI's, which is lost."""
    renewal = open_renewal(sign_renewal("SI", key_of("SI new"), former=world.nodes["SI"].key.public))
    words = spoken(renewal.digest).sentence
    wanted = RenewedKey(content=renewal.envelope.decode(), spoken=words, revoked=True)
    approvals = world.app.state.approvals
    approve(approvals, registry.ask_renewal(world.context, approvals, ADMINISTRATOR, wanted))


def remove(world: World) -> None:
    """Let SI leave."""
    approvals = world.app.state.approvals
    approve(approvals, registry.ask_removal(world.context, approvals, ADMINISTRATOR, "SI"))


async def held(thief: Node) -> asyncio.Task[httpx.Response]:
    """Let the thief hold a call, and return when the matcher holds it."""
    known = Rounds.model_validate_json((await thief.call("GET", "/v1/rounds?wait=0")).content)
    waiting = asyncio.create_task(thief.call("GET", f"/v1/rounds?wait={LONG}&state={known.state}"))
    while not thief.world.context.held.count("SI"):
        await asyncio.sleep(0.01)
    return waiting


def calls_taken(world: World) -> int:
    """Return how many signed calls the matcher has taken."""
    with world.context.store.reading("test.nonces") as session:
        return session.scalar(select(func.count()).select_from(SPENT_NONCES)) or 0


@pytest.mark.parametrize("change", [revoke, remove])
async def test_hold_a_call_beyond_the_end_of_the_key(world: World, change: Callable[[World], None]) -> None:
    """A call that was held before ends at once, and says nothing of what comes after."""
    thief = world.nodes["SI"]
    waiting = await held(thief)
    await asyncio.to_thread(change, world)
    answer = await asyncio.wait_for(waiting, LONG)
    assert answer.content.strip() == b""
    assert world.context.held.count("SI") == 0
    assert (await thief.call("GET", "/v1/rounds")).status_code == 401


async def test_wait_for_events_beyond_the_end_of_the_key(world: World) -> None:
    """Nor does a call that waits for the events of a round that is over."""
    await world.opened()
    thief = world.nodes["SI"]
    await thief.sync()
    await world.operate("POST", f"/{world.round_id}/abort", json={"reason": "a key was stolen"})
    world.advance()
    await thief.sync()
    taken = calls_taken(world)
    waiting = asyncio.create_task(thief.call("GET", f"events?after={thief.cursor}&wait=20"))
    while calls_taken(world) == taken:
        await asyncio.sleep(0.01)
    await asyncio.to_thread(revoke, world)
    assert (await asyncio.wait_for(waiting, LONG)).status_code == 401


@pytest.mark.parametrize("change", [revoke, remove])
async def test_end_a_body_after_the_end_of_the_key(world: World, change: Callable[[World], None]) -> None:
    """A call whose head came in time is refused if the key was replaced before the last byte of its body."""
    thief, path, content = world.nodes["SI"], f"{BASE}/v1/registry/acceptance", b"not an acceptance"
    signed = httpx.Request("PUT", path, content=content)
    thief.signer.sign(signed)

    async def late() -> AsyncIterator[bytes]:
        yield content[:1]
        await asyncio.to_thread(change, world)
        yield content[1:]

    request = httpx.Request("PUT", path, headers=signed.headers, content=late())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(world.app)) as client:
        answer = await client.send(request)
    assert (answer.status_code, json.loads(answer.content)["code"]) == (401, "call_signature_not_pinned")


async def test_accept_a_registry_with_it(world: World) -> None:
    """An acceptance that the old key signed is refused, although the new key brings it."""
    thief = world.nodes["SI"]
    revoke(world)
    newest = registry.show(world.context).in_force
    assert newest is not None
    message = RegistryAcceptance(
        party="SI", number=newest.number, statement=newest.digest, accepted_at=world.context.clock()
    )
    envelope = sign_envelope(message.payload_type, message.payload(), thief.key)
    owner = type(thief.signer)(key_of("SI new"), "SI", world.clock)
    headers = {"content-type": "application/json"}
    answer = await world.call("PUT", "/v1/registry/acceptance", auth=owner, content=envelope, headers=headers)
    assert answer.status_code == 401, answer.text
    accepted = {one.party: one.accepted for one in registry.show(world.context).parties}
    assert accepted == {"AL": None, "RS": None, "SI": None}
