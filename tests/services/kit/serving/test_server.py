"""Running a service: where it may listen, over real TLS, from ready to a graceful end."""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aquila.crypto.keys import IdentityKey
from aquila.errors import InputError
from services.kit.errors import PeerUnavailableError
from services.kit.http.peer import Peer
from services.kit.http.signatures import CallSigner
from services.kit.http.tls import server_context
from services.kit.serving.server import UNREAD_SECONDS, bind, lifespan_of
from services.kit.settings import ListenSettings, MetricsSettings, PeerSettings, ServiceSettings, TlsSettings
from services.kit.work.drivers import Driver
from tests.support.authority import Authority

REPOSITORY = Path(__file__).parents[4]
_LONGEST_SECONDS = 120.0  # until something hangs


PROGRAM = """
import asyncio, gc, sys
from pathlib import Path
from fastapi import APIRouter
from aquila.crypto.keys import VerifyKey
from services.kit import logging
from services.kit.work.drivers import Driver
from services.kit.serving.server import bind, lifespan_of, serve
from services.kit.settings import ServiceSettings, load
from services.kit.http.signatures import CallVerifier
from tests.support.memory_nonces import MemoryNonces
from services.kit.http.routing import ServiceRoute
from services.kit.http.signed_calls import SignedCaller
from services.kit.serving.application import application

logging.configure("debug")
settings = load(Path(sys.argv[1]), ServiceSettings)
key = VerifyKey.from_hex(sys.argv[2])
router = APIRouter(route_class=ServiceRoute)

@router.put("/chunks")
def put_chunk(call: SignedCaller) -> dict[str, object]:
    return {"party": call.party, "bytes": len(call.body)}

@router.get("/slow")
async def get_slow() -> str:
    await asyncio.sleep(0.6)
    return "done"

@router.get("/frozen")
async def get_frozen() -> int:
    return gc.get_freeze_count()

ending = asyncio.Event()

@router.get("/poll")
async def get_poll() -> str:
    await ending.wait()
    return "let go"

async def step() -> bool:
    return False

def live() -> None:
    if (settings.home / "hangs").exists():
        raise RuntimeError("no progress")

endpoint = bind(settings)
verifier = CallVerifier({key.fingerprint: ("SI", key)}, MemoryNonces(), [endpoint.authority])
drivers = [Driver("d", step, interval=60)]
app = application(title="T", version="1", routers=[router], body_bytes=settings.limits.body_bytes,
                  health=lambda: None, call_verifier=verifier,
                  lifespan=lifespan_of(drivers, lambda: print("closed", flush=True)))
serve(app, endpoint, settings.tls, before_end=ending.set, live=live)
"""


@dataclass
class Running:
    process: subprocess.Popen[str]
    url: str
    output: Path

    def stop(self) -> tuple[str, str]:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.stdout is not None
        rest = self.process.stdout.read()
        self.process.wait(timeout=20)
        return rest, self.output.read_text(encoding="utf-8")


@contextlib.contextmanager
def _running(
    folder: Path, key: IdentityKey, settings: str, environment: Mapping[str, str] | None = None
) -> Iterator[Running]:
    (folder / "service.toml").write_text(settings, encoding="utf-8")
    arguments = [sys.executable, "-c", PROGRAM, str(folder / "service.toml"), key.public.hex]
    with (
        (folder / "log").open("w", encoding="utf-8") as log,
        subprocess.Popen(
            arguments,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=REPOSITORY,
            env=os.environ | dict(environment or {}),
        ) as process,
    ):
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            assert ready["event"] == "ready"
            yield Running(process, ready["url"], folder / "log")
        finally:
            process.kill()


async def test_a_signed_call_over_real_tls(tmp_path: Path, key: IdentityKey) -> None:
    """Both sides show certificates; strangers to either CA do not get in; the end is graceful."""
    authority = Authority.create(tmp_path, "ca")
    authority.issue("service")
    authority.issue("party")
    Authority.create(tmp_path, "other")
    settings = """
home = "."
listen = {port = 0}
tls = {certificate = "service.pem", key = "service.key", ca = "ca.pem", verify_clients = true}
"""
    with _running(tmp_path, key, settings) as running:
        assert running.url.startswith("https://127.0.0.1:")

        async def call(**changes: Any) -> Any:
            options = {
                "url": running.url,
                "ca": tmp_path / "ca.pem",
                "certificate": tmp_path / "party.pem",
                "key": tmp_path / "party.key",
            } | changes
            peer = Peer(PeerSettings(**options), CallSigner(key, "SI"))
            try:
                return (await peer.call("PUT", "/chunks", content=bytes(2_000_000))).json()
            finally:
                await peer.close()

        assert await call() == {"party": "SI", "bytes": 2_000_000}
        with pytest.raises(PeerUnavailableError):
            await call(ca=tmp_path / "other.pem")
        with pytest.raises(PeerUnavailableError):
            await call(certificate=None, key=None)
        rest, log = running.stop()
    assert rest == "closed\n"
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["event"] for line in lines if line["event"] in {"ready", "call"}] == ["ready", "call"]
    assert running.process.returncode in {0, -signal.SIGTERM}


@pytest.mark.parametrize(("route", "word"), [("/slow", b"done"), ("/poll", b"let go")])
async def test_a_call_in_progress_ends_before_the_service_does(
    tmp_path: Path, key: IdentityKey, route: str, word: bytes
) -> None:
    """SIGTERM stops new calls, not those that are running; those that only wait are let go."""
    with _running(tmp_path, key, 'home = "."\nlisten = {port = 0}') as running:
        host, _, port = running.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as caller:
            caller.sendall(f"GET {route} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            caller.settimeout(0.3)
            with contextlib.suppress(TimeoutError):
                caller.recv(1)
            running.process.send_signal(signal.SIGTERM)
            caller.settimeout(10)
            answer = b""
            while piece := caller.recv(1000):
                answer += piece
        assert answer.startswith(b"HTTP/1.1 200")
        assert word in answer
        assert b"server:" not in answer.lower()
        assert running.stop()[0] == "closed\n"


def test_a_supervisor_hears_that_a_service_lives(tmp_path: Path, key: IdentityKey) -> None:
    """The event loop reports it again and again, but not while the service makes no progress; at last it ends."""
    name = f"aquila-{secrets.token_hex(8)}"
    watched = {"NOTIFY_SOCKET": f"@{name}", "WATCHDOG_USEC": "1500000"}

    def refused(log: Path) -> int:
        return log.read_text(encoding="utf-8").count("watchdog_not_fed")

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(f"\0{name}")
        supervisor.settimeout(_LONGEST_SECONDS)
        with _running(tmp_path, key, 'home = "."\nlisten = {port = 0}', watched) as running:
            assert [supervisor.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
            (tmp_path / "hangs").touch()
            _until(lambda: refused(running.output) > 0)
            supervisor.settimeout(0)
            with contextlib.suppress(BlockingIOError):
                while True:
                    assert supervisor.recv(100) == b"WATCHDOG=1"  # of the time before
            _until(lambda: refused(running.output) > 2)
            running.stop()
            assert supervisor.recv(100) == b"STOPPING=1"


def _until(done: Callable[[], bool]) -> None:
    ends = time.monotonic() + _LONGEST_SECONDS
    while not done():
        assert time.monotonic() < ends
        time.sleep(0.05)


def _settings(
    tmp_path: Path, tls: TlsSettings | None = None, metrics: MetricsSettings | None = None, **listen: Any
) -> ServiceSettings:
    return ServiceSettings(home=tmp_path, listen=ListenSettings(**{"port": 0} | listen), tls=tls, metrics=metrics)


def test_other_machines_need_tls(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="TLS is off"):
        bind(_settings(tmp_path, host="0.0.0.0"))
    endpoint = bind(_settings(tmp_path, _tls(tmp_path), host="0.0.0.0"))
    endpoint.socket.close()


def _tls(folder: Path) -> TlsSettings:
    Authority.create(folder, "ca").issue("service")
    return TlsSettings(certificate=folder / "service.pem", key=folder / "service.key")


@pytest.mark.parametrize(
    ("listen", "authority"),
    [
        ({}, "127.0.0.1:{port}"),
        ({"host": "::1"}, "[::1]:{port}"),
        ({"public_url": "https://matcher.test"}, "matcher.test"),
        ({"public_url": "https://matcher.test:443/"}, "matcher.test"),
        ({"public_url": "http://matcher.test:443"}, "matcher.test:443"),
        ({"public_url": "https://[2001:db8::1]:8443"}, "[2001:db8::1]:8443"),
    ],
)
def test_the_authority_is_what_callers_sign(tmp_path: Path, listen: dict[str, Any], authority: str) -> None:
    try:
        endpoint = bind(_settings(tmp_path, **listen))
    except InputError:
        if listen.get("host") == "::1":
            pytest.skip("this machine has no IPv6")
        raise
    endpoint.socket.close()
    assert endpoint.authority == authority.format(port=endpoint.port)


async def test_a_caller_who_is_gone_without_a_word_ends_its_call(tmp_path: Path) -> None:
    """The system closes a connection on which nothing is acknowledged for half a minute."""
    bound = bind(_settings(tmp_path)).socket
    bound.listen()
    with bound, socket.create_connection(bound.getsockname()):
        accepted, _ = bound.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1_000 * UNREAD_SECONDS


def test_a_taken_port_is_an_input_error(tmp_path: Path) -> None:
    first = bind(_settings(tmp_path))
    first.socket.listen()
    with pytest.raises(InputError, match=f"cannot listen on 127.0.0.1:{first.port}"):
        bind(_settings(tmp_path, port=first.port))
    with pytest.raises(InputError, match=f"cannot listen on 127.0.0.1:{first.port}"):
        bind(_settings(tmp_path, metrics=MetricsSettings(port=first.port)))
    first.socket.close()
    with pytest.raises(InputError, match="cannot listen"):
        bind(_settings(tmp_path, _tls(tmp_path), host="192.0.2.1"))


def test_a_certificate_that_cannot_be_read_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        server_context(TlsSettings(certificate=tmp_path / "no", key=tmp_path / "no"))
    authority = Authority.create(tmp_path, "ca")
    authority.issue("one")
    authority.issue("two")
    with pytest.raises(InputError, match="cannot be read"):
        server_context(TlsSettings(certificate=tmp_path / "one.pem", key=tmp_path / "two.key"))


async def test_a_lifespan_stops_its_drivers_and_closes_the_rest() -> None:
    closed: list[str] = []

    async def step() -> bool:
        return False

    driver = Driver("d", step)
    with contextlib.suppress(RuntimeError):
        async with lifespan_of([driver], lambda: closed.append("closed"))(None):  # type: ignore[arg-type]  # not looked at
            assert driver._task is not None
            raise RuntimeError(secrets.token_hex(4))
    assert driver._task is None
    assert closed == ["closed"]
