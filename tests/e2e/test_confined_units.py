"""The restrictions of the systemd units that need no systemd, on the real processes, for a whole round.

`test_units.py` boots a systemd, which only root can; this needs no right at all. A call that a unit forbids ends the
process here as it does there.
"""

from __future__ import annotations

import ctypes.util
import errno
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.support import confine, manual
from tests.support.attempts import ENDS, TRIES
from tests.support.cluster import DASK, SCHEDULER_UNIT, UNITS, WORKER_UNIT, Cluster, unit_on_loopback
from tests.support.container import CAN_BOOT
from tests.support.process_world import AQUILA, Program, Service, World, free_port, paired_hits, rehearsed_hits

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="Debian's systemd is not installed"),
    pytest.mark.skipif(ctypes.util.find_library("seccomp") is None, reason="Debian's libseccomp2 is not installed"),
]

HERE = Path(confine.__file__).parent
NODE_UNIT = UNITS / "aquila-node.service"


@pytest.fixture(scope="module", autouse=True)
def _another_user() -> None:
    """Skip where root must stay root: units run as other users, and libraries do for root what units forbid."""
    attempt = "import confine; confine.become_another_user()"
    if os.geteuid() == 0 and subprocess.run([sys.executable, "-c", attempt], cwd=HERE, check=False).returncode:
        pytest.skip("this root may make no user namespace: run it as another user")


def confined(unit: Path, *command: str) -> list[str]:
    """Return the words that run a command under a unit's restrictions."""
    return [sys.executable, confine.__file__, str(unit), *command]


def start_command(unit: str) -> list[str]:
    """Return the command that a unit starts, by the programs of this environment."""
    [line] = [value for name, value in confine.service_settings(unit) if name == "ExecStart"]
    return shlex.split(line.replace("/opt/aquila/bin/aquila", AQUILA).replace("/opt/aquila/bin/dask", DASK))


def filter_count(process: psutil.Process) -> int:
    """Return how many system-call filters a process is under."""
    [found] = re.findall(r"Seccomp_filters:\s*(\d+)", Path(f"/proc/{process.pid}/status").read_text("utf-8"))
    return int(found)


@dataclass
class ConfinedService(Service):
    """A service that its unit's command starts, under its unit's restrictions."""

    def launch(self) -> None:
        """Start it."""
        unit = UNITS / f"aquila-{self.kind}.service"
        command = start_command(unit.read_text("utf-8"))
        delivered = f"/var/lib/aquila/{self.kind}"
        assert delivered in command
        here = (str(self.home) if word == delivered else word for word in command)
        self.process = Program(tuple(confined(unit, *here))).start([], self.log)
        self.starts += 1


class ConfinedWorld(World):
    """A world of confined services."""

    def _add(self, name: str, kind: str) -> Service:
        service = ConfinedService(name, kind, self.root / name, free_port())
        self.services[name] = service
        return service


class ConfinedCluster(Cluster):
    """A cluster by the commands of the Dask units, under their restrictions."""

    def _run_all(self) -> None:
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        for name, unit in (("scheduler", SCHEDULER_UNIT), ("worker", WORKER_UNIT)):
            command = start_command(unit_on_loopback(unit, self.port))
            here = (str(scratch) if word == "/run/aquila-dask" else word for word in command)
            self._run(name, *confined(UNITS / unit, *here))


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A scheduler, and a worker below its nanny."""
    made = ConfinedCluster(tmp_path / "cluster", workers=1)
    try:
        made.start()
        yield made
    finally:
        nannies = [process for process in made.processes if process.poll() is None]
        below = [child for one in nannies for child in psutil.Process(one.pid).children(recursive=True)]
        made.stop()
        for child in below:
            child.kill()


# Where systemd can be booted, `test_units.py` plays the round under the whole of the units.
@pytest.mark.soak if CAN_BOOT else pytest.mark.e2e
def test_a_round_under_the_filters_of_the_units(cluster: Cluster, files: dict[str, Path], tmp_path: Path) -> None:
    """The matcher, a node with two processes of its own, and a node on a cluster: the hits of a rehearsal."""
    (tmp_path / "world").mkdir()
    world = ConfinedWorld(tmp_path / "world", more_settings={"AL": cluster.settings(), "RS": "workers = 2\n"})
    lists = {code: files[code] for code in ("AL", "RS")}
    try:
        world.make(["AL", "RS"])
        round_id = world.propose()
        world.consent(round_id)
        for node in world.nodes:
            world.submit(node, round_id, world.import_list(node, lists[node.name]))
        world.wait_for_hits(round_id)
        assert paired_hits(world, round_id) == rehearsed_hits(lists, tmp_path)
        world.close(round_id)
        started = [*cluster.processes, *(service.process for service in world.services.values())]
        everyone = [psutil.Process(process.pid) for process in started if process is not None]
        everyone += [child for one in everyone for child in one.children(recursive=True)]
        assert len(everyone) >= 8, "three services, two processes of a node; scheduler, nanny and worker"
        made = len(list(confine.filters(confine.service_settings(NODE_UNIT.read_text("utf-8")), confine.call_sets())))
        assert set(map(filter_count, everyone)) == {filter_count(psutil.Process()) + made}, (
            "each is under its unit's filters"
        )
        written = {service.name: service.log.read_text("utf-8") for service in world.services.values()}
        for service in world.services.values():
            assert service.process is not None
            service.process.terminate()
            assert service.process.wait(timeout=60) == -signal.SIGTERM, "it ends as it was asked to"
    finally:
        world.stop()
    # A worker that a filter ends is replaced, and the round goes on: only these words tell of it.
    assert [name for name, text in written.items() if "executor_lost" in text] == []
    worker = (cluster.folder / "worker.log").read_text("utf-8")
    assert "Run out-of-band" in worker, "the worker was asked who it is"
    assert "killed by signal" not in worker


def tried(unit: Path, folder: Path, *attempts: str) -> dict[str, int]:
    """Return how attempts under a unit's restrictions ended: 0, an error's number, or a signal's below 0."""
    command = confined(unit, sys.executable, "-c", TRIES, str(folder), *attempts)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    ended: dict[str, int] = json.loads(done.stdout)
    return ended


@pytest.mark.parametrize("unit", sorted(UNITS.glob("*.service")), ids=lambda unit: unit.stem)
def test_a_unit_forbids_and_permits(unit: Path, tmp_path: Path) -> None:
    """Each restriction is tried, and no setting of a unit is overlooked."""
    settings, sets = confine.service_settings(unit.read_text("utf-8")), confine.call_sets()
    assert confine.unmet(settings) == set()
    assert not confine.permitted_calls(settings, sets) & confine.calls_of(confine.ELSEWHERE_FORBIDDEN, sets)
    assert tried(unit, tmp_path, *ENDS) == ENDS


MOST_EXPOSED = 12  # tenths


def is_little_exposed(file: Path) -> bool:
    """Return whether a unit is exposed at most as much as one may be, by systemd's own measure."""
    words = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", str(file)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert "Overall exposure level" in done.stdout, done.stderr
    return done.returncode == 0


@pytest.mark.parametrize("unit", sorted(UNITS.glob("*.service")), ids=lambda unit: unit.stem)
def test_a_unit_is_little_exposed(unit: Path, tmp_path: Path) -> None:
    """At most 1.2, with the addresses that a drop-in adds; a unit without two of its restrictions is above."""
    used, lenient = tmp_path / "used" / unit.name, tmp_path / "lenient" / unit.name
    for file in (used, lenient):
        file.parent.mkdir()
    used.write_text(unit.read_text("utf-8") + manual.drop_in(), encoding="utf-8")
    assert is_little_exposed(used)
    lenient.write_text(
        re.sub("(?:RestrictNamespaces|PrivateUsers)=yes\n", "", used.read_text("utf-8")), encoding="utf-8"
    )
    assert not is_little_exposed(lenient)


@pytest.mark.parametrize("kind", ["node", "matcher"])
def test_a_unit_with_a_token_is_little_exposed(kind: str, tmp_path: Path) -> None:
    """The drop-in for a PKCS#11 module takes no restriction away."""
    unit = tmp_path / f"aquila-{kind}.service"
    drop_in = (UNITS / "pkcs11-token.conf").read_text("utf-8")
    unit.write_text((UNITS / unit.name).read_text("utf-8") + drop_in, encoding="utf-8")
    assert confine.unmet(confine.service_settings(drop_in)) == set()
    assert is_little_exposed(unit)


def test_a_filter_with_an_error_number_ends_nothing(tmp_path: Path) -> None:
    """`SystemCallErrorNumber=` takes the place of the signal."""
    unit = tmp_path / "lenient.service"
    unit.write_text(NODE_UNIT.read_text("utf-8").replace("[Install]", "SystemCallErrorNumber=EDOM\n[Install]"))
    assert tried(unit, tmp_path, "os.nice(1)") == {"os.nice(1)": errno.EDOM}


def test_a_filter_without_mbind_ends_a_service(tmp_path: Path) -> None:
    """NumPy's OpenBLAS calls it when it is imported: the units of the first release ended every service so."""
    delivered = NODE_UNIT.read_text("utf-8")
    unit = tmp_path / "earlier.service"
    unit.write_text(delivered.replace("SystemCallFilter=mbind\n", ""), encoding="utf-8")
    assert unit.read_text("utf-8") != delivered
    serve = (AQUILA, "node", "serve", "--home", str(tmp_path / "no-home"))
    ended = {path: subprocess.run(confined(path, *serve), capture_output=True, timeout=60, check=False).returncode
             for path in (unit, NODE_UNIT)}  # fmt: skip
    assert ended[unit] == -signal.SIGSYS
    assert ended[NODE_UNIT] > 0, "as delivered it lives to say that there is no such home"
