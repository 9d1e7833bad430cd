"""The compose file holds together, and its steps make what it mounts; tests/e2e/test_compose.py follows them."""

from __future__ import annotations

import yaml

from tests.unit.deploy.test_samples import DEPLOY

COMPOSE = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")


def test_every_mount_and_secret_is_declared() -> None:
    """Volumes and secrets that services name are there; the database has no network, and is reached by its socket."""
    document = yaml.safe_load(COMPOSE)
    services = document["services"]
    volumes = [volume.partition(":")[0] for service in services.values() for volume in service["volumes"]]
    assert {name for name in volumes if not name.startswith(".")} == set(document["volumes"])
    assert {secret for service in services.values() for secret in service["secrets"]} == set(document["secrets"])
    named = [name for name in volumes if name.startswith("./")] + [one["file"] for one in document["secrets"].values()]
    assert all(name.removeprefix("./") in COMPOSE.partition("services:")[0] for name in named), "a step makes each"
    assert services["database"]["network_mode"] == "none"
