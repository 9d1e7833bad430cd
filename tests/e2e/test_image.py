"""The image's build without an engine: what the Dockerfile copies, installed as it says, is whole and fast."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.soak,
    pytest.mark.skipif(shutil.which("gcc") is None, reason="the image installs gcc; it is not installed here"),
]

CHECKOUT = Path(__file__).parents[2]
DOCKERFILE = (CHECKOUT / "deploy/Dockerfile").read_text("utf-8")
BUILD = DOCKERFILE.partition("\nFROM ${PYTHON_IMAGE}\n")[0]
PACKAGES = ("aquila", "services", "clients")


def lay_out_context(folder: Path) -> None:
    """Copy what the build copies, without what `.dockerignore` leaves out everywhere."""
    ignored = [line[3:] for line in (CHECKOUT / ".dockerignore").read_text("utf-8").splitlines() if line[:3] == "**/"]
    folder.mkdir()
    for words in re.findall(r"^COPY (.+) \S+$", BUILD, re.MULTILINE):
        for name in words.split():
            source, target = CHECKOUT / name, folder / name
            target.parent.mkdir(exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns(*ignored))
            else:
                shutil.copy(source, target)


def make_environment(folder: Path) -> None:
    """Make an environment with the requirements of this one, as the earlier step of the build does."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=60)
    here = Path(sysconfig.get_path("purelib"))
    (folder / here.relative_to(sys.prefix) / "requirements.pth").write_text(f"{here}\n", encoding="utf-8")


def install(context: Path, environment: Path) -> Path:
    """Run the build's last command; return where the packages are then."""
    command = re.findall(r"^RUN (.+)$", BUILD, re.MULTILINE)[-1]
    # This environment's own Aquila is seen from there, and is not to be removed.
    here = command.replace("/opt/aquila/bin/pip install", f"{environment}/bin/python -m pip install --ignore-installed")
    assert here != command
    # Optimizing the native core takes longer than all the rest.
    built = {**os.environ, "AQUILA_NATIVE_FLAGS": "-O0"}
    done = subprocess.run(
        ["/bin/sh", "-c", here], cwd=context, env=built, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return environment / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)


def files(folder: Path) -> Iterator[str]:
    """Yield the files of the packages that run or are read."""
    for path in (path for package in PACKAGES for path in (folder / package).rglob("*")):
        if path.is_file() and path.suffix not in {".c", ".h", ".so", ".pyc"}:
            yield str(path.relative_to(folder))


def test_the_image_holds_all_of_aquila_with_its_native_core(tmp_path: Path) -> None:
    """No table, template or migration is missing, and the compiled core is in use."""
    context, environment = tmp_path / "context", tmp_path / "environment"
    lay_out_context(context)
    make_environment(environment)
    installed = install(context, environment)
    assert set(files(installed)) == set(files(context))
    asked = "from aquila.crypto.native import _portable; print(_portable.__file__)"
    words = [str(environment / "bin/python"), "-P", "-c", asked]
    core = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    assert Path(core).is_relative_to(installed)


def test_an_image_without_a_compiler_is_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be slow, and nobody would notice."""
    context, environment = tmp_path / "context", tmp_path / "environment"
    lay_out_context(context)
    make_environment(environment)
    monkeypatch.setenv("CC", "false")
    with pytest.raises(AssertionError, match=r"false'.* exit "):
        install(context, environment)
