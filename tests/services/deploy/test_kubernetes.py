"""The manifests are valid, restricted, and name what the program knows."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
import yaml
from typer.main import get_command

from aquila.crypto.keys import IdentityKey
from aquila.protocol.registration.invitations import Invitation, accepted_invitation, open_request, sign_file
from aquila.protocol.registration.spoken_words import check_spoken
from clients.cli.main import app
from services.kit.settings import load
from services.node.settings import NodeSettings
from tests.services.deploy.test_samples import CLASSES, DEPLOY
from tests.support.operators import read_aloud

if TYPE_CHECKING:
    from services.kit.settings import ServiceSettings

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


@pytest.mark.parametrize("kind", KINDS)
def test_the_name_within_is_that_of_the_address(kind: str) -> None:
    """Commands in the pod call the service by the name of its public address, which no network policy lets out."""
    [alias] = pod(kind)["hostAliases"]
    [public] = [one["value"] for one in containers(kind)[kind]["env"] if one["name"] == "PUBLIC_URL"]
    assert alias == {"ip": "127.0.0.1", "hostnames": [urlsplit(public).hostname]}


def assert_together(resources: list[dict[str, Any]]) -> None:
    """Assert that resources are in one namespace, and that what one says of another is there."""
    by_kind = {one["kind"]: one for one in resources}
    assert len(by_kind) == len(resources)
    assert len({one["metadata"]["namespace"] for one in resources}) == 1
    stateful, service = by_kind["StatefulSet"]["spec"], by_kind["Service"]
    labels = stateful["template"]["metadata"]["labels"]
    selectors = (
        stateful["selector"]["matchLabels"],
        service["spec"]["selector"],
        by_kind["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    )
    for selector in selectors:
        assert selector.items() <= labels.items()
    assert stateful["serviceName"] == service["metadata"]["name"]
    made = stateful["template"]["spec"]
    [port] = next(one["ports"] for one in made["containers"] if "ports" in one)
    assert [one["targetPort"] for one in service["spec"]["ports"]] == [port["name"]]
    maps = {volume["configMap"]["name"] for volume in made["volumes"] if "configMap" in volume}
    assert by_kind["ConfigMap"]["metadata"]["name"] in maps
    [home] = made["initContainers"]
    mounted = [mount["mountPath"] for mount in home["volumeMounts"] if mount["name"] == "settings"]
    read = set(re.findall(rf"{mounted[0]}/([a-z.]+)", home["command"][2]))
    assert read == set(by_kind["ConfigMap"]["data"])


@pytest.mark.skipif(shutil.which("kustomize") is None, reason="Debian's kustomize is not installed")
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_applied_belongs_together(kind: str, tmp_path: Path) -> None:
    """Rendered as `kubectl apply -k` does: valid, in the namespace of the steps, with references that are met."""
    shutil.copytree(FOLDER / kind, tmp_path / kind)
    if kind == "node":
        (tmp_path / kind / "party.invite").write_text("an invitation")
    words = ["kustomize", "build", str(tmp_path / kind)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    resources = list(yaml.safe_load_all(done.stdout))
    for resource in resources:
        kubernetes_validate.validate(resource, VERSION, strict=True)
    assert_together(resources)
    steps = (FOLDER / kind / "kustomization.yaml").read_text("utf-8")
    assert f"create namespace {resources[0]['metadata']['namespace']}\n" in steps
    [stateful] = [one for one in resources if one["kind"] == "StatefulSet"]
    made = stateful["spec"]["template"]["spec"]
    images = {one["name"]: one["image"] for one in (*made["initContainers"], *made["containers"])}
    own = "registry.example.org/aquila:latest"
    assert images == {"home": own, kind: own, "database": "postgres:18"}
    stateful["spec"]["serviceName"] = "another"
    with pytest.raises(AssertionError):
        assert_together(resources)


@pytest.mark.parametrize("kind", KINDS)
def test_the_steps_give_commands_that_there_are(kind: str) -> None:
    """In the service's container, with options that they have."""
    steps = (FOLDER / kind / "kustomization.yaml").read_text("utf-8")
    given = re.findall(r"kubectl -n (\S+) exec -it? (\S+) -c (\S+) -- (.+)", steps)
    assert {one[:3] for one in given} == {(f"aquila-{kind}", f"aquila-{kind}-0", kind)}
    commands = re.findall(r"\baquila ((?:matcher|node|party)\b[^&>\n]*)", "\n".join(one[3] for one in given))
    assert {"backup", "admit" if kind == "matcher" else "accept"} <= {one.split()[1] for one in commands}
    for command in commands:
        group, name, *words = shlex.split(command)
        found = get_command(app).commands[group].commands[name]  # type: ignore[attr-defined]  # groups have commands
        options = {option for parameter in found.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options


@dataclass
class Pod:
    """What the init container of a service sees, in folders of a test."""

    kind: str
    folder: Path

    @property
    def home(self) -> Path:
        """The service's home."""
        return self.folder / "home"

    def start(self, host: str) -> str:
        """Run the script with its own mounts, and return what it prints; the first time it makes them."""
        container = containers(self.kind)["home"]
        [script] = container["command"][2:]
        for mounted, name in (("/etc/aquila", "etc"), ("/run/aquila", "run"), ("/run/secrets/database", "secret")):
            (self.folder / name).mkdir(exist_ok=True)
            script = script.replace(mounted, f"{self.folder}/{name}")
        (self.folder / "secret/role_password").write_text("a password\n")
        settings = (FOLDER / self.kind / "database.toml").read_text("utf-8")
        (self.folder / "etc/database.toml").write_text(settings.replace("/run/aquila", f"{self.folder}/run"))
        environment = {one["name"]: one["value"] for one in container["env"]}
        assert urlsplit(environment["PUBLIC_URL"]).hostname == host
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment |= {"AQUILA_HOME": str(self.home), "PATH": path}
        done = subprocess.run(
            ["/bin/sh", "-euc", script], check=True, env=os.environ | environment, capture_output=True, text=True
        )
        return done.stdout + done.stderr

    def assert_taken(self, port: int) -> ServiceSettings:
        """Assert that the service takes what was made: TLS, database, and the password for its user alone."""
        file = self.home / f"{self.kind}.toml"
        made = load(file, CLASSES[self.kind])
        assert file.read_text("utf-8").count("[database]") == 1
        assert made.database.url == "postgresql+psycopg://aquila@/aquila?host=/var/run/postgresql"
        assert made.database.password_file is not None
        assert made.database.password_file.read_text() == "a password\n"
        assert made.database.password_file.stat().st_mode & 0o777 == 0o600
        assert (made.listen.host, made.listen.port) == ("0.0.0.0", port)  # noqa: S104 - of the container
        assert made.tls is not None
        return made


def test_the_script_makes_a_home_that_the_matcher_takes(tmp_path: Path) -> None:
    """Once: home, certificate for the public address, database and the password for the service's user alone."""
    made = Pod("matcher", tmp_path)
    made.start("matcher.example.org")
    made.assert_taken(8700)
    identity = (made.home / "identity.pem").read_bytes()
    made.start("matcher.example.org")  # at the second start the home is there
    made.assert_taken(8700)
    assert (made.home / "identity.pem").read_bytes() == identity


def test_the_script_makes_a_home_that_joins(tmp_path: Path) -> None:
    """Once, from the invitation: home, database, and a request that is admitted by the words of the pod's log."""
    made = Pod("node", tmp_path)
    (tmp_path / "etc").mkdir()
    with IdentityKey.generate(secrets.token_bytes) as key:
        invitation = Invitation(
            invitation_id="00" * 16, party="SI", name="Slovenia", matcher_key=key.public.hex,
            url="https://matcher.example.org:8700", ca=None, expires_at=1 << 33,
        )  # fmt: skip
        (tmp_path / "etc/party.invite").write_bytes(sign_file(invitation, key))
        printed = made.start("node.si.example")
        settings = made.assert_taken(8701)
        assert isinstance(settings, NodeSettings)
        assert (settings.code, settings.matcher.url) == ("SI", invitation.url)
        written = (made.home / "request.join").read_bytes()
        made.start("node.si.example")  # at the second start the home is there
        made.assert_taken(8701)
        assert (made.home / "request.join").read_bytes() == written
        request = open_request(written)
        assert accepted_invitation(request.message, key.public, now=1) == invitation
    check_spoken(request.digest, read_aloud(printed))
