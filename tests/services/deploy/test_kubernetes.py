"""The manifests are valid, restricted, and name what the program knows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from typer.main import get_command

from clients.cli.main import app
from services.kit.settings import load
from services.matcher.settings import MatcherSettings
from tests.services.deploy.test_samples import CLASSES, DEPLOY

KINDS = sorted(CLASSES)
FOLDER = DEPLOY / "kubernetes"
VERSION = "1.37"


def documents(kind: str) -> dict[str, dict[str, Any]]:
    """Return a service's resources by their kind."""
    listed = kustomization(kind)["resources"]
    found = [yaml.safe_load((FOLDER / kind / name).read_text("utf-8")) for name in listed]
    assert {path.name for path in (FOLDER / kind).glob("*.yaml")} == {*listed, "kustomization.yaml"}
    return {one["kind"]: one for one in found}


def kustomization(kind: str) -> dict[str, Any]:
    """Return what puts a service's resources together."""
    made: dict[str, Any] = yaml.safe_load((FOLDER / kind / "kustomization.yaml").read_text("utf-8"))
    return made


def pod(kind: str) -> dict[str, Any]:
    """Return the pod of a service."""
    made: dict[str, Any] = documents(kind)["StatefulSet"]["spec"]["template"]["spec"]
    return made


def containers(kind: str) -> dict[str, dict[str, Any]]:
    """Return the containers of a pod by their names."""
    return {one["name"]: one for one in (*pod(kind)["initContainers"], *pod(kind)["containers"])}


@pytest.mark.parametrize("kind", KINDS)
def test_every_resource_is_valid(kind: str) -> None:
    """By Kubernetes' own schemas, and without a field that they do not know."""
    for resource in documents(kind).values():
        kubernetes_validate.validate(resource, VERSION, strict=True)
    broken = documents(kind)["StatefulSet"]
    broken["spec"]["replica"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSION, strict=True)


@pytest.mark.parametrize("kind", KINDS)
def test_pods_are_restricted(kind: str) -> None:
    """As the restricted standard of Kubernetes asks, on a root that is read-only, and with a bound of memory."""
    made = pod(kind)
    assert made["securityContext"]["runAsNonRoot"] is True
    assert made["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert made["automountServiceAccountToken"] is False
    for name, container in containers(kind).items():
        context = container["securityContext"]
        assert context["runAsUser"] > 0, name
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
    assert all("memory" in one["resources"]["limits"] for one in made["containers"])
    image = (DEPLOY / "Dockerfile").read_text("utf-8")
    assert f"USER {containers(kind)[kind]['securityContext']['runAsUser']}" in image
    assert documents(kind)["NetworkPolicy"]["spec"]["policyTypes"] == ["Ingress", "Egress"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_mounted_is_made(kind: str) -> None:
    """Each volume, secret and map is declared, generated, or made by a step at the top; those of the image exist."""
    made = pod(kind)
    claims = {one["metadata"]["name"] for one in documents(kind)["StatefulSet"]["spec"]["volumeClaimTemplates"]}
    volumes = {one["name"]: one for one in made["volumes"]}
    mounted = {mount["name"] for one in containers(kind).values() for mount in one["volumeMounts"]}
    assert mounted == claims | set(volumes)
    steps = (FOLDER / kind / "kustomization.yaml").read_text("utf-8").partition("\napiVersion")[0]
    generated = {one["name"]: one["files"] for one in kustomization(kind)["configMapGenerator"]}
    for volume in volumes.values():
        if "secret" in volume:
            assert f"create secret generic {volume['secret']['secretName']} " in steps
        elif "configMap" in volume:
            name = volume["configMap"]["name"]
            assert name in generated or f"create configmap {name} " in steps
    for file in generated["settings"]:
        assert (FOLDER / kind / file).is_file() or file in steps
    assert all(f"--from-file={name}" in steps for name in ("role_password", "superuser_password"))
    assert {one["name"] for one in kustomization(kind)["images"]} == {one["image"] for one in containers(kind).values()}


@pytest.mark.parametrize("kind", KINDS)
def test_ports_probes_and_commands_are_the_programs(kind: str) -> None:
    """One port everywhere, addresses that a service answers, and commands with options that it has."""
    container = containers(kind)[kind]
    [port] = container["ports"]
    assert documents(kind)["Service"]["spec"]["ports"][0]["port"] == port["containerPort"]
    [inward] = documents(kind)["NetworkPolicy"]["spec"]["ingress"]
    assert [one["port"] for one in inward["ports"]] == [port["containerPort"]]
    public = {one["name"]: one["value"] for one in container["env"]}["PUBLIC_URL"]
    assert public.endswith(f":{port['containerPort']}")
    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startup": "/health", "liveness": "/live", "readiness": "/health"
    }  # fmt: skip
    for probe in probes.values():
        assert (probe["port"], probe["scheme"]) == (port["name"], "HTTPS")
        assert probe["httpHeaders"] == [{"name": "Host", "value": "localhost"}]
    assert container["args"][:3] == [kind, "serve", "--home"]
    [script] = containers(kind)["home"]["command"][2:]
    steps = (FOLDER / kind / "kustomization.yaml").read_text("utf-8")
    commands = [*re.findall(r"aquila ((?:matcher|node|party) [^\n]*)", script + steps), " ".join(container["args"])]
    assert len(commands) >= 3
    for command in commands:
        found: Any = get_command(app)
        for word in command.split()[:2]:
            found = found.commands[word]
        known = {name for one in found.params for name in one.opts}
        assert set(re.findall(r"--[a-z-]+", command)) <= known, command


@pytest.mark.parametrize("kind", KINDS)
def test_a_database_that_is_still_prepared_is_not_ready(kind: str) -> None:
    """Its probe is the health check of compose.yaml, for the same image."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    [form, check] = compose["services"]["database"]["healthcheck"]["test"]
    assert form == "CMD-SHELL"
    probe = containers(kind)["database"]["readinessProbe"]["exec"]["command"]
    assert probe == ["/bin/sh", "-c", check.replace("$$", "$")]


def test_the_script_makes_a_home_that_the_matcher_takes(tmp_path: Path) -> None:
    """Once: home, certificate for the public address, database and the password for the service's user alone."""
    container = containers("matcher")["home"]
    [script] = container["command"][2:]
    (tmp_path / "etc").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/role_password").write_text("a password\n")
    settings = (FOLDER / "matcher/database.toml").read_text("utf-8")
    (tmp_path / "etc/database.toml").write_text(settings.replace("/run/aquila", f"{tmp_path}/run"))
    here = [("/etc/aquila", "etc"), ("/run/aquila", "run"), ("/run/secrets/database", "secret")]
    for mounted, folder in here:
        script = script.replace(mounted, f"{tmp_path}/{folder}")
    home = tmp_path / "home"
    environment = {one["name"]: one["value"] for one in container["env"]} | {"AQUILA_HOME": str(home)}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for _ in range(2):  # at the second start the home is there
        subprocess.run(["/bin/sh", "-euc", script], check=True, env=os.environ | environment | {"PATH": path})
    made = load(home / "matcher.toml", MatcherSettings)
    assert (home / "matcher.toml").read_text("utf-8").count("[database]") == 1
    assert made.database.url == "postgresql+psycopg://aquila@/aquila?host=/var/run/postgresql"
    assert made.database.password_file is not None
    assert made.database.password_file.read_text() == "a password\n"
    assert made.database.password_file.stat().st_mode & 0o777 == 0o600
    assert (made.listen.host, made.listen.port) == ("0.0.0.0", 8700)  # noqa: S104 - of the container
    assert made.tls is not None
