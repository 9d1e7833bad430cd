"""The demo as a whole: real processes on loopback, from invented lists to destroyed keys."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e
COMMAND = [sys.executable, "-m", "clients.cli.main", "demo", "--size", "200"]


def _left(folder: Path) -> list[int]:
    """Return the processes that still name the folder."""
    return [
        found.pid for found in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(found.info["cmdline"] or [])
    ]


def test_demo(tmp_path: Path) -> None:
    """Known overlaps are found, the matcher holds no name, keys and chunks are gone, no process is left."""
    command = [*COMMAND, "--folder", str(tmp_path / "demo"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["pairs"]["known"] == 11
    assert document["pairs"]["found"] >= 9
    assert document["canaries"]["planted"] == document["canaries"]["met"] > 12
    assert document["search"]["found_in"] == document["samples_still_found"] == 0
    assert document["search"]["bytes"] > 100_000
    assert document["notes"]["confirmed"] >= document["pairs"]["found"]
    assert document["notes"]["raised"] > 0
    assert (document["log"]["rounds"], document["log"]["witnesses"]) == (1, 3)
    assert {(left["keys"], left["chunks"]) for left in document["left"].values()} == {(0, 0)}
    assert _left(tmp_path) == []


def test_interrupted(tmp_path: Path) -> None:
    """Ctrl-C stops every process that was started."""
    with _until(tmp_path, "3. ") as process:
        assert len(_left(tmp_path)) == 5
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    # Where the signal strikes while Python executes source text (a class that a library writes), Python ends by the
    # signal itself after everything was stopped and said; a shell shows 130 for both.
    assert process.returncode in {130, -signal.SIGINT}
    assert "aquila: error: interrupted" in said
    assert _left(tmp_path) == []


def test_killed_node(tmp_path: Path) -> None:
    """A process that ends by itself ends the demo, with its last log lines, and nothing is left running."""
    with _until(tmp_path, "4. ") as process:
        victim = next(pid for pid in _left(tmp_path) if "node" in psutil.Process(pid).cmdline())
        os.kill(victim, signal.SIGKILL)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "aquila: error: " in said
    assert '"logger":"aquila.' in said
    assert "Traceback" not in said
    assert _left(tmp_path) == []


def _until(folder: Path, start: str) -> subprocess.Popen[str]:
    """Start a demo and return it when it begins a step."""
    command = [*COMMAND, "--folder", str(folder / "demo")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(start):
            break
    return process
