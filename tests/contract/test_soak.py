"""`make soak` brings what its tests need, and what it cannot run makes it red."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
PASSES = "def test_passes():\n    pass\n"
SKIPS = "import pytest\n\n@pytest.mark.skip(reason='there is no moon')\ndef test_of_the_moon():\n    pass\n"
FAILS = "def test_fails():\n    assert False\n"


def run(folder: Path, content: str, *, plugin: bool = True) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(content)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), "-c", os.devnull]
    more = ["-p", "tests.support.nothing_skipped"] if plugin else []
    return subprocess.run(
        [*words, *more, str(folder / "test_it.py")],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )


def test_what_is_skipped_is_listed_and_makes_the_run_red(tmp_path: Path) -> None:
    """After all other tests, with its reason; without the plugin the run is green."""
    done = run(tmp_path, PASSES + SKIPS)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert re.search(r"=+ not run =+\n\S*test_it\.py\S*: there is no moon\n", done.stdout), done.stdout
    assert "1 passed, 1 skipped" in done.stdout
    assert run(tmp_path, PASSES + SKIPS, plugin=False).returncode == pytest.ExitCode.OK


@pytest.mark.parametrize(
    ("content", "status"), [(PASSES, pytest.ExitCode.OK), (FAILS + SKIPS, pytest.ExitCode.TESTS_FAILED), ("", 5)]
)
def test_other_runs_end_as_they_do(tmp_path: Path, content: str, status: int) -> None:
    """Green without a test that is skipped, red as before, and not green where there is no test."""
    assert run(tmp_path, content).returncode == status


def test_each_program_that_a_slow_test_is_skipped_without_is_brought() -> None:
    """Debian's packages that reasons of skipped slow tests name are those that `make soak` installs."""
    [packages] = re.findall(r"^SOAK_PACKAGES := ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)
    brought = set(packages.replace("\\\n", " ").split())
    slow = [file for file in (ROOT / "tests").rglob("test_*.py") if "mark.soak" in file.read_text("utf-8")]
    slow += [ROOT / "tests/support" / name for name in ("bundles.py", "container.py")]
    text = "".join(file.read_text("utf-8") for file in slow if file != Path(__file__))
    named = set(re.findall(r"Debian's ([a-z0-9.+-]+) is not", text))
    [engine] = re.findall(r"^NEEDED = \((.*)\)$", text, re.MULTILINE)
    named |= set(re.findall(r'"([a-z-]+)"', engine))
    [bundle] = re.findall(r"in \{\n((?:.*\n)*?) *\}\.items\(\)", text)
    named |= set(re.findall(r'": "([a-z0-9-]+)"', bundle))
    assert {"buildah", "podman", "runc", "mmdebstrap", "openssh-client", "systemd-container"} <= named
    assert named <= brought
    recipe = MAKEFILE.partition("\nsoak:")[2].partition("\n\n")[0]
    assert "$(SOAK_PACKAGES)" in recipe
    assert "-m soak -p tests.support.nothing_skipped" in recipe
