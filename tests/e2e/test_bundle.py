"""A bundle is built twice alike, and a machine without a network installs and starts Aquila from it, by the manual."""

import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import aquila
from deploy.bundle import wheels
from deploy.bundle.main import LOCKS
from deploy.bundle.wheels import Target
from tests.support.bundles import (
    CROSS_COMPILER,
    MACHINE,
    MACHINES,
    NEEDED,
    OTHER,
    PYTHONS,
    bring_signed,
    install_commands,
)

CHECKOUT = Path(__file__).parents[2]
PROGRAM = CHECKOUT / "tests/support/without_route.py"
ELF_MACHINES = {"x86_64": 62, "aarch64": 183}  # e_machine, of the psABI of each processor
PIP_AS_IF_THERE = """
import platform, runpy, sys
machine, python = sys.argv.pop(1), sys.argv.pop(1)
platform.machine = lambda: machine
platform.python_version = lambda: python + ".0"
platform.python_version_tuple = lambda: (*python.split("."), "0")
runpy.run_module("pip", run_name="__main__")
"""
"""pip with the conditions of another processor and Python, which its options for other platforms do not change."""

pytestmark = [pytest.mark.e2e, pytest.mark.soak, *NEEDED]


def run(*words: str, **options: Any) -> None:
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL, **options)


def test_it_is_built_twice_alike(bundle: Path, tmp_path: Path) -> None:
    """From another folder, with another umask: a copy of the repository gives the same bytes."""
    clone = tmp_path / "elsewhere" / "aquila"
    run("git", "clone", "--quiet", str(CHECKOUT), str(clone))
    words = [sys.executable, "-m", "deploy.bundle.main", "--python", *PYTHONS, "--machine", *MACHINES]
    run(*words, cwd=clone, umask=0o077)
    again = clone / "dist" / bundle.name
    assert wheels.digest(again) == wheels.digest(bundle)
    assert again.with_name(f"{again.name}.sha256").read_text() == f"{wheels.digest(bundle)}  {bundle.name}\n"


def test_its_list_of_packages_is_valid_and_whole(bundle: Path) -> None:
    with tarfile.open(bundle) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
        [sbom] = [packed.extractfile(one) for one in packed if one.name.endswith("/sbom.cdx.json")]
        assert sbom is not None
        text = sbom.read().decode("utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    components = [document["metadata"]["component"], *document["components"]]
    named = {reference["url"] for one in components for reference in one["externalReferences"]}
    assert named == {name for name in names if name.startswith("wheels/")}
    assert [one["name"] for one in components if not one.get("licenses")] == []
    assert {
        "manual.pdf",
        "LICENSE",
        "deploy/systemd/aquila-node.service",
        "deploy/samples/node.basic.toml",
        "deploy/prometheus/aquila-alerts.yml",
        "deploy/OPERATIONS.md",
        "deploy/SETTINGS.md",
        "requirements-pkcs11.txt",
    } <= names
    assert any(name.startswith("wheels/python_pkcs11-") for name in names)
    assert not any("deploy/bundle" in name for name in names), "it is for whoever makes a bundle"


@pytest.mark.skipif(OTHER not in MACHINES, reason=f"Debian's {CROSS_COMPILER} is not installed")
def test_each_processor_has_a_core_of_its_own(bundle: Path) -> None:
    compiled: dict[str, set[str]] = {}
    with tarfile.open(bundle) as packed:
        for member in packed:
            name = Path(member.name)
            if not name.name.startswith("aquila-") or name.suffix != ".whl":
                continue
            machine = next(one for one in MACHINES if name.stem.endswith(one))
            content = packed.extractfile(member)
            assert content is not None
            with zipfile.ZipFile(content) as wheel:
                modules = [one for one in wheel.namelist() if one.endswith(".so")]
                headers = [wheel.read(one)[:20] for one in modules]
            assert {header[:4] for header in headers} == {b"\x7fELF"}
            assert {int.from_bytes(header[18:], "little") for header in headers} == {ELF_MACHINES[machine]}
            compiled[machine] = set(modules)
    assert set(compiled) == set(MACHINES)
    # Backends of x86-64 are modules of their own.
    assert "aquila/crypto/native/_portable.abi3.so" in compiled["aarch64"]
    assert compiled["aarch64"] < compiled["x86_64"]


@pytest.mark.skipif(OTHER not in MACHINES, reason=f"Debian's {CROSS_COMPILER} is not installed")
@pytest.mark.parametrize("requirements", sorted(LOCKS))
def test_a_machine_of_the_other_processor_finds_all_that_it_needs(
    bundle: Path, tmp_path: Path, requirements: str
) -> None:
    with tarfile.open(bundle) as packed:
        packed.extractall(tmp_path, filter="data")
    [unpacked] = tmp_path.glob("aquila-*")
    for python in PYTHONS:
        found = tmp_path / python
        words = [
            sys.executable,
            "-c",
            PIP_AS_IF_THERE,
            OTHER,
            python,
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-index",
            f"--find-links={unpacked}/wheels",
            "--require-hashes",
            "--only-binary=:all:",
            *Target(python, OTHER).options,
            f"--platform=linux_{OTHER}",  # Aquila's own is for any Linux
            f"--dest={found}",
            "-r",
            str(unpacked / requirements),
        ]
        run(*words)
        wheels = {wheel.name for wheel in found.iterdir()}
        assert f"aquila-{aquila.__version__}" in {"-".join(name.split("-")[:2]) for name in wheels}
        assert not any(MACHINE in name for name in wheels)
        assert any(name.endswith(f"_{OTHER}.whl") for name in wheels if not name.startswith("aquila-"))


def test_a_machine_without_a_route_installs_and_starts_it(bundle: Path, tmp_path: Path) -> None:
    bring_signed(bundle, tmp_path)
    verify, install, _ = install_commands(tmp_path)
    commands = verify + install
    own = ["unshare", "--map-root-user", "--net", sys.executable, "-I", str(PROGRAM), str(tmp_path), commands]
    done = subprocess.run(
        own,
        check=False,
        capture_output=True,
        text=True,
        timeout=1_800,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    assert seen["outside"] == "ENETUNREACH"
    assert seen["version"].splitlines()[0] == f"aquila {aquila.__version__}"
    assert "C extension" in seen["version"]
    for kind in ("matcher", "node"):
        assert seen[kind]["live"] == 204
        assert [one for one in seen[kind]["doctor"] if one["grade"] == "critical"] == []
    assert "doctor_not_running" not in {one["code"] for kind in ("matcher", "node") for one in seen[kind]["doctor"]}
