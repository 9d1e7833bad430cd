"""The cost of services that keep many rounds: of their start, of their pages, and while nothing happens to them.

Seconds of processor are those of a service's process and its children. They depend less on what else the machine does
than the time until an answer.
"""

from __future__ import annotations

import contextlib
import re
import statistics
import time
from typing import TYPE_CHECKING

import httpx
import psutil

from services.kit.settings import load
from services.matcher.context import open_context
from services.matcher.settings import MatcherSettings
from services.node.main import assemble
from services.node.settings import NodeSettings
from tests.support.people import two_persons
from tests.support.process_world import Service, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CODES = ("AL", "RS", "SI")
_LOOKS = 9
_PAGES = {
    "matcher": ("/", "/rounds", "/statistics", "/picture", "/approvals", "/log"),
    "node": ("/", "/rounds", "/hits", "/queries", "/approvals", "/log"),
}
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


def measure_pages(folder: Path) -> None:
    """Report what pages of the matcher and of one node cost."""
    with _homes(folder) as services:
        looked_at = services[:2]
        tokens = {one.name: _token(one) for one in looked_at}
        for one in services:
            one.start()
        for one in services:
            _spent_until_rest(one)
        for one in looked_at:
            for path, first, processor, seconds in _pages(one, tokens[one.name]):
                costs = f"{1_000 * processor:.0f} ms of processor, {1_000 * seconds:.0f} ms until the answer"
                _tell(f"{one.name}: {path} in {costs}; {1_000 * first:.0f} ms for the first time")


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


def _token(service: Service) -> str:
    """Return the token of a session of a person who has every role."""
    if service.kind == "matcher":
        context = open_context(load(service.home / "matcher.toml", MatcherSettings))
    else:
        context = assemble(load(service.home / "node.toml", NodeSettings))  # type: ignore[assignment]  # both have people
    try:
        return two_persons(context.people)[0]
    finally:
        context.close()


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


def _pages(service: Service, token: str) -> Iterator[tuple[str, float, float, float]]:
    """Yield the paths of pages, the time of the first answer, and of others processor time and time; in seconds."""
    with httpx.Client(base_url=service.url, timeout=300) as client:
        client.get("/sign-in")
        form = next(name for name in client.cookies if name.startswith("aquila-form-"))
        client.cookies.set(form.replace("-form-", "-session-"), token)
        found = [one["round_id"] for one in service.call(token, "GET", _ROUNDS[service.kind])["rounds"]]
        for path in (*_PAGES[service.kind], f"/rounds/{found[0]}", f"/rounds/{found[-1]}"):
            first, before, taken = _look(client, path), _spent(service), []
            taken = [_look(client, path) for _ in range(_LOOKS)]
            processor = (_spent(service) - before) / _LOOKS
            yield re.sub(r"[0-9a-f]{32}", "...", path), first, processor, statistics.median(taken)


_ROUNDS = {"matcher": "/v1/operator/rounds", "node": "/v1/rounds"}


def _look(client: httpx.Client, path: str) -> float:
    began = time.monotonic()
    answer = client.get(path)
    assert answer.status_code == httpx.codes.OK, f"{path}: {answer.status_code} {answer.text[:500]}"
    return time.monotonic() - began


def _tell(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the report
