"""Homes that earlier versions left behind are upgraded by migration and go on, whatever phase their rounds are in."""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from services.kit.log import entries
from tests.migrations.homes.make import HOMES, archive_of
from tests.support.clock import Clock
from tests.support.node_world import World, open_world
from tests.support.sentence_texts import texts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

LATER = 1_800_000_000 + 8 * 600
"""When the services are started again, by the clock of the homes: ten minutes after the last round was proposed."""

Told = dict[str, dict[str, Any]]
HITS = {
    "AL": {("al-1", "RS", "high"), ("al-2", "SI", "high")},
    "RS": {("rs-1", "AL", "high"), ("rs-2", "SI", "high")},
    "SI": {("si-1", "RS", "high"), ("si-2", "AL", "high")},
}
"""What each party finds in a round of all three lists of `homes/play.py`."""


class Upgraded(World):
    """Services of today on homes of an earlier version, which has told of its rounds."""

    told: Told

    def round_id(self, name: str) -> str:
        """Return the id of a round by its name in `homes/play.py`."""
        round_id: str = self.told[name]["round_id"]
        return round_id

    async def listed(self) -> dict[str, dict[str, str]]:
        """Return the phase of every round, as each service lists it."""
        found = {"matcher": (await self.operator.get("/v1/operator/rounds")).json()}
        found |= {code: await party_node.get("/rounds") for code, party_node in self.nodes.items()}
        return {who: {one["round_id"]: one["phase"] for one in told["rounds"]} for who, told in found.items()}

    async def hits(self, round_id: str) -> dict[str, set[tuple[str, ...]]]:
        """Return each party's hits of a round: own record, counterpart and level."""
        return {
            code: {(hit["record_id"], hit["counterpart"], hit["certainty"]) for hit in found["hits"]}
            for code, party_node in self.nodes.items()
            if (found := await party_node.get(f"/rounds/{round_id}/hits"))
        }

    async def problems(self, round_id: str) -> set[str]:
        """Return what stands in the way of a round at any node."""
        return {
            one for party_node in self.nodes.values() for one in texts((await party_node.round(round_id))["problems"])
        }

    async def end(self, how: str, *names: str) -> None:
        """Let the secretariat end rounds, and every node destroy its keys."""
        body = {"reason": "after the upgrade"} if how == "abort" else None
        for name in names:
            answer = await self.operator.post(f"/v1/operator/rounds/{self.round_id(name)}/{how}", json=body)
            assert answer.is_success, answer.text
        await self.settle()
        for name in names:
            views = [await party_node.round(self.round_id(name)) for party_node in self.nodes.values()]
            assert not any(view["keys_present"] for view in views)


@pytest.fixture
async def upgraded(tmp_path: Path) -> AsyncIterator[Callable[[str], Upgraded]]:
    """Start today's services on the homes of a version."""
    opened: list[Upgraded] = []

    def start(version: str) -> Upgraded:
        with tarfile.open(archive_of(version)) as packed:
            packed.extractall(tmp_path, filter="data")
        # As OPERATIONS.md asks at an upgrade: what others could read is refused.
        for path in tmp_path.rglob("*"):
            path.chmod(path.stat().st_mode & 0o700)
        world = open_world(tmp_path, Clock(LATER))
        found = Upgraded(**vars(world))
        found.told = json.loads((tmp_path / "told.json").read_text("utf-8"))
        opened.append(found)
        return found

    yield start
    for world in opened:
        await world.close()


async def is_as_it_was(world: Upgraded) -> None:
    """Check that every service lists every round, and that every party has the hits that it had."""
    phases = {one["round_id"]: one["phase"] for one in world.told.values()}
    listed = await world.listed()
    assert listed["matcher"] == phases
    for code in world.nodes:
        # A node may not have read yet what the matcher knows.
        assert listed[code].keys() == phases.keys()
        assert listed[code][world.round_id("closed")] == "closed"
    for one in world.told.values():
        hits = {code: {tuple(hit) for hit in found} for code, found in one["hits"].items()}
        assert await world.hits(one["round_id"]) == hits
        answer = await world.operator.get(f"/v1/operator/rounds/{one['round_id']}")
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("version", ["a96bb4e", "0.2.0"])
async def test_rounds_of_a_recent_version_go_on(upgraded: Callable[[str], Upgraded], version: str) -> None:
    """Closed rounds are read as they were, open ones find every hit, and what waited for a person waits still."""
    world = upgraded(version)
    await is_as_it_was(world)
    al, rs, si = (world.nodes[code] for code in ("AL", "RS", "SI"))
    imported = (await rs.get("/imports"))["imports"]
    assert (await rs.submit(world.round_id("open"), imported[0]["import_id"])).status_code == 202
    assert (await si.post(f"/rounds/{world.round_id('consented')}/consent")).status_code == 202
    (waiting,) = [one for one in (await al.get("/approvals"))["approvals"] if one["state"] == "waiting"]
    answer = await al.post(f"/approvals/{waiting['approval_id']}/approve", json={"digest": waiting["digest"]})
    assert answer.is_success, answer.text
    await world.settle()
    for name in ("evaluating", "open", "reporting"):
        assert await world.hits(world.round_id(name)) == HITS
        assert await world.problems(world.round_id(name)) == set()
    assert await world.phase(world.round_id("consented")) == "open"
    assert (await al.round(world.round_id("proposed")))["consented"]
    await world.end("close", "evaluating", "open", "reporting")
    assert {await world.phase(world.round_id(name)) for name in ("evaluating", "open", "reporting")} == {"closed"}
    assert [one["state"] for one in (await al.get("/suggestions"))["suggestions"]] == ["waiting"]
    found = (await al.get(f"/hits?round_id={world.round_id('closed')}"))["hits"]
    stages = {one["record_id"]: one["stage"] for one in found}
    assert stages == {"al-1": "follow_up", "al-2": "withdrawn", "q-1": "new"}


async def test_rounds_of_the_first_version_are_read_and_ended(upgraded: Callable[[str], Upgraded]) -> None:
    """Its match rules are gone: its open rounds say so, match nothing wrongly, and are ended; a new round is played."""
    world = upgraded("5d77566")
    await is_as_it_was(world)
    await world.settle()
    consent = await world.nodes["SI"].post(f"/rounds/{world.round_id('consented')}/consent")
    assert (consent.status_code, "earlier version" in consent.text) == (403, True)
    unfinished = ("consented", "evaluating", "open", "proposed", "reporting")
    for name in unfinished:
        assert any("earlier version" in one for one in await world.problems(world.round_id(name))), name
    await world.end("abort", *unfinished)
    assert await world.problems(world.round_id("closed")) == set()
    round_id = await world.begin()
    await world.settle()
    assert {code: {hit[:2] for hit in hits} for code, hits in (await world.hits(round_id)).items()} == {
        "AL": {("al-list-1", "RS"), ("al-list-2", "SI")},
        "RS": {("rs-1", "AL"), ("rs-2", "SI")},
        "SI": {("si-1", "RS"), ("si-3", "AL")},
    }


@pytest.mark.parametrize("version", HOMES)
def test_every_entry_of_the_log_is_read(upgraded: Callable[[str], Upgraded], version: str) -> None:
    """The contents of the log are as they were hashed; the first version had none."""
    world = upgraded(version)
    for store in (world.app.state.context.store, *(party_node.node.store for party_node in world.nodes.values())):
        with store.reading("test.log") as session:
            assert all(entry is not None for _, entry in entries.entries(session))
