"""A node and the matcher play rounds with their identity keys in PKCS#11 tokens, where they move between rounds."""

import pytest

from aquila.interface.service.health import Grade, HealthCheck, ServiceHealth, Subject
from services.kit.serving.health.report import HealthReport
from services.kit.storage.pkcs11 import TOKENS
from services.node.round_memory import round_row
from tests.support.ceremony import renew
from tests.support.node_world import World
from tests.support.soft_tokens import MODULE, NEEDED, SoftToken

pytestmark = [NEEDED, pytest.mark.more_rounds]


def identity_of(world: World) -> tuple[Grade, list[str], bool]:
    """Return how a node's status grades its identity key, why, and whether the node is ready with it."""
    found: ServiceHealth = HealthReport(world.nodes["SI"].app.state.health._parts).health()
    check: HealthCheck = next(one for one in found.checks if one.subject is Subject.IDENTITY)
    return check.grade, [one.sentence.code for one in check.sentences], "identity" not in found.not_ready


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
