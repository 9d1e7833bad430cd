"""The `aquila` command without the time to load it: services are forked from a process that has loaded the program.

To load it is nearly all of the processor time of a start, and writes nothing. Who kills and starts a service a
thousand times need not wait for it.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO

from tests.support import process_world
from tests.support.process_world import WAIT_SECONDS, Conversation, Program

_Stream = Connection | Path
_ONE_AT_A_TIME = threading.Lock()
_LOADED_WITH: list[Mapping[str, str]] = []  # of the environment, once the program is loaded


@dataclass(frozen=True)
class LoadedProgram(Program):
    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        typed: str,
        seconds: float = WAIT_SECONDS,
        folder: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command and return its exit status and what it printed; as `Program.run` does."""
        with tempfile.TemporaryDirectory() as own:
            read, printed, errors = (Path(own) / name for name in ("in", "out", "err"))
            read.write_text(typed, encoding="utf-8")
            printed.touch()
            with printed.open("rb") as stdout:
                forked = self._fork(arguments, environment, read, printed, errors, folder)
                process = LoadedProcess(forked, stdout)
                try:
                    status = process.wait(seconds)
                finally:
                    process.kill()
                return subprocess.CompletedProcess(arguments, status, stdout.read().decode(), errors.read_text("utf-8"))

    def open(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Conversation:
        """Start a command that asks a person; as `Program.open` does."""
        (read, typed), (said, errors) = (multiprocessing.Pipe(duplex=False) for _ in range(2))
        with read, typed, said, errors:
            process = self._fork(arguments, environment, read, Path(os.devnull), errors)
            to, back = os.fdopen(os.dup(typed.fileno()), "w"), os.fdopen(os.dup(said.fileno()))
            return Conversation(LoadedProcess(process, None), to, back)

    def start(self, arguments: Sequence[str], log: Path) -> "LoadedProcess":
        """Start a command that runs until it is ended; as `Program.start` does."""
        reader, writer = multiprocessing.Pipe(duplex=False)
        with reader, writer:
            process = self._fork(arguments, {}, Path(os.devnull), writer, log)
            return LoadedProcess(process, os.fdopen(os.dup(reader.fileno()), "rb"))

    def _fork(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        read: _Stream,
        printed: _Stream,
        errors: _Stream,
        folder: Path | None = None,
    ) -> BaseProcess:
        load({})
        environment = {**os.environ, **_LOADED_WITH[0], **self.environment, **environment}
        process = multiprocessing.get_context("forkserver").Process(
            target=_run, args=(arguments, environment, read, printed, errors, folder)
        )
        with _ONE_AT_A_TIME:
            process.start()
        return process


class LoadedProcess:
    """A forked process, used as one of `subprocess` is."""

    def __init__(self, process: BaseProcess, stdout: IO[bytes] | None) -> None:
        assert process.pid is not None
        self._process = process
        self.pid = process.pid
        self.stdout = stdout

    def send_signal(self, number: int, /) -> None:
        """Send a signal, unless the process has ended."""
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def poll(self) -> int | None:
        """Return its exit status, or None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return its exit status."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("aquila", timeout or 0.0)
        return self._process.exitcode


def load(environment: Mapping[str, str]) -> bool:
    """Load the program with more of an environment, which all have that are forked; return whether it has that.

    It is loaded once in the life of the caller, and later calls change nothing.
    """
    with _ONE_AT_A_TIME:
        if not _LOADED_WITH:
            before = dict(os.environ)
            os.environ.update(environment)
            try:
                multiprocessing.get_context("forkserver").set_forkserver_preload(["tests.support.loaded_modules"])
                forkserver.ensure_running()
            finally:
                os.environ.clear()
                os.environ.update(before)
            _LOADED_WITH.append(environment)
        return _LOADED_WITH[0] == environment


def _run(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    read: _Stream,
    printed: _Stream,
    errors: _Stream,
    folder: Path | None,
) -> None:
    """Run the command in the forked process."""
    from clients.cli.main import main

    os.environ.clear()
    os.environ.update(environment)
    if folder is not None:
        os.chdir(folder)
    for number, stream, mode in ((0, read, "rb"), (1, printed, "ab"), (2, errors, "ab")):
        with stream.open(mode) if isinstance(stream, Path) else stream as opened:
            os.dup2(opened.fileno(), number)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    raise SystemExit(main(arguments))


LOADED = LoadedProgram()
"""For all tests that are not about the installed command itself."""

run = partial(process_world.run, program=LOADED)
