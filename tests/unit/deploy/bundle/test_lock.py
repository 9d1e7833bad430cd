"""The pinned requirements are read whole, and each machine gets those that it needs."""

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from deploy.bundle.main import LOCKS
from deploy.bundle.wheels import Pin, Target, limited, pins

REQUIREMENTS = Path(__file__).parents[4] / "requirements"
SMALL = """alpha[binary]==1.0 ; python_full_version < '3.12' \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via -r some.in
beta==2.0 \\
    --hash=sha256:cc
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    file = tmp_path / "small.txt"
    file.write_text(SMALL)
    return file


def test_a_file_is_read_and_written(small: Path) -> None:
    first, second = pins(small)
    assert (first.requirement.name, first.requirement.extras) == ("alpha", {"binary"})
    assert first.hashes == {"sha256:aa", "sha256:bb"}
    written = ['alpha[binary]==1.0; python_full_version < "3.12" \\', "    --hash=sha256:aa \\", "    --hash=sha256:bb"]
    assert first.line().splitlines() == written
    assert first.line(marker=False).startswith("alpha[binary]==1.0 \\\n")
    small.write_text(first.line() + second.line())
    assert list(pins(small)) == [first, second]


@pytest.mark.parametrize("name", LOCKS.values())
def test_every_requirement_of_the_project_has_hashes(name: str) -> None:
    read = list(pins(REQUIREMENTS / name))
    lines = [line for line in (REQUIREMENTS / name).read_text("utf-8").splitlines() if line[0].isalpha()]
    assert len(read) == len(lines)
    assert all(pin.hashes for pin in read)


def test_a_package_has_one_version_in_all_files() -> None:
    found: dict[str, set[frozenset[str]]] = {}
    for file in LOCKS.values():
        read = list(pins(REQUIREMENTS / file))
        for name in {pin.requirement.name for pin in read}:
            found.setdefault(name, set()).add(frozenset(pin.line() for pin in read if pin.requirement.name == name))
    assert [name for name, lines in found.items() if len(lines) > 1] == []
    assert {"python-pkcs11", "distributed", "cryptography"} <= found.keys()


def test_what_applies_is_evaluated_for_the_target(small: Path) -> None:
    """Not for the machine that builds: one version of NumPy is for 3.11, another for later ones."""
    assert [Target(python, "x86_64").needs(next(pins(small)).requirement) for python in ("3.11", "3.13")] == [
        True,
        False,
    ]
    for python, older in (("3.11", True), ("3.13", False)):
        target = Target(python, "aarch64")
        [numpy] = [
            pin
            for pin in pins(REQUIREMENTS / "runtime.txt")
            if pin.requirement.name == "numpy" and target.needs(pin.requirement)
        ]
        assert ("<" in str(numpy.requirement.marker)) is older
    assert not Target("3.13", "x86_64").needs(Requirement("colorama; sys_platform == 'win32'"))
    assert Target("3.13", "aarch64").needs(Requirement("a; platform_machine == 'aarch64' and extra == 'b'"), "b")


def test_only_files_that_are_present_may_be_installed(small: Path) -> None:
    [first] = limited(pins(small), frozenset({"sha256:bb", "sha256:dd"}))
    assert first == Pin(first.requirement, frozenset({"sha256:bb"}))
