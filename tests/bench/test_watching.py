"""How figures of commands are taken."""

from __future__ import annotations

import sys

import psutil
import pytest

from aquila.errors import ExecutorError
from tests.bench.watching import memory_of, watch

MEBIBYTE = 1 << 20


def test_a_command() -> None:
    """A command's output and time come back, and the memory of the processes it started counts."""
    grown = "import time; held = b'x' * 60_000_000; time.sleep(0.5)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grown!r}]); print('done')"
    watched = watch([sys.executable, "-c", code])
    assert watched.out == "done\n"
    assert watched.seconds >= 0.5
    assert 60_000_000 < watched.peak_memory < 400 * MEBIBYTE


def test_a_command_that_fails() -> None:
    """The last line that a failed command said is the reason."""
    with pytest.raises(ExecutorError, match="failed: no luck"):
        watch([sys.executable, "-c", "import sys; sys.exit('first\\nno luck')"])
    with pytest.raises(ExecutorError, match="said nothing"):
        watch([sys.executable, "-c", "import sys; sys.exit(3)"])


def test_a_process_that_ended() -> None:
    with psutil.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert memory_of(process) == 0
