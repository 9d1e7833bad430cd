"""What root does by OPERATIONS.md and the files next to it fits the units, settings and alert rules delivered."""

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from sqlalchemy import make_url

from clients.cli.exit_codes import ExitCode
from services.kit.settings import DatabaseSettings
from tests.services.deploy.test_samples import CLASSES, DEPLOY
from tests.support import manual


def settings_of(kind: str) -> dict[str, str]:
    return dict(manual.service_settings((DEPLOY / "systemd" / f"aquila-{kind}.service").read_text("utf-8")))


@pytest.mark.parametrize("kind", sorted(CLASSES))
def test_user_and_home_are_those_of_the_unit(kind: str) -> None:
    [block] = manual.blocks("Users, folders and units")
    words = shlex.split(block.replace("aquila-node", f"aquila-{kind}").replace("aquila/node", f"aquila/{kind}"))
    unit = settings_of(kind)
    home = f"/var/lib/{unit['StateDirectory']}"
    assert unit["User"] in words
    assert home in words
    assert f"export AQUILA_HOME={home}" in words
    assert unit["ExecStart"].startswith("/opt/aquila/bin/aquila ")
    assert "/opt/aquila/bin/aquila" in words
    copied = [word.removeprefix("aquila-X.Y.Z/") for word in words if word.startswith("aquila-X.Y.Z/")]
    missing = [one for one in copied if one != "manual.pdf" and not list(DEPLOY.parent.glob(one))]
    assert copied
    assert missing == []
    units = (DEPLOY / "systemd" / f"aquila-{kind}.service").read_text("utf-8")
    assert "Documentation=file:/usr/share/doc/aquila/OPERATIONS.md" in units
    assert "/usr/share/doc/aquila" in words


def test_the_drop_in_allows_what_the_unit_denies() -> None:
    assert {name for name, _ in manual.service_settings(manual.drop_in())} == {"IPAddressAllow"}
    for kind in CLASSES:
        unit = settings_of(kind)
        assert (unit["IPAddressDeny"], unit["IPAddressAllow"]) == ("any", "localhost")


def test_the_database_is_the_one_that_is_made() -> None:
    """With the role of the unit's user, by the socket, so without a password."""
    [made] = manual.blocks("PostgreSQL")
    [block] = manual.blocks("PostgreSQL", "toml")
    url = make_url(DatabaseSettings.model_validate(tomllib.loads(block)["database"]).url)
    assert url.username == settings_of("node")["User"]
    assert f"createuser {url.username}\n" in made
    assert re.search(rf"createdb --owner {url.username} .*{url.database}\n", made)
    assert f"ON DATABASE {url.database} " in made
    assert url.query == {"host": "/var/run/postgresql"}


def test_each_alert_is_explained() -> None:
    [group] = yaml.safe_load((DEPLOY / "prometheus" / "aquila-alerts.yml").read_text("utf-8"))["groups"]
    named = re.findall(r"`(Aquila\w+)`", manual.PAGES["METRICS.md"])
    assert sorted(named) == sorted(rule["alert"] for rule in group["rules"])


def test_exit_statuses_are_those_of_the_command() -> None:
    sentence = " ".join(manual.TEXT.partition("Exit status: ")[2].partition(". ")[0].split())
    stated = {int(number) for number in re.findall(r"(?:^|; )(\d+)", sentence)}
    assert stated == {code for code in ExitCode if code <= ExitCode.MACHINE}


def test_the_fingerprint_of_who_makes_releases(tmp_path: Path) -> None:
    """The command of the page prints it of a file as RELEASING.md describes it."""
    key = tmp_path / "key"
    subprocess.run(["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "maker", "-f", key], check=True)
    public = key.with_suffix(".pub").read_text("utf-8")
    (tmp_path / "release.signers").write_text(f'aquila namespaces="aquila-release" {public}')
    command = manual.command("Installing without a network", "cut")
    said = subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    known = subprocess.run(
        ["/usr/bin/ssh-keygen", "-l", "-f", f"{key}.pub"], capture_output=True, text=True, check=True
    )
    assert said.stdout.split()[:2] == known.stdout.split()[:2]


def test_a_token_is_reached_by_the_backup_too() -> None:
    drop_in = " ".join((DEPLOY / "systemd" / "pkcs11-token.conf").read_text("utf-8").split())
    for kind in CLASSES:
        for unit in (f"aquila-{kind}", f"aquila-{kind}-backup"):
            assert (DEPLOY / "systemd" / f"{unit}.service").exists()
            assert f"{unit}.service.d" in drop_in
            assert f"{unit}.service.d`" in manual.PAGES["PKCS11.md"]


def test_a_node_calls_the_matcher_by_its_own_address() -> None:
    matcher = tomllib.loads((DEPLOY / "samples" / "matcher.advanced.toml").read_text("utf-8"))
    url = matcher["listen"]["public_url"]
    assert url.endswith(f":{matcher['listen']['port']}")
    for name in ("node.basic.toml", "node.advanced.toml"):
        node = tomllib.loads((DEPLOY / "samples" / name).read_text("utf-8"))
        assert (node["matcher"]["url"], node["listen"]["port"]) == (url, 8701)
    assert f"--matcher {url}`" in manual.TEXT


def test_own_files_are_where_the_unit_shows_them() -> None:
    hidden = {"ProtectHome": "yes", "PrivateTmp": "yes"}
    for kind in CLASSES:
        assert hidden.items() <= settings_of(kind).items()
    assert "the units hide `/home`, `/root` and `/tmp`" in manual.TEXT
