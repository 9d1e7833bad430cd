"""The same round on a Dask cluster with TLS: the same hits, and nothing of a secret in what the cluster writes."""

import asyncio
import base64
import re
import secrets
import tomllib
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from aquila.crypto.backend import load_group
from aquila.errors import ExecutorError, InputError, MalformedError
from aquila.executors import local_pool
from aquila.matching.certainty import Level
from aquila.protocol.submissions.tasks import CarriedSecret, EvaluateTask
from aquila.records.rules import load_rules
from aquila.simulation import ListFile, Rehearsal, RehearsedHit
from services.kit.settings import ServiceSettings
from services.kit.work.cluster import connect
from services.kit.work.executors import executor_handle_of
from services.node.steps.submissions.tasks import EVALUATE, StoredBatch, digest_stored
from tests.support.cluster import RENEWED, Cluster, write_authority
from tests.support.process_world import World, leaks, paired_hits, rehearsed_hits, secrets_of

pytestmark = pytest.mark.e2e

SHARE = bytes(range(1, 32)) + b"\x01"
FRESH = b"fresh bytes of a proof's nonce.."
PERSON = b'{"given_names": ["Arben"], "family_names": ["Hoxhallari"]'  # no JSON: its reader would quote it


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("dask") / "cluster")
    try:
        made.start()
        yield made
    finally:
        made.stop()


def settings_of(cluster: Cluster, home: Path) -> ServiceSettings:
    return ServiceSettings.model_validate({"home": home, **tomllib.loads(cluster.settings())})


def forms(secret: bytes) -> set[bytes]:
    return {secret, secret.hex().encode(), base64.b64encode(secret), repr(secret)[2:-1].encode()}


@pytest.mark.soak
def test_a_round_on_a_cluster(cluster: Cluster, files: dict[str, Path], tmp_path: Path) -> None:
    """The matcher and two nodes on the cluster, one node on its own cores: the hits of a local rehearsal.

    Between lists and hits the services' certificate for the cluster is renewed, as the operations page has it.
    """
    (tmp_path / "world").mkdir()
    on_cluster = dict.fromkeys(("matcher", "AL", "MK"), cluster.settings())
    world = World(tmp_path / "world", more_settings=on_cluster)
    try:
        world.make(["AL", "MK", "RS"])
        round_id = world.propose()
        world.consent(round_id)
        for node in world.nodes:
            world.submit(node, round_id, world.import_list(node, files[node.name]))
        for kind in ("key", "pem"):
            (cluster.certificates / f"{RENEWED}.{kind}").replace(cluster.certificates / f"service.{kind}")
        for service in (world.matcher, world.services["AL"], world.services["MK"]):
            service.stop()
            service.start()
        world.wait_for_hits(round_id)
        assert paired_hits(world, round_id) == rehearsed_hits(files, tmp_path)
        world.close(round_id)
    finally:
        world.stop()
    assert leaks(iter(cluster.logs), secrets_of(files)) == []
    for service in world.services.values():
        written = service.log.read_text().splitlines()
        assert not [line for line in written if "distributed" in line and line[0] != "{"], "Dask logs as we do"
    worked = [
        path for path in cluster.logs if path.name.startswith("worker") and b"Run out-of-band" in path.read_bytes()
    ]
    assert len(worked) == 2, "both workers were asked who they are"


@pytest.mark.soak
def test_a_rehearsal_on_a_cluster(cluster: Cluster, files: dict[str, Path], tmp_path: Path) -> None:
    """A whole rehearsed round on a pool of this machine and on the cluster: the same hits, to the last digit."""
    lists = {code: ListFile(path) for code, path in files.items()}
    opened = connect(settings_of(cluster, tmp_path))

    def play(name: str, executor: Executor, workers: int) -> list[RehearsedHit]:
        (tmp_path / name).mkdir()
        rehearsal = Rehearsal(
            load_group(1),
            load_rules("default"),
            lists,
            secrets.token_bytes,
            tmp_path / name,
            minimum=Level.LOW,
            now=1_800_000_000,
            chunk_elements=64,
            executor=executor,
            workers=workers,
        )
        return rehearsal.run()

    try:
        with local_pool(2) as pool:
            local = play("local", pool, 2)
        assert local
        assert play("on_cluster", opened.executor, opened.workers) == local
    finally:
        opened.close()


def test_a_failing_task_shows_no_secret(cluster: Cluster, tmp_path: Path) -> None:
    workers = executor_handle_of(settings_of(cluster, tmp_path), [])
    evaluating = EvaluateTask(CarriedSecret(SHARE), b"context", b"\xff" * 32, FRESH)
    batch = StoredBatch(b"\x01" * 32, load_rules("exact"), [PERSON])

    async def fail() -> None:
        with pytest.raises(MalformedError):
            await workers.run(EVALUATE, evaluating)
        with pytest.raises((ExecutorError, InputError)):
            await workers.run(digest_stored, batch)
        # What is still waiting is in the scheduler's memory, and its pages tell of it.
        waiting = [asyncio.create_task(workers.run(EVALUATE, replace(evaluating, context=b"%d" % n))) for n in range(8)]
        pages.extend(await asyncio.to_thread(dashboard, cluster))
        await asyncio.gather(*waiting, return_exceptions=True)
        pages.extend(await asyncio.to_thread(dashboard, cluster))

    pages: list[bytes] = []
    try:
        asyncio.run(fail())
    finally:
        workers.close()
    written = [path.read_bytes() for path in cluster.logs] + pages
    assert sum(content.count(b"Compute Failed") for content in written) >= 2, "workers log what fails"
    assert len(pages) >= 6
    needles = forms(SHARE) | forms(FRESH) | forms(PERSON) | {b"Hoxhallari"}
    assert [needle for needle in needles for content in written if needle in content] == []


def dashboard(cluster: Cluster) -> list[bytes]:
    places = set()
    for path in cluster.logs:
        places |= {
            place.decode() for place in re.findall(rb"dashboard at: +(?:http://)?(127\.0\.0\.1:\d+)", path.read_bytes())
        }
    pages = []
    for place in sorted(places):
        for name in ("info/main/workers.html", "info/logs.html", "info/main/logs.html", "json/counts.json", "health"):
            answer = httpx.get(f"http://{place}/{name}", timeout=10)
            if answer.is_success:
                pages.append(answer.content)
    return pages


def test_another_authority_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    """Neither side goes on with a peer whose certificate is by another CA."""
    write_authority(tmp_path / "other")
    for name in ("ca.pem", "service.pem"):
        settings = settings_of(cluster, tmp_path)
        field = "dask_ca_file" if name == "ca.pem" else "dask_certificate_file"
        changed = {field: tmp_path / "other" / name}
        if name == "service.pem":
            changed["dask_key_file"] = tmp_path / "other" / "service.key"
        with pytest.raises(ExecutorError, match="cannot be used"):
            connect(settings.model_copy(update=changed), wait_seconds=3)


@pytest.mark.soak
def test_workers_that_die_lose_nothing(cluster: Cluster, tmp_path: Path) -> None:
    """One that is killed is replaced by the other; a cluster that is gone is an error; one that returns is used."""
    workers = executor_handle_of(settings_of(cluster, tmp_path), [])

    async def play() -> None:
        cluster.processes[1].kill()
        assert await workers.run(len, b"x" * 1_000_000) == 1_000_000
        cluster.stop()
        with pytest.raises(ExecutorError):
            await workers.run(len, b"x")
        await asyncio.to_thread(cluster.start)
        assert await workers.run(len, b"xy") == 2

    try:
        asyncio.run(asyncio.wait_for(play(), 90))
    finally:
        workers.close()
