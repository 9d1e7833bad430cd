"""The proxy of a bad network: it carries every byte in order, late, slowly, or until it breaks."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.bench.queries.faulty_network import FaultyNetwork, NetworkFaults

CONTENT = bytes(range(256)) * 300


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that sends back what it gets, until the other side has sent all; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_serve, args=(server,), daemon=True).start()
        yield server.getsockname()[1]


def _serve(server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_echo, args=(connection,), daemon=True).start()


def _echo(connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        while piece := connection.recv(4_096):
            connection.sendall(piece)


def exchanged(port: int, content: bytes = CONTENT) -> tuple[bytes, float]:
    """Send bytes and return as many as come back of them, and the seconds that it took."""
    started, found = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection, contextlib.suppress(OSError):
        threading.Thread(target=_send, args=(connection, content), daemon=True).start()
        while len(found) < len(content) and (piece := connection.recv(1 << 16)):
            found += piece
    return found, time.monotonic() - started


def _send(connection: socket.socket, content: bytes) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(content)


def test_it_carries_everything(echo: int) -> None:
    """Without trouble every byte arrives, in both directions and on several connections."""
    with FaultyNetwork(echo, NetworkFaults()) as network:
        assert [exchanged(network.port)[0] for _ in range(3)] == [CONTENT] * 3
        assert (network.connections, network.broken) == (3, 0)


def test_it_delays(echo: int) -> None:
    """A new connection takes the delay twice, and an answer twice again; nothing is lost by it."""
    with FaultyNetwork(echo, NetworkFaults(delay=0.05)) as network:
        content, seconds = exchanged(network.port, b"hello")
    assert content == b"hello"
    assert seconds >= 4 * 0.05


def test_it_throttles(echo: int) -> None:
    with FaultyNetwork(echo, NetworkFaults(bytes_per_second=500_000)) as network:
        content, seconds = exchanged(network.port)
    assert content == CONTENT
    assert seconds >= 0.8 * len(CONTENT) / 500_000


def test_it_breaks(echo: int) -> None:
    """Connections break within their first bytes; another seed breaks others, and the share counts."""
    with FaultyNetwork(echo, NetworkFaults(broken_share=1)) as network:
        assert exchanged(network.port)[0] != CONTENT
        assert network.broken == 1
    with FaultyNetwork(echo, NetworkFaults(broken_share=0.5)) as network:
        whole = [exchanged(network.port)[0] == CONTENT for _ in range(12)]
        assert network.broken == whole.count(False)
        assert 0 < network.broken < len(whole)


def test_it_changes(echo: int) -> None:
    """A change breaks the connections that are there, and those that come have the new trouble."""
    with FaultyNetwork(echo, NetworkFaults()) as network:
        with socket.create_connection(("127.0.0.1", network.port), timeout=30) as connection:
            connection.sendall(b"hello")
            assert connection.recv(5) == b"hello"
            network.change(NetworkFaults(broken_share=1))
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""
        assert exchanged(network.port)[0] != CONTENT
        network.change(NetworkFaults())
        assert exchanged(network.port)[0] == CONTENT


def test_nobody_at_the_other_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with FaultyNetwork(port, NetworkFaults()) as network:
        assert exchanged(network.port)[0] == b""
        assert exchanged(network.port)[0] == b""
    assert network.connections == 2
