"""Root's half of the operations page, given literally on three fresh Debian systems that reach nobody but each other.

Every block of *Installing without a network*, *Users, folders and units*, *Which addresses a service may reach*,
*PostgreSQL* and *Set up* is given as it stands, by root or by the service's user, and so are the backup by its timer's
unit and the upgrade. A machine is a container with Debian's own systemd, PostgreSQL and Python, in which nothing of the
checkout is seen; a wire between network namespaces stands for the closed network, and systemd confines the services to
the addresses of their drop-ins. What root writes with an editor (names of others in `/etc/hosts`, `[database]`) is
written as the page has it.

The page leaves to the reader, so that the test has its own: the users of persons, and how files travel between
machines. Mail, the safe and the telephone are the test's.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.support.bundles import NEEDED as FOR_BUNDLES
from tests.support.bundles import make_next_bundle
from tests.support.commanded_parties import expected_hits
from tests.support.debian import NEEDED, PYTHON, Debian, Network, make_base
from tests.support.installed import MATCHER, Installed, InstalledParties
from tests.support.process_world import WAIT_SECONDS, World, run

pytestmark = [pytest.mark.soak, *NEEDED, *FOR_BUNDLES]

NEXT = "9.9.9"
PARTIES = {"RS": "Serbia", "SI": "Slovenia"}
NODES = {"RS": ("203.0.113.20", "node.rs.example"), "SI": ("203.0.113.10", "node.si.example")}
HEAD = "record_id,given_names,family_names,date_of_birth,document_numbers\n"
LISTS = {
    "RS": "RS-1,Јусуф,Ђорђевић,1979-11-02,BG7771557\nRS-2,Ana,Kovačević,1995-07-21,\n",
    "SI": "SI-1,Jusuf,Djordjević,1979-11-02,BG7771557\nSI-2,Janez,Novak,1961-02-03,\n",
}
"""One of two persons is in both; so much agrees that its level is sure."""
OFFICER, STRANGER = "198.51.100.7", "198.18.0.7"
AT_MATCHER = {"192.0.2.10": "203.0.113.0/24", "198.51.100.0/24": "192.0.2.0/24"}
"""What the matcher's drop-in has in the place of the addresses that the page has for a node."""
LATE = "RS"
"""The node at which its drop-in is forgotten at first."""
WARNING, CRITICAL = 1, 2
"""Of a plugin for Nagios."""


def make_machines(folder: Path, network: Network) -> dict[str, Installed]:
    made = {}
    for name, (address, known_as) in {"matcher": MATCHER, **NODES}.items():
        kind, port = ("matcher", 8700) if name == "matcher" else ("node", 8701)
        machine = Debian(folder / name, folder / "base", network.attach(address))
        home = machine.root / "var/lib/aquila" / kind
        made[name] = Installed(name, kind, home, port, machine=machine, reached_at=f"{known_as}:{port}")
    return made


def reaches(network: Network, address: str, service: tuple[str, int]) -> bool:
    attempt = f"import socket; socket.create_connection({service!r}, 5).close()"
    words = ["ip", "netns", "exec", network.attach(address), "python3", "-c", attempt]
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


@pytest.fixture
def network() -> Iterator[Network]:
    made = Network()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def machines(network: Network) -> Iterator[dict[str, Installed]]:
    folder = Path(mkdtemp(prefix="aqdebian-"))
    make_base(folder / "base")
    made = make_machines(folder, network)
    try:
        for one in made.values():
            one.machine.start()
        yield made
    finally:
        for one in made.values():
            one.machine.stop()
        shutil.rmtree(folder)


def install(machines: Mapping[str, Installed], bundle: Path) -> None:
    """Bring everything up to *Set up*: PostgreSQL at two of three, and a drop-in forgotten at one."""
    for name, one in machines.items():
        one.install(bundle)
        one.name_hosts(one.reached_at.partition(":")[0], {} if name == "matcher" else {MATCHER[1]: MATCHER[0]})
        if name != LATE:
            one.allow(AT_MATCHER if name == "matcher" else {})
            one.prepare_database()


def allow_late(service: Installed) -> None:
    """Find out that a service reaches nothing, where its drop-in was forgotten, and write it."""
    if service.name != LATE:
        return
    ends = time.monotonic() + WAIT_SECONDS
    while f"https://{MATCHER[1]}:8700 cannot be reached" not in (shown := service.status()).stdout:
        assert time.monotonic() < ends, shown.stdout
        time.sleep(1)
    assert shown.returncode in {WARNING, CRITICAL}
    service.allow({})
    service.root("systemctl restart aquila-node")


def back_up(machines: Mapping[str, Installed], key: Path) -> None:
    """Let every service be backed up daily, and check what its first backup holds."""
    run("backup-key", "--out", str(key))
    for one in machines.values():
        one.back_up_daily(Path(f"{key}.pub"))
        [backup] = one.backups()
        run(one.kind, "restore", str(backup), "--key", str(key), "--check")


def upgrade(machines: Mapping[str, Installed], bundle: Path) -> None:
    """Put the next release in the place of this one everywhere: code, units and database."""
    for one in machines.values():
        one.upgrade(bundle, NEXT)
        assert one.machine.as_user(one.user, "aquila --version").stdout.startswith(f"aquila {NEXT}\n")
        assert one.machine.as_root(f"systemctl cat {one.user}").count(f"# {NEXT}\n") == 1
        assert one.machine.as_root(f"systemctl show {one.user} -p NeedDaemonReload --value") == "no\n"
        assert '"schema_migrated"' in one.log.read_text("utf-8")


def assert_well(machines: Mapping[str, Installed], stage: World) -> None:
    """Wait until every service is well, by its status and by the doctor."""
    for one in machines.values():
        stage.until(one.is_well)
        one.assert_healthy()


def test_the_page_as_it_stands(machines: dict[str, Installed], network: Network, bundle: Path, tmp_path: Path) -> None:
    lists = {code: tmp_path / f"{code}.csv" for code in PARTIES}
    for code, path in lists.items():
        path.write_text(HEAD + LISTS[code], encoding="utf-8")
    stage = World(tmp_path, services=dict(machines), poll_seconds=1)
    # 1. Release, user, folders and units; addresses and names; PostgreSQL; the ceremony.
    install(machines, bundle)
    story = InstalledParties(tmp_path, stage, PARTIES, lists, expected_hits(lists, tmp_path), started=allow_late)
    story.ceremony.hold()
    story.agree()
    assert_well(machines, stage)
    # 2. Officers reach their node from their machines, and strangers do not.
    for address in (OFFICER, STRANGER):
        assert reaches(network, address, (NODES["SI"][0], 8701)) == (address == OFFICER)
    # 3. People, and the backup of every day.
    story.meet()
    story.bring_lists()
    back_up(machines, tmp_path / "backup.key")
    # 4. A round, and an upgrade in its middle with another backup before it.
    round_id = story.begin()
    upgrade(machines, make_next_bundle(tmp_path, NEXT, PYTHON))
    assert_well(machines, stage)
    story.submit(round_id)
    # 5. All machines lose their power; what is enabled comes back by itself.
    for one in machines.values():
        one.machine.restart()
    assert_well(machines, stage)
    story.close(round_id)
