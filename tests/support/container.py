"""A machine of its own under a real systemd, on this machine's files: systemd-nspawn boots what an overlay shows.

Nothing that is written in it stays, none of this machine's own services start in it, and it shares its network. Aquila
is installed at /opt/aquila, as the units expect it, where their hardening lets them see it.
"""

import contextlib
import os
import re
import secrets
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest


def _may_mount() -> bool:
    """Return whether this process has CAP_SYS_ADMIN, which root lacks in most containers."""
    status = Path("/proc/self/status")
    [effective] = re.findall(r"CapEff:\s*(\w+)", status.read_text("utf-8")) if status.exists() else ["0"]
    return bool(int(effective, 16) >> 21 & 1)


_OBSTACLES = (
    (os.geteuid() != 0, "only root can boot a container"),
    (not _may_mount(), "this root may mount nothing, so it cannot boot a container"),
    (shutil.which("systemd-nspawn") is None, "Debian's systemd-container is not installed"),
)
BOOTS = (pytest.mark.e2e, *(pytest.mark.skipif(there, reason=reason) for there, reason in _OBSTACLES))
"""The marks of tests that boot one."""

CHECKOUT = Path(__file__).parents[2]
BOOT_SECONDS = 120
_PYTHON, _PACKAGES, _SOURCE = "/opt/python", "/opt/packages", "/opt/source"
_SCRIPT = """#!/opt/aquila/bin/python
import sys
from {module} import main
if __name__ == "__main__":
    sys.exit(main())
"""


class Container:
    """A booted systemd; `stop` ends it and forgets what was written.

    Args:
        folder: An empty folder of this machine, for the mounts.
        binds: Other folders of this machine, and where they are seen in the container.
    """

    base, target = Path("/"), "basic.target"

    def __init__(self, folder: Path, binds: Mapping[str, str] | None = None) -> None:
        self.folder, self.root, self._binds = folder, folder / "root", dict(binds or {})
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = 0
        self._name = f"aquila-test-{secrets.token_hex(4)}"
        self._group = _control_group() / self._name

    def start(self) -> None:
        """Boot, and wait until systemd says that it is up."""
        memory = self.folder / "memory"
        for path in (memory, self.root):
            path.mkdir(parents=True)
        _run("mount", "-t", "tmpfs", "aquila-test", str(memory))
        for name in ("upper", "work"):
            (memory / name).mkdir()
        options = f"lowerdir={self.base},upperdir={memory}/upper,workdir={memory}/work"
        _run("mount", "-t", "overlay", "aquila-test", "-o", options, str(self.root))
        self._prepare()
        self.boot()

    def boot(self) -> None:
        """Boot what is laid out, and wait until systemd says that it is up."""
        # Two of one name would not run at once. nspawn puts a container into a group below its own: two in one group
        # would end each other's processes.
        self._group.mkdir()
        command = [
            "sh",
            "-c",
            f'echo $$ > {self._group}/cgroup.procs && exec "$@"',
            "sh",
            "systemd-nspawn",
            "--quiet",
            "--boot",
            "--register=no",
            "--keep-unit",
            "--console=pipe",
            "--link-journal=no",
            f"--machine={self._name}",
            f"--directory={self.root}",
            *self._options(),
            f"systemd.unit={self.target}",
        ]
        with (self.folder / "console").open("ab") as console:
            self._nspawn = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env={"PATH": os.environ["PATH"], "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            )
        ends = time.monotonic() + BOOT_SECONDS
        while not self._is_up():
            assert self._nspawn.poll() is None, (self.folder / "console").read_text(errors="replace")
            assert time.monotonic() < ends, "the container's systemd does not come up"
            time.sleep(0.2)
        self.run("ldconfig")

    def _options(self) -> list[str]:
        """Return what this container has, in words for nspawn."""
        binds = {sys.base_prefix: _PYTHON, sysconfig.get_path("purelib"): _PACKAGES, str(CHECKOUT): _SOURCE}
        seen = [f"--bind-ro={here}:{there}" for here, there in binds.items()]
        return seen + [f"--bind={here}:{there}" for here, there in self._binds.items()]

    def _prepare(self) -> None:
        """Lay out the machine: no service of its own but systemd's, and Aquila at /opt/aquila."""
        etc = self.root / "etc"
        (etc / "machine-id").write_text(secrets.token_hex(16) + "\n")
        for wanted in (etc / "systemd/system").glob("*.wants"):
            shutil.rmtree(wanted)
        (etc / "ld.so.conf.d/python.conf").write_text(f"{_PYTHON}/lib\n")
        binaries = self.root / "opt/aquila/bin"
        packages = self.root / "opt/aquila" / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
        for folder in (binaries, packages):
            folder.mkdir(parents=True)
        (binaries.parent / "pyvenv.cfg").write_text(f"home = {_PYTHON}/bin\n")
        (binaries / "python").symlink_to(f"{_PYTHON}/bin/python{sys.version_info.major}.{sys.version_info.minor}")
        (packages / "here.pth").write_text(f"{_SOURCE}\n{_PACKAGES}\n")
        for name, module in (("aquila", "clients.cli.main"), ("dask", "dask.__main__")):
            (binaries / name).write_text(_SCRIPT.format(module=module))
            (binaries / name).chmod(0o755)

    def _is_up(self) -> bool:
        if not self._leader:
            assert self._nspawn is not None
            # nspawn's own child sets the namespaces up; the child of that is the container's first process.
            found = psutil.Process(self._nspawn.pid).children(recursive=True)
            self._leader = next((one.pid for one in found if one.name() == "systemd"), 0)
        return bool(self._leader) and self.run("systemctl", "is-active", self.target, check=False) == "active"

    def run(self, *words: str, check: bool = True) -> str:
        """Run a command in the container, and return what it printed."""
        return _run(*self.entered(), *words, check=check).strip()

    def entered(self) -> list[str]:
        """Return the words that run a command in the container."""
        return ["nsenter", "-t", str(self._leader), "-m", "-u", "-i", "-p", "-n", "--"]

    def install(self, unit: str, content: str) -> None:
        self.add_user(next(line.removeprefix("User=") for line in content.splitlines() if line.startswith("User=")))
        (self.root / "etc/systemd/system" / unit).write_text(content, encoding="utf-8")
        self.run("systemctl", "daemon-reload")

    def add_user(self, name: str) -> None:
        """Make a user of the system, unless there is one of this name."""
        self.run("sh", "-c", f"id {name} 2>/dev/null || useradd --system {name}")

    def show(self, unit: str) -> dict[str, str]:
        """Return how a unit fares: its state, its result, and how often it was started again."""
        shown = self.run("systemctl", "show", unit, "-p", "ActiveState,Result,NRestarts,MainPID")
        return dict(line.split("=", 1) for line in shown.splitlines())

    def journal(self, unit: str) -> str:
        """Return what a unit wrote, and what systemd says of it."""
        return self.run("journalctl", "--no-pager", "-o", "cat", "-u", unit, check=False)

    def cut_power(self) -> None:
        """End every process of the container, and leave what was written."""
        if self._nspawn is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(self._leader or self._nspawn.pid).kill()
            self._nspawn.wait(timeout=60)
            for group in [*sorted(self._group.rglob("*/"), reverse=True), self._group]:
                group.rmdir()
        self._nspawn, self._leader = None, 0

    def stop(self) -> None:
        """End every process of the container, and take the mounts away."""
        self.cut_power()
        for path in (self.root, self.folder / "memory"):
            if path.is_mount():
                _run("umount", "--lazy", str(path))


def _control_group() -> Path:
    """Return the folder of this process's own group in the unified hierarchy."""
    mounts = Path("/proc/self/mounts").read_text("utf-8").splitlines()
    [mounted, *_] = [line.split()[1] for line in mounts if line.split()[2] == "cgroup2"]
    groups = Path("/proc/self/cgroup").read_text("utf-8").splitlines()
    [own] = [line.removeprefix("0::/") for line in groups if line.startswith("0::/")]
    return Path(mounted) / own


def _run(*words: str, check: bool = True) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert not check or done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return done.stdout
