"""The units of the daily backup give the command of the manual."""

import shlex

import pytest

from tests.services.deploy.test_samples import CLASSES, DEPLOY
from tests.support import manual


@pytest.mark.parametrize("kind", sorted(CLASSES))
def test_the_unit_of_the_timer_gives_the_documented_command(kind: str) -> None:
    unit = (DEPLOY / "systemd" / f"aquila-{kind}-backup.service").read_text("utf-8")
    settings = dict(manual.service_settings(unit))
    *shell, command = shlex.split(settings["ExecStart"])
    assert shell == ["/bin/sh", "-c"]
    documented = manual.command("Backup and restore", "aquila node backup --home /var/lib/aquila/node")
    given = " ".join(command.replace("$$", "$").replace("%%", "%").split())
    assert given == f"/opt/aquila/bin/{documented}".replace("aquila node", f"aquila {kind}").replace(
        "aquila/node", f"aquila/{kind}"
    ).replace("backup/node", f"backup/{kind}")
    assert "$(date +%F-%H%M%S)" in given, "two backups in a minute have two names"
    served = dict(manual.service_settings((DEPLOY / "systemd" / f"aquila-{kind}.service").read_text("utf-8")))
    assert [settings[name] for name in ("User", "StateDirectory")] == [served["User"], served["StateDirectory"]]
    timer = (DEPLOY / "systemd" / f"aquila-{kind}-backup.timer").read_text("utf-8")
    assert "OnCalendar=*-*-* 02:30:00\n" in timer
    assert "Persistent=true\n" in timer
