"""Machines with nothing but Debian's own packages, each with its address in a network that leads nowhere else.

A container of this kind differs from `Container` in that nothing of this machine is in it: it has what the operations
page asks for, and whoever follows the page does the rest.
"""

import secrets
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.bundles import DEBIAN
from tests.support.container import BOOTS, Container

PYTHON = "3.13"
"""The version of its Python."""
ASKED_FOR = ("python3-venv", "postgresql")
"""The packages that the page tells to bring."""
PRESENT = ("systemd-sysv", "openssh-client")
"""Those that a Debian system has and the least one has not."""
NEEDED = (
    *BOOTS,
    *(
        pytest.mark.skipif(shutil.which(program) is None, reason=f"Debian's {package} is not installed")
        for program, package in {"mmdebstrap": "mmdebstrap", "ip": "iproute2"}.items()
    ),
)
"""The marks of tests that use such machines."""

_SECONDS = 1_800
_LINK = "host0"


def make_base(folder: Path) -> None:
    """Lay out the files of a fresh Debian system in a folder, from the packages of its mirrors."""
    what = ("--variant=minbase", "--format=directory", f"--include={','.join((*PRESENT, *ASKED_FOR))}")
    _run("mmdebstrap", "--quiet", *what, DEBIAN, str(folder))


class Network:
    """A wire on which every machine reaches every other one by its address, and nothing else."""

    def __init__(self) -> None:
        self._name = f"aquila-{secrets.token_hex(4)}"
        self._namespaces: list[str] = []
        self._make(self._name)
        self._ip(self._name, "link", "add", "wire", "type", "bridge")
        self._ip(self._name, "link", "set", "wire", "up")

    def attach(self, address: str) -> str:
        number = len(self._namespaces)
        name, port = f"{self._name}-{number}", f"port{number}"
        self._make(name)
        self._ip(self._name, "link", "add", port, "type", "veth", "peer", "name", _LINK, "netns", name)
        self._ip(self._name, "link", "set", port, "master", "wire", "up")
        self._ip(name, "addr", "add", f"{address}/32", "dev", _LINK)
        self._ip(name, "link", "set", _LINK, "up")
        self._ip(name, "route", "add", "default", "dev", _LINK)
        return name

    def close(self) -> None:
        for name in self._namespaces:
            _run("ip", "netns", "delete", name)

    def _make(self, name: str) -> None:
        _run("ip", "netns", "add", name)
        self._namespaces.append(name)
        self._ip(name, "link", "set", "lo", "up")

    def _ip(self, name: str, *words: str) -> None:
        _run("ip", "-netns", name, *words)


class Debian(Container):
    target = "multi-user.target"

    def __init__(self, folder: Path, base: Path, namespace: str) -> None:
        super().__init__(folder)
        self.base, self._namespace = base, namespace

    def _options(self) -> list[str]:
        # Without the two rights and the call, systemd confines nobody to the addresses of a unit.
        return [
            f"--network-namespace-path=/run/netns/{self._namespace}",
            "--resolv-conf=off",
            "--capability=CAP_BPF,CAP_NET_ADMIN",
            "--system-call-filter=bpf",
        ]

    def _prepare(self) -> None:
        """Make it another machine than the one that made its files, without a name server."""
        etc = self.root / "etc"
        (etc / "machine-id").write_text(secrets.token_hex(16) + "\n")
        (etc / "hostname").write_text("debian\n")
        (etc / "resolv.conf").write_text("")

    def as_root(self, commands: str, *, check: bool = True) -> str:
        """Give root's commands, one a line, in root's folder; each has to succeed."""
        done = self._give(["env", "-i", "HOME=/root", "USER=root", "bash", "--login", "-e", "-c", f"cd\n{commands}"])
        assert not check or done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def as_user(self, user: str, command: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Let a user give a command in the own folder, as after `su - USER`."""
        return self._give(["su", "-", user, "-c", command], typed)

    def open(self, user: str, command: str) -> subprocess.Popen[str]:
        """Let a user begin a command that asks for something."""
        return subprocess.Popen(
            [*self.entered(), "su", "-", user, "-c", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def restart(self) -> None:
        """Switch it off and on again."""
        self.cut_power()
        self.boot()

    def _give(self, words: list[str], typed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.entered(), *words], input=typed, capture_output=True, text=True, check=False, timeout=_SECONDS
        )


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_SECONDS)
    assert done.returncode == 0, f"{shlex.join(words)}: {done.stderr}"
