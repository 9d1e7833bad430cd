"""Rounds around the renewal of identity keys in a world, and the verification of all logs afterwards."""

import io
import tarfile
from typing import Any

import httpx

from aquila.crypto.backend import load_group
from aquila.protocol.auditing import audit_rounds, compare, read_log
from aquila.protocol.registry import read_registry
from services.kit.http.signatures import CallSigner
from tests.support import stored_log
from tests.support.ceremony import REGISTRY, accept
from tests.support.node_world import MATCHER_URL, World, open_world


async def play(world: World) -> str:
    round_id = await world.begin()
    await world.settle()
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle()
    assert await world.phase(round_id) == "closed"
    return round_id


async def log_of(world: World, code: str) -> dict[str, bytes]:
    """Return the files of a service's log, or of a party's copy of the matcher's."""
    people, path = world.operator, "/v1/operator/log/export"
    if code != "matcher":
        people, path = world.nodes[code[-2:]].operator, "/v1/log/matcher" if "copy" in code else "/v1/log/export"
    answer = await people.get(path)
    assert answer.status_code == 200, answer.text
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]  # files alone are in it


async def verify(world: World) -> None:
    """Verify all logs with each other, as `aquila audit verify` does, with the matcher's registry file."""
    registry, group, found = read_registry((world.path / "matcher" / "registry.toml").read_bytes()), load_group(), []
    for code in ("matcher", *world.nodes):
        files = await log_of(world, code)
        log = read_log(files.get, registry)
        audit_rounds(log, files.get, registry, group)
        found.append(log)
    list(compare(found, registry))


def logged(store: Any, kind: str) -> list[Any]:
    with store.reading("test.log") as session:
        return [entry for _, entry in stored_log.entries(session) if entry is not None and entry.kind == kind]


async def renew_matcher(world: World, *, revoked: bool = False) -> World:
    """Let the secretariat renew the matcher's key, start it again, and let every party accept; return the new world."""
    answer = await world.operator.post(f"{REGISTRY}/own-renewal", json={"revoked": revoked})
    assert answer.status_code == 202, answer.text
    assert (await world.operator.get(REGISTRY)).json()["restart_needed"]
    await world.close()
    again = open_world(world.path, world.clock)
    for node in again.nodes.values():
        await accept(node)
    await again.settle()
    return again


async def call_of(world: World, auth: CallSigner) -> int:
    """Return the status of a call of the matcher that a signer makes."""
    transport = httpx.ASGITransport(app=world.app)
    async with httpx.AsyncClient(transport=transport, base_url=MATCHER_URL, auth=auth) as client:
        return (await client.get("/v1/registry")).status_code
