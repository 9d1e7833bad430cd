"""The compose file holds together, and its steps make what it mounts; tests/e2e/test_compose.py follows them."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.kit.settings import load
from tests.services.deploy.test_samples import CLASSES, DEPLOY

COMPOSE = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
STEPS = COMPOSE.partition("\nx-service:")[0]
KINDS = sorted(CLASSES)


def services() -> dict[str, Any]:
    made: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
    return made


def test_every_mount_and_secret_is_declared() -> None:
    document = yaml.safe_load(COMPOSE)
    volumes = [volume.partition(":")[0] for service in services().values() for volume in service["volumes"]]
    assert {name for name in volumes if not name.startswith(".")} == set(document["volumes"])
    assert {secret for service in services().values() for secret in service["secrets"]} == set(document["secrets"])
    mounted = {name.removeprefix("./") for name in volumes if name.startswith("./")}
    assert all(f" {name}\n" in STEPS for name in mounted if not (DEPLOY / name).is_file()), "a step makes each"
    assert all(name in STEPS for name in document["secrets"])
    assert services()["database"]["network_mode"] == "none"


def test_no_secret_lies_where_the_image_is_built() -> None:
    document = yaml.safe_load(COMPOSE)
    assert all(secret["file"].startswith("/etc/aquila/secrets/") for secret in document["secrets"].values())
    ignored = (DEPLOY.parent / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    seen = {line[1:] for line in ignored if line.startswith("!")}
    assert {name for line in copied for name in line.split()} == seen


def test_services_are_limited_and_their_images_can_be_named_by_digest() -> None:
    """Memory and processes have a bound, and no image is fixed to a tag."""
    assert all(service["mem_limit"] and service["pids_limit"] for service in services().values())
    assert services()["database"]["image"].startswith("${POSTGRES_IMAGE:-")
    for kind in KINDS:
        assert services()[kind]["build"]["args"]["PYTHON_IMAGE"].startswith("${PYTHON_IMAGE:-")
    docker = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert set(re.findall(r"^FROM (\S+)", docker, re.MULTILINE)) == {"${PYTHON_IMAGE}"}


def test_node_and_matcher_differ_in_home_and_port_alone() -> None:
    image = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    for kind in KINDS:
        service = services()[kind]
        home = service["environment"]["AQUILA_HOME"]
        assert service["profiles"] == [kind]
        assert service["command"] == [kind, "serve"]
        assert f"{kind}:{home}" in service["volumes"]
        assert f" {home}" in image
        assert f"COMPOSE_PROFILES={kind}\\n" in STEPS
    differing = {"profiles", "command", "environment", "volumes", "ports"}
    matcher, node = ({key: value for key, value in services()[kind].items() if key not in differing} for kind in KINDS)
    assert matcher == node
    assert "profiles" not in services()["database"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_name_within_is_that_of_the_address(kind: str) -> None:
    [port] = services()[kind]["ports"]
    [url] = re.findall(rf" {kind} {kind} .*--public-url (\S+)", STEPS)
    assert f"COMPOSE_PROFILES={kind}\\nSERVICE_NAME={url.removeprefix('https://').partition(':')[0]}\\n" in STEPS
    assert port == f"{url.rpartition(':')[2]}:{url.rpartition(':')[2]}"
    [alias] = services()[kind]["extra_hosts"]
    assert re.fullmatch(r"\$\{SERVICE_NAME:\?[^}]+\}:127\.0\.0\.1", alias)


@pytest.mark.parametrize("kind", KINDS)
def test_the_database_is_a_setting_of_both(kind: str, tmp_path: Path) -> None:
    added = (DEPLOY / "samples/compose.database.toml").read_text(encoding="utf-8")
    settings = tmp_path / f"{kind}.toml"
    settings.write_text((DEPLOY / "samples" / f"{kind}.basic.toml").read_text(encoding="utf-8") + added)
    database = load(settings, CLASSES[kind]).database
    assert database.url.endswith("?host=/var/run/postgresql")
    assert str(database.password_file) == f"/run/secrets/{services()[kind]['secrets'][0]}"
    assert added.startswith("\n"), "it begins its own line"


@pytest.mark.soak
@pytest.mark.skipif(shutil.which("podman-compose") is None, reason="Debian's podman-compose is not installed")
@pytest.mark.parametrize("kind", KINDS)
def test_an_engine_would_start_it_as_written(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_NAME", "name.example")
    words = ["podman-compose", "--verbose", "--dry-run", "--profile", kind, "-f", str(DEPLOY / "compose.yaml")]
    done = subprocess.run([*words, "up", "-d"], capture_output=True, text=True, check=True)
    calls = [
        shlex.split(line.partition("podman run ")[2]) for line in done.stderr.splitlines() if ":podman run " in line
    ]
    database, service = ({*call} for call in calls)
    assert {"--network=none", "-m", "4g", "--restart"} <= database
    assert {"--read-only", "--cap-drop", "ALL", "no-new-privileges:true", "--ulimit", "core=0", "-m", "8g"} <= service
    assert {"--add-host", "name.example:127.0.0.1", "-w", "/exchange"} <= service
    shared = {one for one in database & service if one.endswith(":/var/run/postgresql")}
    assert len(shared) == 1, "they meet at one socket"
    secrets = yaml.safe_load(COMPOSE)["secrets"].values()
    mounted = {one.partition(":")[0] for one in database | service if one.startswith("/etc/aquila/secrets/")}
    assert mounted == {secret["file"] for secret in secrets}
    assert calls[1][-3:] == [f"deploy_{kind}", *services()[kind]["command"]]
    monkeypatch.delenv("SERVICE_NAME")
    done = subprocess.run([*words, "up", "-d"], capture_output=True, text=True, check=False)
    assert done.returncode != 0, "it starts under no name"
