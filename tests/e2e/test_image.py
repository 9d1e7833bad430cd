"""The image is built from a bundle without a network, and serves as a user without rights on a root that is read-only.

buildah builds and podman runs it, with runc: crun refuses machines whose control groups are of both versions. The base
is made from Debian's packages, since there is no registry of images.
"""

import json
import os
import resource
import shlex
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from tests.support.approving import APPROVING
from tests.support.bundles import DEBIAN

NEEDED = ("buildah", "podman", "runc", "mmdebstrap")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.soak,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can build and start containers here"),
    *(pytest.mark.skipif(shutil.which(one) is None, reason=f"Debian's {one} is not installed") for one in NEEDED),
]

BASE, IMAGE, USER = "localhost/base", "localhost/aquila", 10001
KINDS = ("node", "matcher")  # a node ends before its matcher
SECONDS = 900
RESTRICTED = ("--pull=never", "--read-only", "--cap-drop=all", "--security-opt=no-new-privileges")
ALONE = "--network=none"


@dataclass(frozen=True)
class Engine:
    folder: Path

    def run(self, program: str, *words: str, check: bool = True) -> str:
        where = [f"--root={self.folder}/images", f"--runroot={self.folder}/run", "--storage-driver=overlay"]
        if program == "podman":
            where += ["--runtime=runc", "--cgroup-manager=cgroupfs", f"--volumepath={self.folder}/volumes"]
        # A build has no network; a container is without one by its own options.
        alone = ["unshare", "--net"] if words[0] == "build" else []
        done = subprocess.run(
            [*alone, program, *where, *words],
            check=False,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            env=os.environ | {"PODMAN_IGNORE_CGROUPSV1_WARNING": "1"},
        )
        assert not check or done.returncode == 0, f"{program} {' '.join(words)}: {done.stderr}"
        return done.stdout.strip() if check else str(done.returncode)

    def build(self, context: Path, name: str, *words: str) -> None:
        limits = {"nofile": resource.RLIMIT_NOFILE, "nproc": resource.RLIMIT_NPROC}
        bounds = [f"--ulimit={one}={resource.getrlimit(number)[1]}" for one, number in limits.items()]
        how = ["--isolation=chroot", "--pull=never", "--format=docker", f"--tag={name}"]
        self.run("buildah", "build", *how, *bounds, *words, str(context))


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = Engine(Path(mkdtemp(prefix="aqimage-")))
    try:
        yield made
    finally:
        made.run("podman", "rm", "--all", "--force", "--time=5", check=False)
        shutil.rmtree(made.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def image(engine: Engine, bundle: Path) -> str:
    base = engine.folder / "base"
    base.mkdir()
    words = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=python3,python3-venv", DEBIAN]
    subprocess.run([*words, str(base / "base.tar")], check=True, timeout=SECONDS)
    (base / "Dockerfile").write_text("FROM scratch\nADD base.tar /\n")
    engine.build(base, BASE)
    with tarfile.open(bundle) as packed:
        packed.extractall(engine.folder, filter="data")
    [unpacked] = engine.folder.glob("aquila-*")
    engine.build(unpacked, IMAGE, f"--build-arg=PYTHON_IMAGE={BASE}", f"--file={unpacked}/deploy/Dockerfile")
    return IMAGE


@dataclass(frozen=True)
class Contained:
    """A service in containers that share its home, a folder of the ceremony's files, and one network."""

    engine: Engine
    kind: str
    network: str

    @property
    def options(self) -> tuple[str, ...]:
        home = f"/var/lib/aquila/{self.kind}"
        folders = (f"--volume={self.kind}:{home}", f"--volume={self.engine.folder}/exchange:/exchange")
        return (*RESTRICTED, self.network, *folders, "--workdir=/exchange", f"--env=AQUILA_HOME={home}")

    def give(self, *words: str) -> str:
        return self.engine.run("podman", "run", "--rm", *self.options, IMAGE, *words)

    def start(self) -> str:
        container = self.engine.run("podman", "run", "--detach", *self.options, IMAGE, self.kind, "serve")
        ends = time.monotonic() + SECONDS
        while self.engine.run("podman", "healthcheck", "run", container, check=False) != "0":
            log = self.engine.run("podman", "logs", container)
            assert self.engine.run("podman", "inspect", "--format={{.State.Running}}", container) == "true", log
            assert time.monotonic() < ends, log
            time.sleep(1)
        return container


@pytest.fixture(scope="module")
def containers(engine: Engine, image: str) -> dict[str, str]:
    assert image == IMAGE
    exchange = engine.folder / "exchange"
    exchange.mkdir()
    os.chown(exchange, USER, USER)
    secretariat = Contained(engine, "matcher", ALONE)
    secretariat.give("matcher", "init", "--public-url", "https://localhost:8700")
    matcher = secretariat.start()
    party = Contained(engine, "node", f"--network=container:{matcher}")
    engine.run("podman", "exec", matcher, "aquila", "matcher", "invite", "SI", "--name", "Slovenia")
    joined = json.loads(party.give("node", "join", "si.invite", "--public-url", "https://localhost:8701", "--json"))
    engine.run("podman", "exec", matcher, "aquila", "matcher", "admit", "si.join", "--spoken", joined["words"])
    python = f'"$(dirname "$(readlink -f "$(command -v aquila)")")/python" -c {shlex.quote(APPROVING)} "$AQUILA_HOME"'
    assert engine.run("podman", "exec", matcher, "sh", "-c", python) == "approved"
    return {"matcher": matcher, "node": party.start()}


def test_it_says_who_it_is_and_how_it_is_asked(engine: Engine, image: str) -> None:
    inspected: dict[str, Any] = json.loads(engine.run("podman", "image", "inspect", image))[0]
    assert inspected["Config"]["User"] == str(USER)
    assert inspected["Config"]["Entrypoint"] == ["aquila"]
    assert "aquila $kind status" in inspected["Healthcheck"]["Test"][1]
    looks = ("--entrypoint=/bin/sh", image, "-c", "ls /bundle; which gcc; true")
    left = engine.run("podman", "run", "--rm", *RESTRICTED, ALONE, *looks)
    assert left == ""


@pytest.mark.parametrize("kind", KINDS)
def test_it_serves_on_a_root_that_it_cannot_write(engine: Engine, containers: dict[str, str], kind: str) -> None:
    """Each service is healthy by the image's own check, under a user without rights, and can write its home alone."""
    container = containers[kind]
    assert engine.run("podman", "healthcheck", "run", container, check=False) == "0"
    checked = engine.run("podman", "inspect", "--format={{(index .State.Health.Log 0).Output}}", container)
    assert f"AQUILA {kind.upper()}" in checked
    version = engine.run("podman", "exec", container, "aquila", "--version")
    assert "C extension" in version
    status = engine.run("podman", "exec", container, "cat", "/proc/1/status").splitlines()
    fields = {name: value.split() for name, _, value in (line.partition(":") for line in status)}
    assert set(fields["Uid"]) == {str(USER)}
    assert int(fields["CapBnd"][0], 16) == 0
    assert fields["NoNewPrivs"] == ["1"]
    for path in ("/opt/aquila/new", "/etc/new", "/new"):
        assert engine.run("podman", "exec", container, "touch", path, check=False) != "0"
    engine.run("podman", "stop", "--time=60", container)
    assert engine.run("podman", "inspect", "--format={{.State.ExitCode}}", container) in {"0", "143"}
