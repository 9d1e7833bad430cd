"""What the operations page lets root do fits the units, the settings and the alert rules that are delivered."""

from __future__ import annotations

import re
import shlex
import tomllib

import pytest
import yaml
from sqlalchemy import make_url

from clients.cli.exit_codes import ExitCode
from services.kit.settings import DatabaseSettings
from tests.services.deploy.test_samples import CLASSES, DEPLOY
from tests.support import confine, manual

PAGE = (DEPLOY / "OPERATIONS.md").read_text("utf-8")


def settings_of(kind: str) -> dict[str, str]:
    """Return the settings of a service's unit."""
    return dict(confine.service_settings((DEPLOY / "systemd" / f"aquila-{kind}.service").read_text("utf-8")))


@pytest.mark.parametrize("kind", sorted(CLASSES))
def test_user_and_home_are_those_of_the_unit(kind: str) -> None:
    """And every file that root copies is in a release."""
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
    """Nothing but this machine can be reached without it."""
    [drop_in] = manual.blocks("Which addresses a service may reach", "ini")
    assert {name for name, _ in confine.service_settings(drop_in)} == {"IPAddressAllow"}
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
    """In one row or another, and none that is not there."""
    [group] = yaml.safe_load((DEPLOY / "prometheus" / "aquila-alerts.yml").read_text("utf-8"))["groups"]
    named = re.findall(r"`(Aquila\w+)`", PAGE)
    assert sorted(named) == sorted(rule["alert"] for rule in group["rules"])


def test_exit_statuses_are_those_of_the_command() -> None:
    """Those that a person meets."""
    sentence = " ".join(PAGE.partition("Exit status: ")[2].partition(". ")[0].split())
    stated = {int(number) for number in re.findall(r"(?:^|; )(\d+)", sentence)}
    assert stated == {code for code in ExitCode if code <= ExitCode.UNANSWERED}
