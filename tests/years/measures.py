"""The cost of services that keep many rounds: of their start, and while nothing happens to them.

Seconds of processor are those of a service's process and its children.
"""

from __future__ import annotations

import contextlib
import re
import time
from typing import TYPE_CHECKING

import psutil

from services.kit.settings import load
from services.matcher.settings import MatcherSettings
from services.node.settings import NodeSettings
from tests.support.process_world import Service, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CODES = ("AL", "RS", "SI")
_REST_SECONDS = 3
_AT_REST = 0.05  # of a core
_LONGEST_SECONDS = 180


def measure_start(folder: Path) -> None:
    """Report of each service when it is ready, what it has cost by then, and what until it comes to rest."""
    with _homes(folder) as services:
        for one in services:
            began = time.monotonic()
            one.start()
            ready, spent = time.monotonic() - began, _spent(one)
            rest = _spent_until_rest(one)
            _tell(f"{one.name}: ready in {ready:.1f} s, {spent:.1f} s of processor; at rest after {rest:.1f} s of it")


def measure_idle(folder: Path, settle: int, seconds: int) -> None:
    """Report the share of a core and the memory of each service while nothing happens.

    Args:
        folder: Where the homes are.
        settle: Seconds to wait after the start.
        seconds: Seconds to watch.
    """
    with _homes(folder) as services:
        for one in services:
            one.start()
        time.sleep(settle)
        before = {one.name: _spent(one) for one in services}
        time.sleep(seconds)
        for one in services:
            share = 100 * (_spent(one) - before[one.name]) / seconds
            memory = sum(process.memory_full_info().pss for process in _processes(one)) / 2**20
            _tell(f"{one.name}: {share:.2f} % of a core over {seconds} s, {memory:.0f} MiB")


@contextlib.contextmanager
def _homes(folder: Path) -> Iterator[list[Service]]:
    """Lend the services of these homes, with new ports; at the end those that run are stopped."""
    port = free_port()
    for name in ("matcher", *_CODES):
        for file in (folder / name).glob("*.toml"):
            text = re.sub(r"http://127\.0\.0\.1:\d+", f"http://127.0.0.1:{port}", file.read_text())
            own = port if name == "matcher" else free_port()
            file.write_text(re.sub(r"(?m)^port = \d+$", f"port = {own}", text))
    services = [_service(folder, name) for name in ("matcher", *_CODES)]
    try:
        yield services
    finally:
        for one in services:
            if one.process is not None:
                one.stop()


def _service(folder: Path, name: str) -> Service:
    kind = "matcher" if name == "matcher" else "node"
    form: type[MatcherSettings | NodeSettings] = MatcherSettings if name == "matcher" else NodeSettings
    port = load(folder / name / f"{kind}.toml", form).listen.port
    return Service(name, kind, folder / name, port)


def _processes(service: Service) -> list[psutil.Process]:
    assert service.process is not None
    own = psutil.Process(service.process.pid)
    return [own, *own.children(recursive=True)]


def _spent(service: Service) -> float:
    """Return the seconds of processor that a service has cost since its start."""
    return sum(times.user + times.system for times in (one.cpu_times() for one in _processes(service)))


def _spent_until_rest(service: Service) -> float:
    """Wait until a service has next to nothing to do, and return the seconds of processor that it has cost by then."""
    ends, before = time.monotonic() + _LONGEST_SECONDS, _spent(service)
    while time.monotonic() < ends:
        time.sleep(_REST_SECONDS)
        now = _spent(service)
        if now - before < _AT_REST * _REST_SECONDS:
            return before
        before = now
    return before


def _tell(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the report
