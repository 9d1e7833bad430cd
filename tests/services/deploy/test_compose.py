"""The compose file holds together, and its steps make what it mounts; tests/e2e/test_compose.py follows them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess

import pytest
import yaml

from tests.services.deploy.test_samples import DEPLOY

COMPOSE = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")


def test_every_mount_and_secret_is_declared() -> None:
    """Volumes and secrets that services name are there; the database has no network, and is reached by its socket."""
    document = yaml.safe_load(COMPOSE)
    services = document["services"]
    volumes = [volume.partition(":")[0] for service in services.values() for volume in service["volumes"]]
    assert {name for name in volumes if not name.startswith(".")} == set(document["volumes"])
    assert {secret for service in services.values() for secret in service["secrets"]} == set(document["secrets"])
    steps = COMPOSE.partition("services:")[0]
    mounted = {name.removeprefix("./") for name in volumes if name.startswith("./")}
    assert all(name in steps for name in mounted if not (DEPLOY / name).is_file()), "a step makes each"
    assert all(name in steps for name in document["secrets"])
    assert services["database"]["network_mode"] == "none"


def test_no_secret_lies_where_the_image_is_built() -> None:
    """Secrets are outside the checkout, and the build sees the files that the image copies alone."""
    document = yaml.safe_load(COMPOSE)
    assert all(secret["file"].startswith("/etc/aquila/secrets/") for secret in document["secrets"].values())
    ignored = (DEPLOY.parent / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    seen = {line[1:] for line in ignored if line.startswith("!")}
    assert {name for line in copied for name in line.split()} == seen


def test_services_are_limited_and_their_images_can_be_named_by_digest() -> None:
    """Memory and processes have a bound, and no image is fixed to a tag."""
    services = yaml.safe_load(COMPOSE)["services"]
    assert all(service["mem_limit"] and service["pids_limit"] for service in services.values())
    assert services["database"]["image"].startswith("${POSTGRES_IMAGE:-")
    assert services["matcher"]["build"]["args"]["PYTHON_IMAGE"].startswith("${PYTHON_IMAGE:-")
    docker = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert set(re.findall(r"^FROM (\S+)", docker, re.MULTILINE)) == {"${PYTHON_IMAGE}"}


def test_a_database_that_is_being_prepared_is_not_healthy() -> None:
    """The image's entry point starts a server while it makes the role: what is ready is the one that stays."""
    test = yaml.safe_load(COMPOSE)["services"]["database"]["healthcheck"]["test"]
    assert test == ["CMD-SHELL", "test $$(cat /proc/1/comm) = postgres && pg_isready -U aquila -d aquila"]


@pytest.mark.skipif(
    not (shutil.which("podman-compose") and shutil.which("podman")), reason="podman-compose is not there"
)
def test_an_engine_would_start_it_as_written() -> None:
    """The calls that podman-compose would make have the network, the rights and the files that are written."""
    words = ["podman-compose", "--verbose", "--dry-run", "-f", str(DEPLOY / "compose.yaml"), "up", "-d"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    calls = [
        shlex.split(line.partition("podman run ")[2]) for line in done.stderr.splitlines() if ":podman run " in line
    ]
    database, matcher = ({*call} for call in calls)
    assert {"--network=none", "-m", "4g", "--restart"} <= database
    assert {"--read-only", "--cap-drop", "ALL", "no-new-privileges:true", "--ulimit", "core=0", "-m", "8g"} <= matcher
    shared = {one for one in database & matcher if one.endswith(":/var/run/postgresql")}
    assert len(shared) == 1, "they meet at one socket"
    secrets = yaml.safe_load(COMPOSE)["secrets"].values()
    mounted = {one.partition(":")[0] for one in database | matcher if one.startswith("/etc/aquila/secrets/")}
    assert mounted == {secret["file"] for secret in secrets}
    assert calls[1][-5:] == ["deploy_matcher", *yaml.safe_load(COMPOSE)["services"]["matcher"]["command"]]
