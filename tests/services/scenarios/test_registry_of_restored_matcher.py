"""The matcher is restored from before the last change of its registry: the newer registries come back from a party."""

from pathlib import Path

import pytest

from aquila.errors import EquivocationError, InputError, KeyMaterialError, OrderError, SignatureError
from aquila.protocol.registration.statements import RegistryFeed, open_statement, sign_statement
from aquila.protocol.registry import MATCHER, read_registry
from services.kit.administration.backup.restore import Source
from services.kit.http.signatures import CallSigner
from services.matcher.backup import RestoredMatcher, restore_matcher
from tests.support.backups import KEY, Safe
from tests.support.ceremony import fetched, renew
from tests.support.node_world import World
from tests.support.registering import key_of
from tests.support.renewing import call_of

pytestmark = pytest.mark.rounds


@pytest.fixture
def safe(world: World, tmp_path: Path) -> Safe:
    return Safe(tmp_path / "safe", world)


async def revoked_since(world: World, safe: Safe) -> CallSigner:
    await renew(world, "RS")
    safe.back_up("matcher")
    stolen = world.nodes["SI"].node.party.identity
    await renew(world, "SI", lost=True)
    return CallSigner(stolen, "SI", world.clock)


async def test_a_newer_registry_comes_back_from_a_party(world: World, safe: Safe) -> None:
    """The key that was revoked after the backup opens nothing, and the next change goes its way."""
    thief = await revoked_since(world, safe)
    before = await fetched(world.nodes["AL"])
    restored = await safe.lose_matcher((await world.nodes["AL"].get("/registry/statements"))["content"])
    assert (restored.registry, restored.taken) == (2, 1)
    assert await call_of(world, thief) == 401
    # 1. Registry and acceptances are those of before, in the file of the home too.
    at_matcher = (await world.operator.get("/v1/operator/registry")).json()
    assert at_matcher["in_force"]["digest"] == before["in_force"]["digest"]
    assert {one["accepted"] for one in at_matcher["parties"]} == {2}
    registry = read_registry((world.path / "matcher" / "registry.toml").read_bytes())
    assert registry == world.nodes["AL"].node.registry
    # 2. Another key is replaced: no party sees two statements of one number.
    await world.settle()
    await world.acknowledge_alarms()
    await renew(world, "AL")
    assert {(await fetched(member))["in_force"]["number"] for member in world.nodes.values()} == {3}
    again = await world.begin()
    await world.settle()
    assert await world.phase(again) == "reporting"


@pytest.mark.more_rounds
async def test_a_registry_file_that_is_of_no_use(world: World, safe: Safe, tmp_path: Path) -> None:
    """What is older changes nothing; what another signed, or lacks a statement, leaves no home behind."""
    await revoked_since(world, safe)
    node = world.nodes["AL"]
    file = RegistryFeed.model_validate_json((await node.get("/registry/statements"))["content"])
    newest = open_statement(file.statements[1].encode(), *node.node.registry.keys_of(MATCHER)).message
    own = world.app.state.context.matcher.identity
    foreign = sign_statement(
        newest.model_copy(update={"matcher_key": key_of("stranger").public.hex}), key_of("stranger")
    )
    late = sign_statement(newest.model_copy(update={"number": 4}), own)
    other = sign_statement(newest.model_copy(update={"previous": "0" * 64}), own)
    source = Source(safe.folder / "matcher" / "backup", KEY, [safe.folder / "matcher" / "identity.pem"])

    def restore(*statements: str) -> RestoredMatcher:
        content = RegistryFeed(statements=statements, acceptances=()).model_dump_json() if statements else "no file"
        return restore_matcher(source, tmp_path / "new", world.clock, content)

    for statements, kind in (
        ((), InputError),
        ((foreign.decode(),), SignatureError),
        ((late.decode(),), OrderError),
        ((other.decode(),), EquivocationError),
    ):
        with pytest.raises(kind):
            restore(*statements)
        assert not (tmp_path / "new").exists()
    restored = restore(file.statements[0])
    assert (restored.registry, restored.taken) == (1, 0)


@pytest.mark.more_rounds
async def test_a_registry_that_names_a_newer_key_of_the_matcher(world: World, safe: Safe, tmp_path: Path) -> None:
    """The key of the backup cannot sign under it: a backup from after the renewal is needed."""
    safe.back_up("matcher")
    assert (await world.operator.post("/v1/operator/registry/own-renewal", json={})).status_code == 202
    await fetched(world.nodes["AL"])
    content = (await world.nodes["AL"].get("/registry/statements"))["content"]
    source = Source(safe.folder / "matcher" / "backup", KEY, [safe.folder / "matcher" / "identity.pem"])
    with pytest.raises(KeyMaterialError, match="another identity key"):
        restore_matcher(source, tmp_path / "new", world.clock, content)
