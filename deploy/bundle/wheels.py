"""The wheels of a bundle: Aquila's own, built from a commit, and those of the pinned requirements.

pip asks the machine that it runs on which requirements apply. A bundle is for other machines, so their markers are
evaluated here.
"""

import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

_HASH: Final = "--hash="
_GLIBC: Final = range(28, 16, -1)


@dataclass(frozen=True)
class Target:
    """A machine with Linux on which the bundle installs.

    Attributes:
        python: The version of CPython, such as `3.13`.
        machine: The processor, as `uname -m` names it.
    """

    python: str
    machine: str

    def __str__(self) -> str:
        return f"CPython {self.python} on {self.machine}"

    def needs(self, requirement: Requirement, extra: str = "") -> bool:
        """Return whether a requirement applies on this machine, where an extra of its package is wanted."""
        return requirement.marker is None or requirement.marker.evaluate(
            {
                "implementation_name": "cpython",
                "os_name": "posix",
                "platform_machine": self.machine,
                "platform_python_implementation": "CPython",
                "platform_system": "Linux",
                "python_full_version": f"{self.python}.0",
                "python_version": self.python,
                "sys_platform": "linux",
                "extra": extra,
            }
        )

    @property
    def options(self) -> list[str]:
        """The options by which `pip download` takes wheels for this machine, with a glibc of 2.28 (2018) or newer."""
        platforms = [f"manylinux_2_{minor}_{self.machine}" for minor in _GLIBC]
        platforms += [f"{name}_{self.machine}" for name in ("manylinux2014", "manylinux2010", "manylinux1")]
        abis = [f"cp{self.python.replace('.', '')}", "abi3", "none"]
        return [
            "--implementation=cp",
            f"--python-version={self.python}",
            *(f"--abi={one}" for one in abis),
            *(f"--platform={one}" for one in platforms),
        ]


@dataclass(frozen=True)
class Pin:
    """A requirement with one version.

    Attributes:
        requirement: Name, version, and where it applies.
        hashes: `sha256:` and the digest of each file that may be installed for it.
    """

    requirement: Requirement
    hashes: frozenset[str]

    def line(self, *, marker: bool = True) -> str:
        """Return it as a line of a requirements file, with or without the condition under which it applies."""
        text = str(self.requirement) if marker else str(self.requirement).partition(";")[0].strip()
        return " \\\n    ".join([text, *(f"{_HASH}{one}" for one in sorted(self.hashes))]) + "\n"


def pins(file: Path) -> Iterator[Pin]:
    """Yield what a requirements file of `make pins` pins, in its order."""
    for line in file.read_text("utf-8").replace("\\\n", " ").splitlines():
        text, *hashes = line.partition("#")[0].split(_HASH)
        if text.strip():
            yield Pin(Requirement(text.strip()), frozenset(one.strip() for one in hashes))


def limited(pinned: Iterable[Pin], present: frozenset[str]) -> Iterator[Pin]:
    """Yield the pins of which a file is present, each with the hashes of those alone."""
    for pin in pinned:
        if hashes := pin.hashes & present:
            yield Pin(pin.requirement, hashes)


def check_out(repository: Path, folder: Path) -> int:
    """Lay out the files of the commit that is checked out, and return its time in seconds since 1970.

    Changes that are not committed are not among them.
    """
    with tarfile.open(fileobj=io.BytesIO(_git(repository, "-c", "tar.umask=0022", "archive", "HEAD"))) as archive:
        archive.extractall(folder, filter="data")
    return int(_git(repository, "log", "-1", "--format=%ct", "HEAD"))


def _git(repository: Path, *words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=repository, check=True, capture_output=True).stdout


def build(source: Path, machine: str, time: int, folder: Path) -> None:
    """Build Aquila's wheel with its native core; the same commit and compiler give the same bytes.

    Args:
        source: The files of the commit.
        machine: The processor to build for; another one than this machine's needs Debian's cross compiler for it.
        time: When the commit was made; the wheel's members have this time.
        folder: Where the wheel is written to.

    Raises:
        SystemExit: There is no compiler for this processor.
    """
    environment = {**os.environ, "AQUILA_REQUIRE_NATIVE": "1", "SOURCE_DATE_EPOCH": str(time)}
    if machine != platform.machine():
        compiler = f"{machine}-linux-gnu-gcc"
        if shutil.which(compiler) is None:
            sys.exit(f"no compiler for {machine}: install {compiler}, or give a wheel that was built there (--wheel)")
        # Headers of another processor are not needed: the core keeps to the stable ABI, and both have 64 bits.
        environment |= {"CC": compiler, "LDSHARED": f"{compiler} -shared", "_PYTHON_HOST_PLATFORM": f"linux-{machine}"}
    with tempfile.TemporaryDirectory() as scratch:
        words = [
            sys.executable,
            "setup.py",
            "--quiet",
            "build",
            "--build-base",
            scratch,
            "egg_info",
            "--egg-base",
            scratch,
            "bdist_wheel",
            "--bdist-dir",
            f"{scratch}/wheel",
            "--dist-dir",
            str(folder),
        ]
        done = subprocess.run(
            words, cwd=source, env=environment, umask=0o022, capture_output=True, text=True, check=False
        )
    if done.returncode:
        sys.exit(f"{done.stderr}\nAquila's wheel for {machine} could not be built")


def download(locks: Iterable[Path], targets: Iterable[Target], folder: Path) -> None:
    """Fetch the wheels that machines need, and no others; each has a pinned hash.

    Args:
        locks: Requirements files with hashes, which pin a package that several of them name alike.
        targets: The machines.
        folder: Where the wheels are written to.

    Raises:
        SystemExit: pip finds no wheel, or one with another hash.
    """
    pinned = {pin.line(): pin for lock in locks for pin in pins(lock)}.values()
    for target in targets:
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
            # Its conditions are left out: pip would evaluate them for the machine that it runs on.
            wanted.writelines(pin.line(marker=False) for pin in pinned if target.needs(pin.requirement))
            wanted.flush()
            words = [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--require-hashes",
                "--only-binary=:all:",
                f"--dest={folder}",
                *target.options,
                "-r",
                wanted.name,
            ]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{done.stderr}\nthe wheels for {target} could not be fetched")


def digest(file: Path) -> str:
    """Return the SHA-256 digest of a file, in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
