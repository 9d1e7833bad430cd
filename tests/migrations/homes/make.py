"""Make the homes and messages of kept versions: `python -m tests.migrations.homes.make [NAME ...] [NAME=COMMIT ...]`.

A name is a tag or a commit; before a release is tagged, `0.2.0=HEAD` makes the files of `0.2.0` from this commit. Each
version is checked out in a folder of its own, with an environment of its own, and plays the rounds of `play.py` itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
MESSAGES = HERE.parent / "messages"
HOMES = ("5d77566", "a96bb4e", "0.2.0")
"""Versions whose homes are kept: two from before the releases (`README.md` says which), and every release."""

SHAPES = ("5d77566", "7d01d42", "e07fc7f", "a96bb4e", "0.2.0")
"""Versions whose signed messages are kept: every one in which a message got another form, and every release."""

_SAMPLES = """
import json, sys
from aquila.protocol.encoding import canonical
try:
    from tests.support.samples import SAMPLES
except ImportError:  # versions before the tests' support package
    from tests.samples import SAMPLES
written = {kind.payload_type: canonical(content).decode() for kind, content in SAMPLES.items()}
print(json.dumps(written, indent=1, sort_keys=True))
"""


def archive_of(version: str) -> Path:
    """Return the archive with a version's homes."""
    return HERE / f"{version}.tar.xz"


def samples_of(version: str) -> Path:
    """Return the file with a version's signed messages, by payload type."""
    return MESSAGES / f"{version}.json"


def main(names: list[str]) -> None:
    """Make the files of the named versions, or of all."""
    for name in names or sorted({*HOMES, *SHAPES}):
        version, _, commit = name.partition("=")
        with TemporaryDirectory() as folder:
            tree, homes = Path(folder) / "tree", Path(folder) / "homes"
            _run("git", "worktree", "add", "--detach", str(tree), commit or version)
            try:
                _run("make", "-C", str(tree), "setup")
                if version in SHAPES:
                    samples_of(version).write_text(_python(tree, "-c", _SAMPLES), encoding="utf-8")
                if version in HOMES:
                    _python(tree, str(HERE / "play.py"), str(homes))
                    with tarfile.open(archive_of(version), "w:xz", preset=9) as packed:
                        packed.add(homes, ".")
            finally:
                _run("git", "worktree", "remove", "--force", str(tree))


def _python(tree: Path, *words: str) -> str:
    """Run that version's Python on that version's code, and return what it printed."""
    return _run(str(tree / ".venv/bin/python"), *words, cwd=tree, env=os.environ | {"PYTHONPATH": str(tree)})


def _run(*words: str, cwd: Path = HERE, env: dict[str, str] | None = None) -> str:
    return subprocess.run(words, check=True, cwd=cwd, env=env, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main(sys.argv[1:])
