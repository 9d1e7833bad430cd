"""Reports to a supervisor: ready, alive while there is progress, stopping; and nothing without a supervisor."""

import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from services.kit.serving.server import Supervisor


@pytest.fixture(params=["path", "abstract"])
def listener(request: pytest.FixtureRequest) -> Iterator[tuple[str, socket.socket]]:
    folder = Path(mkdtemp(prefix="aqsup-"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.settimeout(0)
        name = str(folder / "notify") if request.param == "path" else f"@aquila-{secrets.token_hex(8)}"
        bound.bind(name.replace("@", "\0") if name.startswith("@") else name)
        yield name, bound
    shutil.rmtree(folder)


def heard(bound: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(bound.recv(100).decode())
        except BlockingIOError:
            return found


def test_a_service_reports(listener: tuple[str, socket.socket]) -> None:
    """It says that it is ready, that it lives whenever a third of the watchdog's time is over, and that it ends."""
    address, bound = listener
    supervisor = Supervisor(address, watchdog_seconds=1e-6)
    supervisor.ready()
    supervisor.feed(lambda: None)
    supervisor.stopping()
    assert heard(bound) == ["READY=1", "WATCHDOG=1", "STOPPING=1"]
    often = Supervisor(address, watchdog_seconds=1e9)
    often.ready()
    often.feed(lambda: None)
    assert heard(bound) == ["READY=1"]


def test_a_service_without_progress_is_not_reported_alive(listener: tuple[str, socket.socket]) -> None:
    address, bound = listener

    def refuse() -> None:
        raise ValueError

    Supervisor(address, watchdog_seconds=1e-6).feed(refuse)
    Supervisor(address).feed(refuse)  # without a watchdog nobody asks
    assert heard(bound) == []


def test_the_environment_names_it_once() -> None:
    """Its names are taken out, so that workers do not report for the service; a watchdog may be another process's."""
    own = os.getpid()
    environment = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(own), "HOME": "/"}
    found = Supervisor.of_process(environment, own)
    assert (found.address, found.watchdog_seconds) == ("/run/x", 30.0)
    assert environment == {"HOME": "/"}
    others = {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(own + 1)}
    assert Supervisor.of_process(others, own).watchdog_seconds == 0
    assert Supervisor.of_process({"WATCHDOG_USEC": "soon"}, own).watchdog_seconds == 0


def test_a_supervisor_that_is_gone_ends_nothing() -> None:
    Supervisor("/nowhere/at/all").ready()
    Supervisor().ready()
