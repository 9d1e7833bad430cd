"""List files that a system of the party puts into a folder of the node."""

import os
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from aquila.audit.roles import Role
from services.kit.serving.notifications.waiting import FaultWatch
from services.node.storage.tables import ImportRow
from services.node.waiting import NodeWaiting
from tests.support.node_world import HEADER, PartyNode, World

GOOD = HEADER + "a-1,Mira,Janković,1988-08-08,\na-2,Ana,Novak,1985-01-02,\n"
REFUSED = HEADER + "a-3,Ana,,,\n"


pytestmark = pytest.mark.parties("AL", "RS")


@pytest.fixture
def al(world: World) -> PartyNode:
    found = world.nodes["AL"]
    folder = found.home / "incoming"
    folder.mkdir()
    found.node.settings = found.node.settings.model_copy(update={"deliveries": folder})
    return found


def deliver(world: World, name: str = "nightly.csv", content: str = GOOD, age: int = 3_600) -> Path:
    """Put a file into the folder as an export does that ended some time ago."""
    path = world.nodes["AL"].home / "incoming" / name
    path.write_text(content)
    os.utime(path, (world.clock.time - age,) * 2)
    return path


async def waiting(al: PartyNode) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await al.get("/deliveries"))["deliveries"]
    return found


async def store(al: PartyNode, delivery_id: str, name: str = "nightly") -> httpx.Response:
    return await al.post("/imports", params={"name": name, "delivery": delivery_id})


def imports(al: PartyNode) -> int:
    with al.node.store.reading("test.count") as session:
        return session.scalar(select(func.count()).select_from(ImportRow)) or 0


async def test_a_delivered_file_is_checked_stored_and_leaves_the_folder(world: World, al: PartyNode) -> None:
    path = deliver(world)
    (found,) = await waiting(al)
    assert (found["name"], found["size"], found["problem"]) == ("nightly.csv", len(GOOD.encode()), None)
    chosen = {"delivery": found["delivery_id"]}
    assert (await al.post("/records/recognize", params=chosen)).json()["format"] == "csv"
    assert (await al.post("/records/check", params=chosen)).json()["accepted"] == 2
    assert (await al.post("/records/findings", params=chosen)).status_code == 200
    assert path.exists()
    answer = await store(al, found["delivery_id"])
    assert (answer.status_code, answer.json()["accepted"], answer.json()["name"]) == (201, 2, "nightly")
    assert (path.exists(), await waiting(al)) == (False, [])


async def test_a_list_that_is_refused_stays_in_the_folder(world: World, al: PartyNode) -> None:
    """Nothing is lost: it can be looked at again, or removed without being stored."""
    path = deliver(world, content=GOOD + REFUSED.removeprefix(HEADER))
    (found,) = await waiting(al)
    assert (await store(al, found["delivery_id"])).json()["code"] == "list_rows_refused"
    assert (path.exists(), imports(al)) == (True, 0)
    assert (await al.operator.delete(f"/v1/deliveries/{found['delivery_id']}")).status_code == 204
    assert (path.exists(), imports(al)) == (False, 0)


async def test_what_is_stored_is_what_was_looked_through(world: World, al: PartyNode) -> None:
    """A file that is written anew, of the same length and time too, is another one."""
    path = deliver(world)
    (found,) = await waiting(al)
    written = path.stat()
    path.write_text(GOOD.replace("Novak", "Kovak"))
    os.utime(path, ns=(written.st_atime_ns, written.st_mtime_ns))
    for answer in (await store(al, found["delivery_id"]), await al.operator.delete(f"/v1/deliveries/{'0' * 32}")):
        assert (answer.status_code, answer.json()["code"]) == (404, "delivery_unknown")
    assert (path.exists(), imports(al)) == (True, 0)


async def test_a_file_that_is_being_written_waits(world: World, al: PartyNode) -> None:
    """It is shown with the reason, and can be read, and waits for an officer, once it has rested."""
    deliver(world, age=59)
    (found,) = await waiting(al)
    assert found["problem"]["code"] == "delivery_unsettled"
    assert (await store(al, found["delivery_id"])).json()["code"] == "delivery_unsettled"
    for rested, role, count in ((0, Role.OFFICER, 0), (1, Role.OFFICER, 1), (0, Role.APPROVER, 0)):
        world.clock.time += rested
        faults = FaultWatch(al.app.state.health.health, al.clock)
        work = NodeWaiting(al.node.journal, al.node.settings.deliveries, faults).work_of("p-0123456789ab", {role})
        assert work.counts.deliveries == count
    assert (await store(al, found["delivery_id"])).status_code == 201


async def test_only_list_files_are_deliveries(world: World, al: PartyNode, tmp_path: Path) -> None:
    """Links, folders, pipes, hidden files and other types are none; the newest comes first, with a name to be read."""
    folder = al.home / "incoming"
    secret = tmp_path / "secret.csv"
    secret.write_text(GOOD)
    (folder / "link.csv").symlink_to(secret)
    (folder / "folder.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    deliver(world, ".hidden.csv")
    deliver(world, "list.csv.part")
    deliver(world, "older.csv", age=7_200)
    deliver(world, "new\u202e.CSV")
    assert [one["name"] for one in await waiting(al)] == ["new[U+202E].CSV", "older.csv"]


async def test_a_file_that_could_not_be_read_or_removed_is_not_taken(
    world: World, al: PartyNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One above the limit, one in a folder that is not the node's to write in, and a folder that is not there."""
    deliver(world)
    limits = al.node.settings.limits.model_copy(update={"import_mebibytes": 0})
    settings, al.node.settings = al.node.settings, al.node.settings.model_copy(update={"limits": limits})
    assert [one["problem"]["code"] for one in await waiting(al)] == ["delivery_too_large"]
    al.node.settings = settings
    monkeypatch.setattr(os, "access", lambda *_: False)
    (found,) = await waiting(al)
    assert found["problem"]["code"] == "delivery_not_removable"
    assert (await store(al, found["delivery_id"])).json()["code"] == "delivery_not_removable"
    al.node.settings = settings.model_copy(update={"deliveries": al.home / "nowhere"})
    missing = await al.operator.get("/v1/deliveries")
    assert missing.json()["code"] == "deliveries_unreadable"
    assert "nowhere" not in missing.text


async def test_a_node_without_a_folder_has_no_deliveries(world: World) -> None:
    al = world.nodes["AL"]
    assert await al.get("/deliveries") == {"deliveries": [], "left_out": 0}
    assert (await store(al, "0" * 32)).json()["code"] == "delivery_unknown"
