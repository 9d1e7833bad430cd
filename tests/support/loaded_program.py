"""The `aquila` command without the time to load it: services are forked from a process that has loaded the program.

To load it is more than half of the processor time of a start, and writes nothing. Who kills and starts a service a
thousand times need not wait for it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import threading
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from tests.support.process_world import Program

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess
    from pathlib import Path

_MODULES = (
    "clients.cli.main",
    "clients.cli.services.web",
    "clients.web.text.notifications",
    "services.matcher.main",
    "services.node.main",
    "tests.support.loaded_program",
)
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class LoadedProgram(Program):
    """The command of the code that is tested. What runs until it is ended is forked; other commands are not."""

    def start(self, arguments: Sequence[str], log: Path) -> LoadedProcess:
        """Start a command that runs until it is ended; as `Program.start` does."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(_MODULES))
        reader, writer = context.Pipe(duplex=False)
        with reader, writer, _ONE_AT_A_TIME:
            process = context.Process(target=_run, args=(tuple(arguments), str(log), writer))
            process.start()
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


def _run(arguments: Sequence[str], log: str, stdout: Connection) -> None:
    """Run the command in the forked process."""
    from clients.cli.main import main  # noqa: PLC0415 - the program of the tests need not load it

    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(stdout.fileno(), 1)
    os.dup2(written, 2)
    os.close(written)
    stdout.close()
    raise SystemExit(main(arguments))
