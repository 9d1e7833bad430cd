"""Outgoing calls: what a peer answers, or does not, becomes an error of the tree."""

import gzip
import json
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from aquila.errors import AquilaError, CapError, ExecutorError, InputError, MalformedError, ProtocolError
from aquila.sentences import quoted
from services.kit.errors import (
    BusyError,
    PeerFailedError,
    PeerFullError,
    PeerUnavailableError,
    RoundDamagedError,
    StoreError,
    StoreFullError,
    problem_of,
)
from services.kit.http.peer import Peer
from services.kit.logging import carrying
from services.kit.serving.application import application
from services.kit.settings import PeerSettings
from tests.support.log_lines import Lines

CONTENT = bytes(range(256)) * 1_000


def _peer(answer: Callable[[httpx.Request], httpx.Response], **settings: Any) -> Peer:
    def streamed(request: httpx.Request) -> httpx.Response:
        # As over a socket: httpx would take content that is given at once for read already.
        response = answer(request)
        return httpx.Response(response.status_code, headers=response.headers, stream=response.stream)

    return Peer(PeerSettings(url="https://matcher.test/", **settings), transport=httpx.MockTransport(streamed))


def _problem(error: AquilaError, status: int, **headers: str) -> httpx.Response:
    content = json.dumps(problem_of(error)).encode()
    return httpx.Response(status, content=content, headers={"content-type": "application/problem+json", **headers})


async def test_an_answer_is_returned_whole() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(201, json={"url": str(request.url), "encoding": request.headers["accept-encoding"]})

    peer = _peer(answer)
    response = await peer.call("POST", "/rounds", json={"a": 1})
    assert (response.status_code, response.json()) == (
        201,
        {"url": "https://matcher.test/rounds", "encoding": "identity"},
    )
    await peer.close()


async def test_a_problem_is_the_error_that_the_peer_raised() -> None:
    peer = _peer(lambda _: _problem(CapError(quoted("too many", "fewer"), got=3), 403))
    with pytest.raises(CapError, match="too many") as caught:
        await peer.call("GET", "/x")
    assert (caught.value.hint, caught.value.fields) == ("fewer", {"got": 3})


@pytest.mark.parametrize(
    ("response", "wait"),
    [
        (httpx.Response(502), None),
        (httpx.Response(503, headers={"retry-after": "7"}), 7),
        (httpx.Response(503, headers={"retry-after": "9999999"}), 3600),
        (httpx.Response(503, headers={"retry-after": "9" * 5_000}), None),
        (httpx.Response(503, headers={"retry-after": "Wed, 25 Nov 2026 01:00:00 GMT"}), None),
        (httpx.Response(504, headers={"retry-after": "-1"}), None),
        (_problem(StoreFullError(quoted("full"), folder="/x"), 503, **{"retry-after": "300"}), 300),
        (_problem(PeerUnavailableError(quoted("x"), retry_after=10**9), 503), None),
    ],
)
async def test_a_peer_that_is_away_says_when_to_come_back(response: httpx.Response, wait: int | None) -> None:
    """502 to 504 are worth another try, a full disk of the peer included; an hour is the longest wait."""
    with pytest.raises(PeerUnavailableError) as caught:
        await _peer(lambda _: response).call("GET", "/x")
    assert caught.value.fields.get("retry_after") == wait


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (StoreFullError(quoted("full")), PeerFullError),
        (StoreError(quoted("broken")), PeerFailedError),
        (RoundDamagedError(quoted("broken")), PeerFailedError),
        (ExecutorError(quoted("no worker")), PeerFailedError),
        (BusyError(quoted("too many")), PeerUnavailableError),
        (PeerUnavailableError(quoted("away")), PeerUnavailableError),
    ],
)
async def test_a_peer_that_answers_is_there(error: AquilaError, kind: type[PeerUnavailableError]) -> None:
    """What it says of its own store is about this one call, and is no fault of our store."""
    with pytest.raises(PeerUnavailableError) as caught:
        await _peer(lambda _: _problem(error, 503)).call("GET", "/x")
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("Muhamed"), httpx.ReadTimeout("Muhamed"), httpx.RemoteProtocolError("Muhamed")]
)
async def test_a_peer_that_cannot_be_reached_is_away(error: Exception) -> None:
    """Connection, timeout, nonsense: the class is told, the message is not."""

    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(PeerUnavailableError, match=type(error).__name__) as caught:
        await _peer(answer).call("GET", "/x")
    assert "Muhamed" not in caught.value.message


@pytest.mark.parametrize("status", [301, 400, 404, 500])
async def test_a_refusal_without_a_problem_is_a_protocol_error(status: int) -> None:
    response = httpx.Response(status, headers={"location": "https://else.test"}, content=b"<html>Muhamed")
    with pytest.raises(ProtocolError) as caught:
        await _peer(lambda _: response).call("GET", "/x")
    assert caught.value.fields == {"status": status}


async def test_a_problem_that_is_none_is_malformed() -> None:
    response = httpx.Response(400, content=b"{", headers={"content-type": "application/problem+json; charset=utf-8"})
    with pytest.raises(MalformedError):
        await _peer(lambda _: response).call("GET", "/x")


async def test_an_answer_without_end_is_cut() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(100_000)

    with pytest.raises(ProtocolError, match="too large"):
        await _peer(lambda _: httpx.Response(200, content=endless()), answer_mebibytes=1).call("GET", "/x")
    problem = {"content-type": "application/problem+json"}
    with pytest.raises(ProtocolError, match="too large"):
        await _peer(lambda _: httpx.Response(400, content=endless(), headers=problem)).call("GET", "/x")


async def test_a_compressed_answer_is_refused() -> None:
    response = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(gzip.compress(b"x")))
    with pytest.raises(ProtocolError, match="compressed"):
        await _peer(lambda _: response).call("GET", "/x")


async def test_a_path_that_is_none_is_an_input_error() -> None:
    with pytest.raises(InputError):
        await _peer(lambda _: httpx.Response(200)).call("GET", "/\n")


async def _in_pieces() -> AsyncIterator[bytes]:
    for start in range(0, len(CONTENT), 10_000):
        yield CONTENT[start : start + 10_000]


async def test_an_answer_is_copied_piece_by_piece() -> None:
    into = BytesIO()
    await _peer(lambda _: httpx.Response(200, content=_in_pieces())).copy("/x", into, limit=len(CONTENT))
    assert into.getvalue() == CONTENT


async def test_a_copy_that_is_refused_or_ends_early() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield CONTENT
        raise httpx.ReadError("gone")

    whole = _peer(lambda _: httpx.Response(200, content=_in_pieces()))
    with pytest.raises(ProtocolError, match="too large"):
        await whole.copy("/x", BytesIO(), limit=len(CONTENT) - 1)
    with pytest.raises(PeerUnavailableError):
        await _peer(lambda _: httpx.Response(200, content=broken())).copy("/x", BytesIO(), limit=1 << 20)
    refused = BytesIO()
    with pytest.raises(CapError):
        await _peer(lambda _: _problem(CapError(quoted("no")), 403)).copy("/x", refused, limit=1 << 20)
    assert refused.getvalue() == b""


@pytest.mark.parametrize("settings", [{"ca": "none.pem"}, {"certificate": "none.pem", "key": "none.pem"}])
def test_a_certificate_that_cannot_be_read_is_an_input_error(settings: dict[str, str]) -> None:
    """Said when the client is made, not at the first call."""
    with pytest.raises(InputError, match="certificate or key"):
        Peer(PeerSettings(url="https://matcher.test", **{name: Path(path) for name, path in settings.items()}))


@pytest.mark.parametrize("begun", ["", "ab" * 16])
async def test_one_id_finds_a_call_in_both_logs(lines: Lines, begun: str) -> None:
    """Caller and service write the same id: that of the call in whose course it is made, or a new one."""
    app = application(title="T", version="1", routers=[], body_bytes=1_000, health=lambda: None)
    peer = Peer(PeerSettings(url="http://127.0.0.1"), transport=httpx.ASGITransport(app))
    with carrying(begun), pytest.raises(AquilaError):
        await peer.call("GET", "/nothing", headers={"accept": "application/json"})
    await peer.close()
    written = {line["event"]: line for line in map(json.loads, str(lines).splitlines())}
    assert written["call"]["request"] == written["peer_refused"]["request"]
    assert written["peer_refused"]["status"] == 404
    assert begun in {"", written["call"]["request"]}
