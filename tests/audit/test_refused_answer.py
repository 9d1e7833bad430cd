"""A round in which the owner of a list refused its answer to a query: its log and a copy of it are audited."""

from pathlib import Path

import pytest

from aquila.audit.entries import EntryKind
from aquila.crypto.group import Group
from aquila.protocol.auditing import audit_rounds, read_log
from aquila.protocol.registry import read_registry
from clients.sdk.bundles import open_bundle
from services.kit.home_folder import LOG_FOLDER
from tests.support.fishing import fishing
from tests.support.node_world import World
from tests.support.played_worlds import WorldAfter


@pytest.mark.rounds
async def test_the_asker_has_no_report_of_the_refused_hits(world_after: WorldAfter, group: Group) -> None:
    world, (round_id, query) = await world_after(fishing)
    path = f"/rounds/{round_id}/alarms/{query}/refuse"
    assert (await world.nodes["AL"].post(path, json={"reason": "the case names two persons"})).status_code == 204
    await world.settle()
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")

    async def over() -> bool:
        return await world.phase(round_id) == "closed"

    await world.until(over)
    await world.settle()
    assert EntryKind.FISHING_ALARM in audited_kinds(world, world.path / "matcher" / LOG_FOLDER, group)
    copy = world.path / "copy.tar"
    copy.write_bytes((await world.operator.get("/v1/operator/log/export")).content)
    assert not {EntryKind.FISHING_ALARM, EntryKind.ANSWER_WITHHELD} & audited_kinds(world, copy, group)


def audited_kinds(world: World, place: Path, group: Group) -> set[EntryKind]:
    files, registry = open_bundle(str(place)), read_registry((world.path / "matcher" / "registry.toml").read_bytes())
    record = read_log(files, registry)
    audit_rounds(record, files, registry, group)
    return {entry.kind for entry in record.entries if entry is not None}
