"""The code of the last release, out of the history of this repository, to run its services among those of today.

It runs with the packages of today's environment and needs no network. It is not stored here a second time: whoever
clones the repository has it, and only a copy without that history has not (RELEASING.md, *After a release*).
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from tests.support.process_world import Program

RELEASE = "0.2.0"
COMMIT = "61b727ee76614b06ea25939a81f6c65b3ba7952b"
"""The commit that was released under that number; after a release both are set anew."""
FIRST_COMMIT = "1a35fdf51d0d0b46ce6a78aa6528ba9c3cd0ed80"
"""The beginning of the history: a clone that has it has the release as well."""
_CHECKOUT = Path(__file__).parents[2]
_START = "import sys; from clients.cli.main import main; sys.argv[0] = 'aquila'; main()"


def last_release(folder: Path) -> Program:
    """Unpack the last release, and return its command.

    A shallow clone, or a copy without history, is skipped with the reason: it cannot have that code.

    Raises:
        AssertionError: The history is whole, and has no such commit, or another release in it.
    """
    packed = _git("archive", COMMIT)
    if packed.returncode:
        roots = _git("rev-list", "--max-parents=0", "HEAD").stdout.decode().split()
        assert FIRST_COMMIT not in roots, (
            f"no commit {COMMIT} in the whole history: release {RELEASE} is pinned wrongly"
        )
        pytest.skip(f"the history here does not go back to release {RELEASE}: `git fetch --unshallow` brings it")
    tree = folder / RELEASE
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as files:
        files.extractall(tree, filter="data")
    assert f'"{RELEASE}"' in (tree / "aquila/__init__.py").read_text("utf-8"), "the commit is of another release"
    # Its folder comes before the packages of the environment, where today's code is installed: so not `-I`.
    return Program((sys.executable, "-c", _START), {"PYTHONPATH": str(tree), "PYTHONSAFEPATH": "1"})


def _git(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *words], capture_output=True, check=False, cwd=_CHECKOUT)  # noqa: S607 - the machine's
