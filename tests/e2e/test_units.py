"""The systemd units as they are delivered, under a real systemd: a whole round, and systemd ends nothing."""

import json
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.support.attempts import ENDS, TRIES
from tests.support.cluster import SAMPLE, SCHEDULER_UNIT, UNITS, WORKER_UNIT, unit_on_loopback, write_authority
from tests.support.container import BOOTS, Container
from tests.support.process_world import Service, World, free_port, paired_hits, rehearsed_hits, run

pytestmark = list(BOOTS)

DASK_UNITS = (SCHEDULER_UNIT, WORKER_UNIT)
START_SECONDS = 120
WATCHDOG_SECONDS = 20
_NOW = "[Timer]\nOnActiveSec=1s\nRandomizedDelaySec=0\nAccuracySec=100ms\n"
"""What makes a timer that waits for the night go off at its start, too."""


@dataclass
class UnitService(Service):
    container: Container = field(kw_only=True)

    @property
    def unit(self) -> str:
        return f"aquila-{self.name.lower()}.service"

    @property
    def log(self) -> Path:
        """What the service wrote, and what systemd says of it, as a file."""
        written = self.container.folder / f"{self.name}.log"
        written.write_text(self.container.journal(self.unit), encoding="utf-8")
        return written

    def start(self) -> None:
        content = (UNITS / f"aquila-{self.kind}.service").read_text("utf-8")
        # Several nodes are on this machine: each has its own folder.
        content = content.replace(f"aquila/{self.kind}", f"aquila/{self.name}")
        if 'executor = "dask"' in (self.home / f"{self.kind}.toml").read_text("utf-8"):
            content = content.replace("ProcSubset=pid", "ProcSubset=all")  # as the unit says
        self.container.install(self.unit, content)
        self.container.run("systemctl", "start", self.unit)
        self.starts += 1
        self._until_it_listens()

    def restart(self) -> None:
        self.container.run("systemctl", "restart", self.unit)
        self._until_it_listens()

    def _until_it_listens(self) -> None:
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self.container.show(self.unit)["NRestarts"] == "0", self.container.journal(self.unit)
            time.sleep(0.1)
        raise AssertionError(self.container.journal(self.unit))


@dataclass
class UnitWorld(World):
    container: Container = field(kw_only=True)

    def _add(self, name: str, kind: str) -> Service:
        service = UnitService(name, kind, self.root / name, free_port(), container=self.container)
        self.services[name] = service
        return service


@pytest.fixture
def container() -> Iterator[Container]:
    folder = Path(mkdtemp(prefix="aqunits-"))
    made = Container(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def cluster_of(container: Container) -> str:
    """Start scheduler and worker of a Dask cluster by their units; return what a node's settings say of it."""
    place, port = container.root / "etc/aquila/dask", free_port()
    place.parent.mkdir()
    write_authority(place)
    shutil.copy(SAMPLE, place / "dask.yaml")
    container.add_user("aquila-node")
    for unit in DASK_UNITS:
        container.install(unit, unit_on_loopback(unit, port))
    container.run("chown", "-R", "aquila-dask", "/etc/aquila/dask")
    container.run("chown", "aquila-node", "/etc/aquila/dask/service.key")
    container.run("systemctl", "start", *DASK_UNITS)
    return (
        f'executor = "dask"\ndask_scheduler = "tls://127.0.0.1:{port}"\ndask_ca_file = "/etc/aquila/dask/ca.pem"\n'
        'dask_certificate_file = "/etc/aquila/dask/service.pem"\ndask_key_file = "/etc/aquila/dask/service.key"\n'
    )


def assert_backed_up(container: Container, service: Service) -> None:
    name, key = f"aquila-{service.kind}-backup", container.folder / f"{service.kind}.key"
    run("backup-key", "--out", str(key))
    public = container.root / "etc/aquila/backup.key.pub"
    shutil.copy(f"{key}.pub", public)
    public.chmod(0o644)
    container.run("install", "-d", "-m", "700", "-o", f"aquila-{service.kind}", "/srv/backup")
    content = (UNITS / f"{name}.service").read_text("utf-8")
    container.install(f"{name}.service", content.replace(f"aquila/{service.kind}", f"aquila/{service.name}"))
    system = container.root / "etc/systemd/system"
    shutil.copy(UNITS / f"{name}.timer", system)
    (system / f"{name}.timer.d").mkdir()
    (system / f"{name}.timer.d/now.conf").write_text(_NOW)
    container.run("systemctl", "daemon-reload")
    container.run("systemctl", "start", f"{name}.timer")
    ended = ("systemctl", "show", f"{name}.service", "-p", "ExecMainExitTimestampMonotonic", "--value")
    ends = time.monotonic() + START_SECONDS
    while container.run(*ended) == "0":
        assert time.monotonic() < ends, container.journal(f"{name}.timer")
        time.sleep(0.2)
    assert container.show(f"{name}.service")["Result"] == "success", container.journal(f"{name}.service")
    [backup] = (container.root / "srv/backup").glob(f"{service.kind}-*.aquila")
    run(service.kind, "restore", str(backup), "--key", str(key), "--check")
    # The night comes, too.
    timer = container.run("systemctl", "show", f"{name}.timer", "-p", "ActiveState,NextElapseUSecRealtime")
    assert "ActiveState=active" in timer
    assert " 02:30:00 " in timer, timer


def test_a_round_of_units(container: Container, files: dict[str, Path], tmp_path: Path) -> None:
    """Services, and a cluster that computes for one, play a round under every restriction of their units.

    Each node is restarted in the middle of it; the matcher and a node are backed up by their timers while they run.
    """
    settings = {"AL": cluster_of(container)}
    world = UnitWorld(container.root / "var/lib/aquila", container=container, more_settings=settings)
    world.root.mkdir()
    world.make(["AL", "RS"])
    lists = {code: files[code] for code in ("AL", "RS")}
    round_id = world.propose()
    world.consent(round_id)
    for node in world.nodes:
        world.submit(node, round_id, world.import_list(node, lists[node.name]))
        assert isinstance(node, UnitService)
        node.restart()
    world.wait_for_hits(round_id)
    assert paired_hits(world, round_id) == rehearsed_hits(lists, tmp_path)
    world.close(round_id)
    for backed_up in (world.services["RS"], world.matcher):
        assert_backed_up(container, backed_up)
    assert "Run out-of-band" in container.journal(WORKER_UNIT), "the worker was asked who it is"
    for unit in [*(f"aquila-{name.lower()}.service" for name in world.services), *DASK_UNITS]:
        shown = container.show(unit)
        assert (shown["ActiveState"], shown["Result"], shown["NRestarts"]) == ("active", "success", "0"), unit
        container.run("systemctl", "stop", unit)
        assert container.show(unit)["Result"] == "success", container.journal(unit)


@pytest.mark.soak  # `test_server` has what the supervisor hears; here it waits for a minute
def test_systemd_restarts_a_service_that_is_frozen(container: Container) -> None:
    """The watchdog of the unit hears of the service from its event loop, and ends it when it hears nothing more."""
    unit = "aquila-matcher.service"
    drop_in = container.root / f"etc/systemd/system/{unit}.d/watchdog.conf"
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text(f"[Service]\nWatchdogSec={WATCHDOG_SECONDS}\n", encoding="utf-8")
    world = UnitWorld(container.root / "var/lib/aquila", container=container, persons=(), frugal=True)
    world.root.mkdir()
    world.make([])
    assert_watched(container, unit)
    frozen = container.show(unit)["MainPID"]
    container.run("kill", "-STOP", frozen)
    until(lambda: container.show(unit)["NRestarts"] == "1", container, unit)
    until(lambda: container.show(unit)["ActiveState"] == "active", container, unit)
    assert "Watchdog timeout" in container.journal(unit)
    assert container.show(unit)["MainPID"] != frozen
    assert_watched(container, unit)
    assert container.show(unit)["NRestarts"] == "1"
    container.run("systemctl", "stop", unit)
    assert container.show(unit)["Result"] == "success"


def assert_watched(container: Container, unit: str) -> None:
    heard: set[str] = set()

    def was_heard_twice() -> bool:
        heard.add(container.run("systemctl", "show", unit, "-p", "WatchdogTimestampMonotonic"))
        return len(heard) > 2  # the first is of its start

    until(was_heard_twice, container, unit)


def until(done: Callable[[], bool], container: Container, unit: str) -> None:
    ends = time.monotonic() + START_SECONDS
    while not done():
        assert time.monotonic() < ends, container.journal(unit)
        time.sleep(0.2)


def test_systemd_forbids_and_permits(container: Container) -> None:
    (container.root / "opt/tries.py").write_text(TRIES, encoding="utf-8")
    for file in sorted(UNITS.glob("*.service")):
        content, unit = file.read_text("utf-8"), f"tried-{file.name}"
        # The attempts come from a program of root's, end by themselves, and report nothing.
        content = re.sub(
            "^(Type|WatchdogSec|Restart|ExecStart|ReadWritePaths)=(.*\\\\\n)*.*\n", "", content, flags=re.MULTILINE
        )
        [folder] = re.findall("^(?:StateDirectory=|RuntimeDirectory=)(.*)$", content, re.MULTILINE)
        place = f"/var/lib/{folder}" if "StateDirectory=" in content else f"/run/{folder}"
        words = " ".join(f'"{attempt}"' for attempt in ENDS)
        start = f"Type=oneshot\nExecStart=/opt/aquila/bin/python /opt/tries.py {place} {words}\n"
        container.install(unit, content.replace("[Service]\n", f"[Service]\n{start}"))
        container.run("systemctl", "start", unit)
        [ended] = [line for line in container.journal(unit).splitlines() if line.startswith("{")]
        assert json.loads(ended) == ENDS, unit
