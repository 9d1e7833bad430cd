"""A node and the matcher play rounds with their identity keys in PKCS#11 tokens, where they move between rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aquila.interface.service.health import Grade, HealthCheck, ServiceHealth, Subject
from aquila.protocol.registry import read_registry
from services.kit.serving.health.report import HealthReport
from services.kit.storage.own_identity import next_path, wait_key
from services.kit.storage.pkcs11.key import TOKENS, Pkcs11Key
from services.node.round_memory import round_row
from tests.support.ceremony import renew
from tests.support.renewing import play, renew_matcher, verify
from tests.support.soft_tokens import MODULE, NEEDED, make_token, token, token_folder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.node_world import World
    from tests.support.soft_tokens import SoftToken

__all__ = ["token", "token_folder"]

pytestmark = NEEDED


def identity_of(world: World) -> tuple[Grade, list[str], bool]:
    """Return how a node's status grades its identity key, why, and whether the node is ready with it."""
    found: ServiceHealth = HealthReport(world.nodes["SI"].app.state.health._parts).health()
    check: HealthCheck = next(one for one in found.checks if one.subject is Subject.IDENTITY)
    return check.grade, [one.sentence.code for one in check.sentences], "identity" not in found.not_ready


@pytest.mark.soak  # `test_keys_in_tokens` of the end-to-end tests plays one among processes
async def test_rounds_with_keys_in_tokens(world: World, token: SoftToken, token_folder: Path) -> None:
    """Keys move from files into two tokens, and then to another key of one; all logs verify over the three rounds."""
    first = await play(world)
    await renew(world, "SI", where=token.address())
    node = world.nodes["SI"]
    assert isinstance(node.node.party.identity, Pkcs11Key)
    assert not next_path(node.node.settings.identity).exists()
    second = await play(world)
    settings = world.app.state.context.settings
    registry = read_registry(settings.registry.read_bytes())
    of_matcher = make_token(token_folder)
    wait_key(settings.identity, registry.matcher, of_matcher.address()).close()  # as its command does
    again = await renew_matcher(world)
    try:
        assert isinstance(again.app.state.context.matcher.identity, Pkcs11Key)
        await renew(again, "SI", where=token.address("identity 2"))
        third = await play(again)
        for one in (first, second, third):
            assert (await again.nodes["SI"].round(one))["entry"]["phase"] == "closed"
        for home in ("SI", "matcher"):
            assert b"PRIVATE KEY" not in (again.path / home / "identity.pem").read_bytes()
        await verify(again)
    finally:
        await again.close()


async def test_a_round_goes_on_when_the_token_is_back(world: World, token: SoftToken) -> None:
    """Without it nothing is signed and no round is refused; the node's status names it, and the round ends well."""
    await renew(world, "SI", where=token.address())
    node = world.nodes["SI"]
    round_id = await world.begin()
    assert identity_of(world) == (Grade.OK, [], True)
    token.take_out()
    TOKENS.forget(MODULE)
    for _ in range(3):
        await world.step()
    with node.node.store.reading("test.refused") as session:
        assert round_row(session, round_id).refused is None
    assert await world.phase(round_id) == "proposed"
    assert identity_of(world) == (Grade.CRITICAL, ["token_missing"], False)
    token.put_back()
    await world.settle()
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle()
    assert await world.phase(round_id) == "closed"
