"""Calls to a service: token, problems as errors, and what never leaves in the clear."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from aquila.errors import AquilaError, InputError, MalformedError, OrderError, ProtocolError
from aquila.protocol.messages.feed import Rounds
from aquila.sentences import quoted
from clients.sdk import Access, ClientCertificate, Connection
from services.kit.errors import NotFoundError, PeerUnavailableError, UnknownCallerError, problem_of

PROBLEM = "application/problem+json"


def test_token(connection: Connection, answers: Any) -> None:
    answers.says(json={"rounds": []})
    assert connection.fetch(Rounds, "GET", "/v1/rounds").rounds == ()
    assert answers.asked[0].headers["authorization"] == "Bearer " + "t" * 43


def test_repr_without_token(connection: Connection) -> None:
    access = Access("node", "http://127.0.0.1:8700", "secret-token")
    assert "secret" not in repr(access)
    assert "ttt" not in repr(connection)


@pytest.mark.parametrize("kind", [NotFoundError, OrderError, UnknownCallerError, PeerUnavailableError, InputError])
def test_problem(connection: Connection, answers: Any, kind: type[AquilaError]) -> None:
    error = kind(quoted("no such round", "look again"), round="ab")
    answers.says(404, json=problem_of(error), headers={"content-type": PROBLEM})
    with pytest.raises(kind) as caught:
        connection.call("GET", "/v1/rounds/ab")
    assert type(caught.value) is kind
    assert (caught.value.message, caught.value.hint, caught.value.fields) == (
        "no such round",
        "look again",
        {"round": "ab"},
    )


def test_away(connection: Connection, answers: Any) -> None:
    """A service that cannot be reached is away, and the hint says how to start it."""
    answers.waiting.append(httpx.ConnectError("refused"))
    with pytest.raises(PeerUnavailableError) as caught:
        connection.call("GET", "/v1/status")
    assert "aquila node serve" in caught.value.hint
    answers.says(503)
    with pytest.raises(PeerUnavailableError):
        connection.call("GET", "/v1/status")


def test_late_answer(connection: Connection, answers: Any) -> None:
    """A service that works longer than is waited for is not said to be away: the command may well have been done."""
    answers.waiting.append(httpx.ReadTimeout("Janez Novak"))
    with pytest.raises(PeerUnavailableError, match="has not answered in time: ReadTimeout") as caught:
        connection.call("POST", "/v1/approvals/ab")
    assert "before you give it again" in caught.value.hint


def test_refusal_without_problem(connection: Connection, answers: Any) -> None:
    answers.says(404, text="<html>")
    with pytest.raises(ProtocolError) as caught:
        connection.call("GET", "/v1/status")
    assert caught.value.fields == {"status": 404}


def test_other_answer(connection: Connection, answers: Any) -> None:
    """An answer of another form is refused without repeating what it holds."""
    answers.says(json={"rounds": "Janez Novak"})
    with pytest.raises(MalformedError) as caught:
        connection.fetch(Rounds, "GET", "/v1/rounds")
    assert "Novak" not in caught.value.message


@pytest.mark.parametrize("url", ["", "node", "ftp://127.0.0.1", "http://node.example.org", "http://10.0.0.1:8700"])
def test_unusable_url(url: str) -> None:
    """A URL that is none, or that would carry the token in the clear, is refused."""
    with pytest.raises(InputError):
        Connection(Access("node", url, "t"))


@pytest.mark.parametrize("url", ["http://localhost:1", "http://[::1]:1", "https://node.example.org"])
def test_usable_url(url: str) -> None:
    with Connection(Access("node", url, "t")) as opened:
        assert opened.url == url


@pytest.mark.parametrize("trusted", [True, False], ids=["authority", "own"])
def test_unreadable_certificate(tmp_path: Path, *, trusted: bool) -> None:
    broken = tmp_path / "mine.pem"
    broken.write_text("no certificate")
    for path in (broken, tmp_path / "missing.pem"):
        access = (
            Access("node", "https://node.example.org", "t", path)
            if trusted
            else Access("node", "https://node.example.org", "t", None, ClientCertificate(path, path))
        )
        with pytest.raises(InputError, match=path.name):
            Connection(access)


def test_a_service_that_ends_the_connection() -> None:
    """Over TLS it may have asked for a certificate; where one is shown, or none could be, nothing is said of one."""

    def ended(request: httpx.Request) -> httpx.Response:
        raise httpx.RemoteProtocolError("closed", request=request)

    hints = {}
    for url in ("https://node.example.org", "http://127.0.0.1:1"):
        with (
            Connection(Access("node", url, "t"), httpx.MockTransport(ended)) as connection,
            pytest.raises(PeerUnavailableError) as caught,
        ):
            connection.call("GET", "/v1/rounds")
        hints[url] = caught.value.hint
    assert ["--cert" in hint for hint in hints.values()] == [True, False]
