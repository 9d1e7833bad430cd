"""Machines on which a release is installed from its bundle, by the commands of the operations page."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.bundles import bring_signed, install_commands
from tests.support.process_world import Program, Service

_WITHOUT_ROUTE = ("unshare", "--map-root-user", "--net")
_SECONDS = 1_800


@dataclass(frozen=True)
class Machine:
    """A machine, which gets files as a courier brings them and reaches no network while it installs."""

    folder: Path

    @property
    def program(self) -> Program:
        """The `aquila` command that is installed there, which takes nothing out of the checkout."""
        return Program((str(self.folder / "opt/bin/aquila"),), {"PYTHONPATH": "", "PYTHONSAFEPATH": "1"})

    def install(self, bundle: Path) -> None:
        """Verify this release, unpack it and install it."""
        self.folder.mkdir()
        bring_signed(bundle, self.folder)
        verify, install, _ = install_commands(self.folder)
        self._give(verify + install)

    def upgrade(self, bundle: Path, version: str, services: Sequence[Service]) -> None:
        """Put another release in the place of the one that is installed."""
        bring_signed(bundle, self.folder)
        verify, install, upgrade = install_commands(self.folder, version)
        unpack, *_ = install.splitlines()
        # Root's folders and its systemd are no part of such a machine: `test_installation` has them.
        stop, *commands, _manual, _units, _reload, start = upgrade.splitlines()
        assert (stop, start) == ("systemctl stop aquila-node", "systemctl start aquila-node")
        self._give(verify + unpack)
        for one in services:
            one.stop()
        self._give("\n".join(commands))
        for one in services:
            one.launch()
        for one in services:
            one.wait_until_ready()

    def version(self) -> str:
        """Return what `aquila --version` says first."""
        return self.program.run(["--version"], {}, "").stdout.splitlines()[0]

    def _give(self, commands: str) -> None:
        """Give commands, one a line, of which each has to succeed."""
        done = subprocess.run(
            [*_WITHOUT_ROUTE, "/bin/sh", "-e", "-c", commands],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.folder), "LANG": "C.UTF-8"},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}"
