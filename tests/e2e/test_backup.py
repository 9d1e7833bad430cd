"""A drill with real processes: backups while a round runs, machines that are lost, and what a restore leaves of it."""

from __future__ import annotations

import json
import shutil
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from aquila.audit.roles import Service as Kind
from aquila.audit.roles import role_table
from tests.support.loaded_program import LOADED, run
from tests.support.process_world import World, lists, paired_hits, rehearsed_hits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.process_world import Service

pytestmark = pytest.mark.e2e

_PARTIES = ("AL", "RS")


class Drill:
    """Two parties and a matcher, a safe, and the folder of the backups."""

    def __init__(self, root: Path, database: Callable[[], str]) -> None:
        self.database = database
        self.safe = root / "safe"
        self.safe.mkdir()
        run("backup-key", "--out", str(self.safe / "backup.key"))
        urls = {name: url for name in ("matcher", *_PARTIES) if (url := database())}
        self.world = World(root, urls, program=LOADED, frugal=True)
        self.auditors = dict.fromkeys(("matcher", *_PARTIES), "first")
        self.world.make(list(_PARTIES))
        for service in self.world.services.values():
            kept = self.safe / service.name
            kept.mkdir()
            for name in ("identity.pem", "people.key"):
                shutil.copy(service.home / name, kept)

    def back_up(self, service: Service) -> None:
        """Back a service up while it runs, and verify the backup with the key from the safe."""
        file, key = self.safe / service.name / "backup", self.safe / "backup.key"
        run(service.kind, "backup", "--home", str(service.home), "--to", f"{key}.pub", "--out", str(file))
        checked = json.loads(run(service.kind, "restore", str(file), "--key", str(key), "--check", "--json"))
        assert checked["log_size"] == checked["rows"]["log_entry"]

    def lose(self, service: Service, *more: str, settings: str = "") -> dict[str, object]:
        """Lose a machine in the middle of its work, and restore it into a new home and a new database.

        Args:
            service: Which one.
            more: More words of the command.
            settings: More lines for the settings, before it starts.
        """
        kept = self.safe / service.name
        service.kill()
        before, _, _ = (service.home / f"{service.kind}.toml").read_text().partition("\n[database]")
        url = self.database()
        (kept / "new.toml").write_text(before + (f'\n[database]\nurl = "{url}"\n' if url else ""))
        shutil.rmtree(service.home)
        secrets = ("--secret", str(kept / "identity.pem"), "--secret", str(kept / "people.key"))
        done = run(
            service.kind, "restore", str(kept / "backup"), "--key", str(self.safe / "backup.key"), "--home",
            str(service.home), "--settings", str(kept / "new.toml"), *secrets, *more, "--json",
        )  # fmt: skip
        if settings:
            with (service.home / f"{service.kind}.toml").open("a") as file:
                file.write(settings)
        service.start()
        service.tokens.clear()
        persons = ("third", "fourth") if service.kind == "node" else ("fifth", "sixth")
        self.auditors[service.name] = persons[0]
        for person in persons:
            service.enrol(person, role_table().roles_of(Kind(service.kind)), self.world.person(person))
        restored: dict[str, object] = json.loads(done)
        return restored

    def open_alarms(self) -> list[tuple[Service, int]]:
        """Return the alarms that nobody has acknowledged."""
        found = []
        for service in self.world.services.values():
            status = json.loads(run("audit", "status", "--home", str(service.home), "--json", person=self.safe))
            found += [(service, one["alarm_id"]) for one in status["alarms"] if one["acknowledged_at"] is None]
        return found

    def acknowledge(self, goes_on: Callable[[], bool]) -> None:
        """Let every administrator acknowledge what comes up, until something holds."""

        def step() -> bool:
            for service, number in self.open_alarms():
                run("audit", "acknowledge", str(number), "--home", str(service.home), person=self.safe)
            return goes_on()

        self.world.until(step, 120)

    def play(self, files: dict[str, Path]) -> str:
        """Play a round up to everyone's hits."""
        round_id = self.begin(files)
        self.world.wait_for_hits(round_id)
        return round_id

    def begin(self, files: dict[str, Path]) -> str:
        """Begin a round of many small chunks and submit all lists."""
        round_id = self.world.propose(chunk_elements=8)
        self.world.consent(round_id)
        for node in self.world.nodes:
            self.world.submit(node, round_id, self.world.import_list(node, files[node.name]))
        return round_id

    def verify_logs(self) -> None:
        """Export the log of each service and verify it offline, once the newest cosignatures have come."""
        for service in self.world.services.values():
            self.world.until(partial(self._verifies, service), 120)

    def _verifies(self, service: Service) -> bool:
        """Return whether a new export of a log verifies; a cosignature follows its checkpoint a little later."""
        archive = self.safe / f"{service.name}-{time.monotonic_ns()}.tar"
        auditor = self.world.person(self.auditors[service.name])
        run("audit", "export", "--home", str(service.home), "--out", str(archive), person=auditor)
        try:
            run("audit", "verify", str(archive), "--registry", str(service.home / "registry.toml"))
        except AssertionError:
            return False
        return True


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)])
def drill(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Drill]:
    """A drill on either database."""
    database: Callable[[], str] = str
    if request.param == "postgresql":
        database = request.getfixturevalue("new_postgres_database")
    made = Drill(tmp_path, database)
    try:
        yield made
    finally:
        made.world.stop()


def test_machines_are_lost_in_and_between_rounds(drill: Drill, tmp_path: Path) -> None:
    """A node is lost in a round, the matcher between rounds: no caps are paid twice, and new rounds have all hits."""
    world = drill.world
    files = {code: path for code, path in lists(tmp_path).items() if code in _PARTIES}
    expected = rehearsed_hits(files, tmp_path)
    node = world.services["AL"]
    # 1. A round runs; the node is backed up in it, and lost.
    first = drill.begin(files)
    drill.back_up(node)
    world.until(lambda: world.view(node, first)["evaluated_for_others"]["done"] > 0)
    restored = drill.lose(node, settings="\n[caps]\nday_full = 16000000\nday_partial = 32000000\n")
    assert (restored["refused_rounds"], restored["days_counted_as_used"]) == (1, 1)
    evaluated = world.view(node, first)["evaluated_for_others"]["done"]
    # 2. It stops with an alarm; when all is explained, the round is aborted, and nothing was evaluated in it meanwhile.
    assert drill.open_alarms()
    world.matcher.ask("POST", f"/v1/operator/rounds/{first}/abort", json={"reason": "AL lost its machine"})
    drill.acknowledge(lambda: world.phase(world.services["RS"], first) == "aborted")
    assert world.view(node, first)["evaluated_for_others"]["done"] == evaluated
    assert not any(world.view(one, first)["keys_present"] for one in world.nodes)
    # 3. With caps that were raised for that day, a new round has every hit.
    drill.acknowledge(lambda: not drill.open_alarms())
    second = drill.play(files)
    assert paired_hits(world, second) == expected
    world.close(second)
    drill.verify_logs()
    # 4. Between rounds the matcher is backed up and lost; every node stops until somebody has looked.
    drill.back_up(world.matcher)
    assert drill.lose(world.matcher)["aborted_rounds"] == 0
    assert world.phase(world.matcher, second) == "closed"
    drill.acknowledge(lambda: not drill.open_alarms())
    third = drill.play(files)
    assert paired_hits(world, third) == expected
    drill.verify_logs()
