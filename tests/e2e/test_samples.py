"""Each sample of a settings file is what a service runs with for a whole round; only names, places and ports differ."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

import aquila.records
from tests.support.cluster import Cluster, write_authority
from tests.support.process_world import AQUILA, Service, World, free_port, paired_hits, rehearsed_hits, run

pytestmark = pytest.mark.e2e

SAMPLES = Path(__file__).parents[2] / "deploy" / "samples"
PARTIES = ("AL", "MK")


@dataclass
class SampleWorld(World):
    """A world whose services run with the samples of a size; without databases and cluster for the basic ones."""

    size: str = field(kw_only=True)
    cluster: Cluster | None = field(default=None, kw_only=True)

    @property
    def certificates(self) -> Path:
        """The folder of the CA that everyone trusts, and of all certificates by it."""
        return self.root / "certificates"

    def _begin(self, service: Service) -> None:
        """Put the sample in the place of what `init` wrote, and start with it."""
        settings, etc = service.home / f"{service.kind}.toml", self.root / f"etc-{service.name}"
        content = (SAMPLES / f"{service.kind}.{self.size}.toml").read_text("utf-8")
        here = [
            ("/etc/aquila", str(etc)),
            (f"/var/lib/aquila/{service.kind}", str(service.home)),
            ('"0.0.0.0"', '"127.0.0.1"'),
            ("port = 8700", f"port = {service.port}"),
            ("port = 8701", f"port = {service.port}"),
            ('code = "SI"', f'code = "{service.name}"'),
            ("https://matcher.example.org:8700", self.matcher.url),
            ("workers = 8", "workers = 1"),
        ]
        if self.cluster is not None:
            self._lay_out(service, etc)
            here += [("tls://dask.internal:8786", self.cluster.address)]
        elif service.kind == "matcher":
            content += f"[listen]\nport = {service.port}\n"
        for delivered, other in here:
            content = content.replace(delivered, other)
        if service.name in self.database_urls:
            content = re.sub(r'(?<=\[database\]\nurl = )"[^"]*"', json.dumps(self.database_urls[service.name]), content)
        # No disk of a test has as much room as a matcher's should, and no test waits for as long as a node's network.
        content = re.sub("free_mebibytes = [0-9]+", "free_mebibytes = 16", content)
        content = re.sub(r"(?<=\[metrics\]\nport = )[0-9]+", str(free_port()), content)
        content = content.replace("poll_seconds = 5.0", "poll_seconds = 0.1")
        settings.write_text(content, encoding="utf-8")
        service.start()
        self._people(service)

    def _lay_out(self, service: Service, etc: Path) -> None:
        assert self.cluster is not None
        etc.mkdir()
        for name in ("identity.pem", "registry.toml"):
            (service.home / name).rename(etc / name)
        shutil.copytree(self.cluster.certificates, etc / "dask")
        rules = Path(aquila.records.__file__).parent / "tables/default.toml"
        of = self.certificates
        files = {
            "rules.toml": rules,
            "matcher-ca.pem": of / "ca.pem",
            "client.pem": of / "client.pem",
            "client.key": of / "client.key",
            "tls/matcher.pem": of / "matcher.pem",
            "tls/matcher.key": of / "matcher.key",
            "tls/parties-ca.pem": of / "ca.pem",
            "tls/matcher-ca.pem": of / "ca.pem",
            "tls/command.pem": of / "command.pem",
            "tls/command.key": of / "command.key",
        }
        (etc / "tls").mkdir()
        for name, file in files.items():
            shutil.copy(file, etc / name)
        for name in ("database.password", "provider.secret"):
            (etc / name).write_text("not-asked-for-here\n")
            (etc / name).chmod(0o600)

    def _use_tls(self, matcher: Service) -> list[str]:
        """Make the certificates; the matcher's sample says which it takes."""
        write_authority(self.certificates, ("matcher", "client", "command", "officer"))
        matcher.ca = self.certificates / "ca.pem"
        matcher.shown = self.certificates / "officer.pem", self.certificates / "officer.key"
        return ["--matcher-ca", str(matcher.ca)]


def plays(world: World, files: dict[str, Path], scratch: Path) -> str:
    """Check that a round of the world's services finds the rehearsal's hits; return its id."""
    lists = {code: files[code] for code in PARTIES}
    caps = [{"party": code, "elements": {"full": 2_000, "partial": 4_000}} for code in PARTIES]
    round_id = world.propose(caps=caps)
    world.consent(round_id)
    for node in world.nodes:
        world.submit(node, round_id, world.import_list(node, lists[node.name]))
    world.wait_for_hits(round_id)
    assert paired_hits(world, round_id) == rehearsed_hits(lists, scratch)
    world.close(round_id)
    return round_id


@pytest.mark.soak  # the other worlds have the least settings too
def test_a_round_of_the_basic_samples(files: dict[str, Path], tmp_path: Path) -> None:
    """The least settings are enough."""
    (tmp_path / "world").mkdir()
    world = SampleWorld(tmp_path / "world", size="basic")
    try:
        world.make(list(PARTIES))
        plays(world, files, tmp_path)
    finally:
        world.stop()


@pytest.mark.soak  # that each of their settings can be read is tested in tests/services/deploy
def test_a_round_of_the_advanced_samples(
    files: dict[str, Path], tmp_path: Path, new_postgres_database: Callable[[], str]
) -> None:
    """TLS with client certificates, PostgreSQL and Dask: nodes, command and pages reach the matcher, others do not."""
    (tmp_path / "world").mkdir()
    cluster, databases = (
        Cluster(tmp_path / "cluster"),
        {name: new_postgres_database() for name in ("matcher", *PARTIES)},
    )
    world = SampleWorld(tmp_path / "world", databases, tls=True, size="advanced", cluster=cluster)
    try:
        cluster.start()
        world.make(list(PARTIES))
        round_id = plays(world, files, tmp_path)
        assert round_id[:8] in world.run("round", "list", "--home", str(world.matcher.home))
        works_from_afar(world, round_id)
        refuses_whoever_shows_nothing(world)
        with pages_of(world) as address:
            # What ways in there are, the pages have to ask the matcher.
            assert 'action="/sign-in/provider"' in httpx.get(f"{address}/sign-in", timeout=60).text
    finally:
        world.stop()
        cluster.stop()


def works_from_afar(world: SampleWorld, round_id: str) -> None:
    """Check that an officer who has a certificate names it once."""
    officer = world.person("officer")
    world.matcher.enrol("officer", ["secretariat"], officer, from_afar=True)
    assert round_id[:8] in run("round", "list", person=officer)


def refuses_whoever_shows_nothing(world: SampleWorld) -> None:
    """Check that a command without a certificate is told what it lacks."""
    done = subprocess.run(
        [AQUILA, "login", "officer", "--url", world.matcher.url, "--ca", str(world.matcher.ca)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        input=f"{'x' * 12}\n123456\n",
        env=os.environ | {"HOME": str(world.person("stranger"))},
    )
    assert done.returncode != 0
    assert "asks for a certificate, and none was shown" in done.stderr
    assert "--cert and --key" in done.stderr


@contextlib.contextmanager
def pages_of(world: SampleWorld) -> Iterator[str]:
    """Serve the matcher's pages in a process of their own for the block; their address."""
    assert world.matcher.shown is not None
    certificate, key = world.matcher.shown
    port = free_port()
    command = [
        AQUILA,
        "--cert",
        str(certificate),
        "--key",
        str(key),
        "web",
        "--service",
        world.matcher.url,
        "--kind",
        "matcher",
        "--ca",
        str(world.matcher.ca),
        "--port",
        str(port),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert b"ready" in process.stdout.readline()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()
