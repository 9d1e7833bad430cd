"""Parties that join a world by an invitation, accept its registry and renew their keys, as their administrators do."""

from typing import Any

import httpx

from aquila.protocol.registration.self_signed import Renewal
from aquila.protocol.registration.spoken_words import spoken
from aquila.protocol.registry import read_registry
from services.kit.home_folder import NewAddress
from services.kit.storage.own_identity import prepare_renewal
from services.node.storage import home as node_home
from services.node.storage.home import InvitedHome
from tests.support.node_world import PartyNode, World

REGISTRY = "/v1/operator/registry"


async def invite(world: World, party: str = "HR") -> bytes:
    answer = await world.operator.post(f"{REGISTRY}/invitations", json={"party": party, "name": f"Party {party}"})
    assert answer.status_code == 200, answer.text
    content: str = answer.json()["content"]
    return content.encode()


def make_home(world: World, content: bytes, folder: str = "HR") -> InvitedHome:
    return node_home.create_invited(world.path / folder, content, NewAddress(0), world.clock())


async def admit(world: World, request: bytes, heard: str) -> httpx.Response:
    """Let one person ask to admit a party by the words heard, and another approve; return the first answer."""
    return await world.operator.post(f"{REGISTRY}/parties", json={"content": request.decode(), "spoken": heard})


async def join(world: World, party: str = "HR") -> PartyNode:
    """Invite a party, let it make its home, admit it, and start its node."""
    made = make_home(world, await invite(world, party), party)
    answer = await admit(world, made.request, made.spoken.sentence)
    assert answer.status_code == 202, answer.text
    node = PartyNode(world.path / party, world.clock, next(iter(world.nodes.values())).transport)
    world.nodes[party] = node
    return node


async def fetched(node: PartyNode) -> dict[str, Any]:
    answer = await node.post("/registry/fetch")
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()
    return view


async def accept(node: PartyNode) -> dict[str, Any]:
    """Let two persons accept the newest registry at a node, and return what it fetches then."""
    answer = await heard(node, (await fetched(node))["waiting"])
    assert answer.status_code == 202, answer.text
    return await fetched(node)


async def heard(node: PartyNode, waiting: dict[str, Any], **changes: str) -> httpx.Response:
    """Let two persons accept a registry that waits at a node, by its words."""
    body = {"digest": waiting["digest"], "spoken": " ".join(waiting["words"])} | changes
    return await node.post("/registry/accept", json=body)


def prepare(node: PartyNode, *, lost: bool = False, where: str = "") -> Renewal:
    """Make the new key of a party and its renewal, as its command does."""
    settings, code = node.node.settings, node.node.code
    registry = read_registry(settings.registry.read_bytes())
    return prepare_renewal(settings.identity, registry, code, lost=lost, where=where)


async def replace_key(world: World, renewal: Renewal, **changes: object) -> httpx.Response:
    body = {"content": renewal.envelope.decode(), "spoken": spoken(renewal.digest).sentence} | changes
    return await world.operator.post(f"{REGISTRY}/renewals", json=body)


async def renew(world: World, code: str, *, lost: bool = False, where: str = "") -> None:
    """Replace the key of a party, everywhere."""
    renewal = prepare(world.nodes[code], lost=lost, where=where)
    answer = await replace_key(world, renewal, revoked=lost)
    assert answer.status_code == 202, answer.text
    for node in world.nodes.values():
        await accept(node)
    world.nodes[code].restart()
    await world.settle()
