"""Strangers attack real processes while a round of three parties runs: its hits are the same, and everyone is served.

All attacks at once, or under `make attack` also each by itself. They know nothing but the addresses, stay on loopback,
and are bounded in their number and by the end of the round.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest
from world import World, paired_hits, rehearsed_hits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from world import Service

pytestmark = pytest.mark.e2e

SLOWEST = 1.0  # seconds that `/health` may take
LOOK_SECONDS = 0.1
TIMEOUT = 20.0
HALF_HEADS, SLOW_BODIES, AT_ONCE, TURNS = 300, 60, 60, 20
JSON = {"content-type": "application/json"}
LARGE = b'{"login": "' + b"a" * (8 << 20) + b'"}'
FORM = b'--x\r\ncontent-disposition: form-data; name="file"; filename="l.csv"\r\n\r\n'
MOST_PIECES = 1_024
PIECE = b"x" * (1 << 16)


def ask(service: Service, method: str, path: str, **options: object) -> int:
    """Make a call and return its status; 0 where the service broke it off."""
    try:
        return httpx.request(method, service.url + path, timeout=TIMEOUT, **options).status_code  # type: ignore[arg-type]
    except httpx.TransportError:
        return 0


def at_once(work: Callable[[], object]) -> None:
    """Do something many times at once."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(work) for _ in range(AT_ONCE)]:
            done.result()


def watch_rounds(service: Service) -> None:
    """Watch a round with a cookie that opens nothing."""
    cookie = {"cookie": f"aquila-session-{service.port}=x"}
    at_once(lambda: ask(service, "GET", "/rounds/x/live", headers=cookie))


def send_large_bodies(service: Service) -> None:
    """Send what is long to read and long to answer."""
    for path in ("/v1/people/sign-in", "/v1/people/accounts", "/v1/records/search", "/v1/operator/rounds"):
        ask(service, "POST", path, content=LARGE, headers=JSON)
    ask(service, "POST", "/v1/people/sign-in", json={f"a{number}": 1 for number in range(1_000)})


def send_lists(service: Service) -> None:
    """Send a list without an end."""

    def endless() -> Iterator[bytes]:
        yield FORM
        for _ in range(MOST_PIECES):
            yield PIECE

    cookie = {"cookie": f"aquila-session-{service.port}=x", "sec-fetch-site": "same-origin"}
    headers = cookie | {"content-type": "multipart/form-data; boundary=x"}
    ask(service, "POST", "/records/preview", content=endless(), headers=headers)


def sign_in(service: Service) -> None:
    """Sign in many times at once, and begin at the provider that there may be."""
    shown = {"login": "first", "password": "a password of nobody", "code": "000000"}
    at_once(lambda: ask(service, "POST", "/v1/people/sign-in", json=shown | {"login": "nobody"}))
    at_once(lambda: ask(service, "POST", "/v1/people/provider/start"))


def hold_connections(service: Service, number: int, sent: bytes, more: bytes) -> None:
    """Open connections, send the beginning of a call on each, and then a little more of it."""
    with contextlib.ExitStack() as held:
        opened = []
        for _ in range(number):
            with contextlib.suppress(OSError):
                opened.append(held.enter_context(socket.create_connection(("127.0.0.1", service.port), TIMEOUT)))
                opened[-1].sendall(sent)
        for _ in range(5):
            for one in opened:
                with contextlib.suppress(OSError):
                    one.sendall(more)
            time.sleep(0.2)


def send_half_heads(service: Service) -> None:
    """Hold connections with half a head."""
    hold_connections(service, HALF_HEADS, b"GET / HTTP/1.1\r\nhost: localhost\r\n", b"x: y\r\n")


def send_half_bodies(service: Service) -> None:
    """Hold connections with a body that comes byte by byte."""
    head = b"POST /v1/people/sign-in HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9999\r\n\r\n"
    hold_connections(service, SLOW_BODIES, head, b"x")


def use_other_names(service: Service) -> None:
    """Call the service by a name of another site."""
    for path in ("/", "/health", "/rounds/", "/v1/people/ways/"):
        assert ask(service, "GET", path, headers={"host": "evil.example"}) in {0, 421}


ATTACKS: dict[str, Callable[[Service], None]] = {
    attack.__name__: attack
    for attack in (
        watch_rounds, send_large_bodies, send_lists, sign_in, send_half_heads, send_half_bodies, use_other_names
    )
}  # fmt: skip
WAVES = [*([name] for name in ATTACKS if os.environ.get("AQUILA_ATTACK")), list(ATTACKS)]


class Watch:
    """Looks at the health of services all the time, each look on a connection of its own."""

    def __init__(self, services: list[Service], over: threading.Event) -> None:
        self.services, self.over = services, over
        self.looks: dict[str, list[float]] = {service.name: [] for service in services}

    def run(self, service: Service) -> None:
        """Look until it is over; a look that gets no answer ends the test."""
        while not self.over.wait(LOOK_SECONDS):
            began = time.monotonic()
            assert ask(service, "GET", "/health") == 204, f"{service.name} is not well"
            self.looks[service.name].append(time.monotonic() - began)


@contextlib.contextmanager
def attacked(world: World, names: list[str]) -> Iterator[Watch]:
    """Attack the matcher and a node, and look at the health of all."""
    over = threading.Event()
    watch = Watch(list(world.services.values()), over)
    targets = [world.matcher, world.nodes[0]]

    def attack(name: str, service: Service) -> None:
        for _ in range(TURNS):
            if not over.is_set():
                ATTACKS[name](service)

    with ThreadPoolExecutor(len(names) * len(targets) + len(watch.services)) as pool:
        running = [pool.submit(watch.run, service) for service in watch.services]
        running += [pool.submit(attack, name, service) for name in names for service in targets]
        try:
            yield watch
        finally:
            over.set()
            for one in running:
                one.result()


def play(world: World, files: dict[str, Path]) -> str:
    """Play a round up to the hits and return its id."""
    round_id = world.propose()
    world.consent(round_id)
    for node in world.nodes:
        world.submit(node, round_id, world.import_list(node, files[node.name]))
    world.wait_for_hits(round_id)
    return round_id


def test_a_round_under_attack(world: World, files: dict[str, Path], tmp_path: Path) -> None:
    """The round ends with the rehearsal's hits, and every service says that it lives within a second throughout."""
    expected = rehearsed_hits(files, tmp_path)
    for names in WAVES:
        with attacked(world, names) as watch:
            round_id = play(world, files)
        assert paired_hits(world, round_id) == expected
        slowest = {service: round(max(looks), 3) for service, looks in watch.looks.items()}
        print(f"{', '.join(names)}: {slowest}")  # noqa: T201 - what `make attack` measured
        assert max(slowest.values()) < SLOWEST, f"{names}: {slowest}"
        world.close(round_id)
