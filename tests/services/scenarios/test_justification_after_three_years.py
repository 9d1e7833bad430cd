"""A justification is kept for three years at every party and at the matcher, and then it is nowhere."""

import base64
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from aquila.crypto.group import Group
from aquila.protocol.auditing import audit_rounds, read_log
from aquila.protocol.registry import read_registry
from services.kit.approvals.decisions import expire_requests
from services.kit.log.retention import Retention
from services.matcher.storage.tables import EventRow
from services.node.steps.close import erase_justifications
from services.node.storage.tables import StatementRow, SubmissionRow
from tests.support.node_steps import hit_path, hit_with
from tests.support.node_world import HEADER, LISTS, World
from tests.support.sentence_texts import texts

DAY = 86_400
THREE_YEARS = 1_095 * DAY
CASE = "no-one-else-has-4711"
SPELLINGS = [CASE.encode(), *(base64.b64encode(b" " * shift + CASE.encode())[4:-4] for shift in range(3))]
"""The case reference as it stands in files: as it is, and in base64 at each of three places."""


pytestmark = [pytest.mark.parties("AL", "RS"), pytest.mark.rounds]


@pytest.fixture
async def world(world: World) -> World:
    """A matcher and two nodes whose closed round keeps its hits for longer than three years."""
    round_id = await world.propose(retention_days=2_000)
    for code, party_node in world.nodes.items():
        assert (await party_node.post(f"/rounds/{round_id}/consent")).status_code == 202
        why = dict.fromkeys(("legal_basis", "purpose", "category"), "as the law says") | {"case_reference": CASE}
        body = {"import_id": await party_node.load(HEADER + LISTS[code]), "kind": "list", "justification": why}
        assert (await party_node.post(f"/rounds/{round_id}/submissions", json=body)).status_code == 202
    await world.settle()
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle()
    return world


async def later(world: World, seconds: int) -> None:
    world.clock.time += seconds
    for _ in range(2):
        for party_node in world.nodes.values():
            # An idle log has no newer checkpoint that a witness could see.
            await party_node.post("/log/entries", json={})
        await world.operator.post("/v1/operator/log/entries", json={})
        await world.settle()
        for party_node in world.nodes.values():
            Retention(party_node.node.log.own, 1_095).step()
            expire_requests(party_node.app.state.approvals, 1_095)
            erase_justifications(party_node.node)


def holders(world: World) -> list[str]:
    columns: dict[str, tuple[Any, ...]] = dict.fromkeys(
        world.nodes, (StatementRow.envelope, SubmissionRow.justification)
    )
    stores = {code: party_node.node.store for code, party_node in world.nodes.items()}
    stores["matcher"], columns["matcher"] = world.app.state.context.store, (EventRow.envelope,)
    homes = {code: party_node.home for code, party_node in world.nodes.items()} | {"matcher": world.path / "matcher"}
    found = []
    for name, store in stores.items():
        with store.reading("test.rows") as session:
            said = [_text(value) for column in columns[name] for value in session.scalars(select(column))]
        files = b"".join(path.read_bytes() for path in homes[name].rglob("*") if path.is_file())
        if any(CASE in text for text in said) or any(spelling in files for spelling in SPELLINGS):
            found.append(name)
    return found


def _text(value: object) -> str:
    """Return all that a stored value says; of an envelope what it holds."""
    text = value.decode() if isinstance(value, bytes) else str(value)
    return base64.b64decode(json.loads(text)["payload"]).decode() if text.startswith('{"payload":') else text


@pytest.mark.database_files
async def test_it_is_nowhere_and_the_round_still_holds_together(world: World, group: Group, tmp_path: Path) -> None:
    """Rows, files and log lose it; hits stay, restarts rebuild the round, and an auditor finds nothing wrong."""
    assert holders(world) == ["AL", "RS", "matcher"]
    # 1. A month too early nothing goes.
    await later(world, THREE_YEARS - 30 * DAY)
    assert holders(world) == ["AL", "RS", "matcher"]
    # 2. After three years it is gone.
    await later(world, 31 * DAY)
    assert holders(world) == []
    # 3. The hit is there still, at a node that starts anew, and can still be withdrawn.
    al, rs = world.nodes["AL"], world.nodes["RS"]
    al.restart()
    world.app.state.context.round_cache.forget((await hit_with(al, "RS"))["round_id"])
    hit = await hit_with(al, "RS")
    assert (await al.post(hit_path(hit, "/withdrawal"), json={"ground": "incorrect", "reason": "late"})).is_success
    await world.settle()
    assert (await rs.get(hit_path(hit)))["entry"]["stage"] == "withdrawn"
    assert texts((await al.round(hit["round_id"]))["problems"]) == []
    # 4. The log holds together; the round that lost its submissions is not taken through.
    archive = await world.operator.get("/v1/operator/log/export")
    with tarfile.open(fileobj=io.BytesIO(archive.content)) as opened:
        files = {member.name: opened.extractfile(member).read() for member in opened}  # type: ignore[union-attr]  # files alone are in it
    record = read_log(files.get, read_registry((tmp_path / "matcher" / "registry.toml").read_bytes()))
    assert record.erased
    assert (
        audit_rounds(record, files.get, read_registry((tmp_path / "matcher" / "registry.toml").read_bytes()), group)
        == []
    )
