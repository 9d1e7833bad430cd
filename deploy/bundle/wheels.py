"""The wheels of a bundle: Aquila's own, built from a commit, and those of its dependencies."""

from __future__ import annotations

import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from pathlib import Path

from deploy.bundle.lock import Target, pins


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
