"""The demo's stage: a folder with four homes, and a real process for each service.

Every process that is started here is stopped here, whatever happens in between.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TextIO

from aquila.errors import InputError
from clients.sdk import Access, Connection, Home, find_home
from services.kit.errors import PeerUnavailableError

MARKER = "aquila-demo"
"""The file by which a folder of a stage is known, and locked while its processes run."""

_START_SECONDS = 120.0  # imports alone take long on a machine that is busy
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.05
_AGAIN_SECONDS = 2.0
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
_LOG = "service.log"
_READY = "ready.log"
_SHOWN_LINES = 12


@dataclass(slots=True)
class Process:
    """A service on the stage."""

    name: str
    """Who it is: a party's code, or `matcher`."""
    home: Home
    """Its home; its own output is in there too, so that a search of the home finds what it said."""
    popen: subprocess.Popen[bytes]
    url: str = ""

    @property
    def pid(self) -> int:
        """The process id."""
        return self.popen.pid

    def connect(self) -> Connection:
        """Open a connection with the key of the home."""
        return Connection(self.home.access(self.url))

    def anonymous(self) -> Access:
        """Return the access of somebody who has not signed in yet."""
        return Access(self.home.service, self.url, "")

    @property
    def log(self) -> Path:
        return self.home.path / _LOG

    def last_lines(self) -> list[str]:
        with contextlib.suppress(OSError):
            return self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_SHOWN_LINES:]
        return []

    def has_ended(self) -> bool:
        return self.popen.poll() is not None

    def wait_until_ready(self) -> None:
        """Wait for the line with which the service reports that it accepts calls.

        Raises:
            PeerUnavailableError: It ended, or did not say so in time.
        """
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and not self.has_ended():
            url = _ready_url(self.home.path / _READY)
            if url:
                self.url = url
                return
            time.sleep(_POLL_SECONDS)
        raise PeerUnavailableError("process_not_started", process=self.name, path=self.home.path / _LOG)


@dataclass(slots=True)
class DemoProcesses:
    """A folder of homes and the processes that run from it."""

    folder: Path
    processes: list[Process] = field(default_factory=list)
    temporary: Path | None = None
    """The folder for temporary files of the processes, instead of the system's."""

    def start(self, names: Sequence[tuple[str, Path]]) -> list[Process]:
        """Start services by name and home, and wait until all are ready.

        Raises:
            PeerUnavailableError: One did not start.
        """
        started = [_start(name, find_home(path), self.temporary) for name, path in names]
        self.processes += started
        for process in started:
            process.wait_until_ready()
        return started

    def ended(self) -> list[Process]:
        return [process for process in self.processes if process.has_ended()]

    def stop(self) -> None:
        """Stop every process, the gentle way first; a second Ctrl-C does not leave any behind."""
        for number in _STOPS:
            signal.signal(number, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for process in self.processes:
            if not process.has_ended():
                process.popen.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for process in self.processes:
            try:
                process.popen.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.popen.kill()
                process.popen.wait()


def _insist(_number: int, _frame: FrameType | None) -> None:
    """Interrupt, and again until the stage is stopped: Python drops what is raised in a destructor or a callback."""
    signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
    raise KeyboardInterrupt


@contextmanager
def staged(folder: Path) -> Iterator[DemoProcesses]:
    """Give a fresh stage for the block, in place of what an earlier demo left in the folder.

    Ctrl-C and a supervisor's stop end the block alike.

    Raises:
        InputError: The folder holds something else, or another demo is running there.
    """
    with _claimed(folder):
        stage = DemoProcesses(folder)
        before = [(number, signal.signal(number, _insist)) for number in _STOPS]
        try:
            yield stage
        finally:
            stage.stop()
            for number, handler in before:
                signal.signal(number, handler)


def free_ports(count: int) -> list[int]:
    """Return free ports of loopback; settings name them, so that a service comes back at the same place."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def _claimed(folder: Path) -> Iterator[TextIO]:
    """Empty a demo's folder and keep other demos out of it for the block."""
    marker = folder / MARKER
    if folder.exists() and not marker.exists() and any(folder.iterdir()):
        raise InputError("folder_holds_no_demo", folder=folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with marker.open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError("another_demo_running", folder=folder) from None
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path != marker:
                path.unlink()
        yield lock


def _start(name: str, home: Home, temporary: Path | None) -> Process:
    """Start a service; its words go into its home."""
    command = [sys.executable, "-m", "clients.cli.main", home.service, "serve", "--home", str(home.path)]
    with (home.path / _LOG).open("ab") as log, (home.path / _READY).open("wb") as ready:
        environment = os.environ | ({"TMPDIR": str(temporary)} if temporary else {})
        # The process stays in our group, so that a closed terminal ends it with us.
        popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=ready, stderr=log, env=environment)
    return Process(name, home, popen)


def _ready_url(path: Path) -> str:
    """Return the URL of the line that a ready service writes, or nothing."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
        if line.endswith("\n") and line.startswith("{"):
            content = json.loads(line)
            if content.get("event") == "ready":
                return str(content["url"])
    return ""
