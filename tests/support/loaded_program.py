"""The `aquila` command without the time to load it: services are forked from a process that has loaded the program.

To load it is nearly all of the processor time of a start, and writes nothing. Who kills and starts a service a
thousand times need not wait for it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tests.support.process_world import WAIT_SECONDS, Program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class LoadedProgram(Program):
    """The command of the code that is tested, forked each time."""

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], typed: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command and return its exit status and what it printed; as `Program.run` does."""
        with tempfile.TemporaryDirectory() as folder:
            read, printed, errors = (Path(folder) / name for name in ("in", "out", "err"))
            read.write_text(typed, encoding="utf-8")
            printed.touch()
            with printed.open("rb") as stdout:
                process = LoadedProcess(_fork(_run, arguments, environment, read, printed, errors), stdout)
                try:
                    status = process.wait(WAIT_SECONDS)
                finally:
                    process.kill()
                return subprocess.CompletedProcess(arguments, status, stdout.read().decode(), errors.read_text("utf-8"))

    def start(self, arguments: Sequence[str], log: Path) -> LoadedProcess:
        """Start a command that runs until it is ended; as `Program.start` does."""
        reader, writer = multiprocessing.Pipe(duplex=False)
        with reader, writer:
            process = _fork(_run, arguments, {}, Path(os.devnull), writer, log)
            return LoadedProcess(process, os.fdopen(os.dup(reader.fileno()), "rb"))


class LoadedProcess:
    """A forked process, used as one of `subprocess` is.

    Attributes:
        pid: Its number.
        stdout: What it writes there.
    """

    def __init__(self, process: BaseProcess, stdout: IO[bytes]) -> None:
        assert process.pid is not None
        self._process = process
        self.pid = process.pid
        self.stdout: IO[bytes] | None = stdout

    def send_signal(self, number: int, /) -> None:
        """Send a signal, unless the process has ended."""
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def poll(self) -> int | None:
        """Return its exit status, or None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return its exit status.

        Raises:
            TimeoutExpired: It still runs.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("aquila", timeout or 0.0)
        return self._process.exitcode


def _fork(target: Callable[..., None], *arguments: object) -> BaseProcess:
    """Fork a process that calls a function."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.loaded_modules"])
    process = context.Process(target=target, args=arguments)
    with _ONE_AT_A_TIME:
        process.start()
    return process


def _run(
    arguments: Sequence[str], environment: Mapping[str, str], read: Path, printed: Connection | Path, errors: Path
) -> None:
    """Run the command in the forked process.

    Args:
        arguments: The words after `aquila`.
        environment: What it needs besides.
        read: What it reads.
        printed: Where its output goes: a pipe, or added to a file.
        errors: What it writes on stderr is added to this file.
    """
    from clients.cli.main import main  # noqa: PLC0415 - the program of the tests need not load it

    os.environ.update(environment)
    sys.stdin = read.open(encoding="utf-8")
    for number, to in ((1, printed), (2, errors)):
        with _opened(to) as stream:
            os.dup2(stream.fileno(), number)
    raise SystemExit(main(arguments))


def _opened(to: Connection | Path) -> Connection | IO[bytes]:
    return to.open("ab") if isinstance(to, Path) else to
