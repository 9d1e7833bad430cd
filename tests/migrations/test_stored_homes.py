"""Homes that a release left behind are upgraded, and their rounds go on; messages that it signed are read."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from aquila.protocol.messages import ANNOUNCEMENTS, PARTY_STATEMENTS, Message
from services.kit.storage.store import Store
from tests.migrations.stored_home import HOMES, MESSAGES, ROUNDS, STOPPED_AT, hits, unpack
from tests.support import stored_log
from tests.support.clock import Clock
from tests.support.node_world import HEADER, LISTS, open_world
from tests.support.releases import released_versions

pytestmark = pytest.mark.rounds

KINDS: dict[str, type[Message]] = {kind.payload_type: kind for kind in (*PARTY_STATEMENTS, *ANNOUNCEMENTS)}
RELEASES = sorted(path.name.removesuffix(".tar.xz") for path in HOMES.glob("*.tar.xz"))


@pytest.fixture(params=RELEASES)
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    unpack(request.param, tmp_path / "homes")
    return tmp_path / "homes"


async def test_a_release_is_upgraded(stored: Path) -> None:
    content = json.loads((stored / ROUNDS).read_text("utf-8"))
    rounds = content["rounds"]
    world = open_world(stored, Clock(STOPPED_AT + 600))
    assert [await world.phase(round_id) for round_id in rounds.values()] == ["closed", "open", "proposed"]
    assert await hits(world, rounds["closed"]) == content["hits"]
    serbia = world.nodes["RS"]
    answer = await serbia.submit(rounds["half_submitted"], await serbia.load(HEADER + LISTS["RS"]))
    assert answer.is_success, answer.text
    for party_node in world.nodes.values():
        answer = await party_node.post(f"/rounds/{rounds['proposed']}/consent")
        assert answer.is_success, answer.text
    await world.settle()
    assert await hits(world, rounds["half_submitted"]) == content["hits"]
    assert await world.phase(rounds["proposed"]) == "open"
    for store in (world.app.state.context.store, *(party_node.node.store for party_node in world.nodes.values())):
        check_log(store)
    await world.close()
    for payload_type, payload in json.loads((stored / MESSAGES).read_text("utf-8")).items():
        assert KINDS[payload_type].from_payload(payload.encode()).payload() == payload.encode()


async def test_a_column_that_1_0_0_had_not_made(tmp_path: Path) -> None:
    """Its rows were blinded by multiplying and evaluated before the upgrade; another column is of before (ADR 84)."""
    unpack("1.0.0", tmp_path / "homes")
    content = json.loads((tmp_path / "homes" / ROUNDS).read_text("utf-8"))
    round_id = content["rounds"]["half_submitted"]
    with closing(sqlite3.connect(tmp_path / "homes" / "AL" / "node.db")) as database, database:
        unmade = database.execute("DELETE FROM token_part WHERE round_id = ? AND counterpart = 'RS'", [round_id])
        assert unmade.rowcount > 0
    world = open_world(tmp_path / "homes", Clock(STOPPED_AT + 600))
    serbia = world.nodes["RS"]
    answer = await serbia.submit(round_id, await serbia.load(HEADER + LISTS["RS"]))
    assert answer.is_success, answer.text
    await world.settle()
    assert await hits(world, round_id) == content["hits"]
    await world.close()


def check_log(store: Store) -> None:
    with store.reading("test.log") as session:
        found = list(stored_log.entries(session))
    assert found
    assert all(entry is not None for _, entry in found)


def test_each_release_has_left_homes() -> None:
    """Every release in the changelog has its archive."""
    assert sorted(released_versions()) == RELEASES
