"""`aquila node suggest-round` and `suggestions`, `aquila matcher suggestions` and `set-aside`: asked for and shown."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from aquila.interface.sentence import SentenceView
from aquila.sentences import quoted
from clients.cli.main import main
from tests.support.reached_service import answer_commands

SUGGESTION_ID, ROUND = "7" * 32, "a" * 32
TERMS = {
    "participants": ["AL", "SI"], "area": "counter-terrorism", "legal_basis": "PCC SEE", "purpose": "find persons",
    "category": "fighters", "mode": "lists", "minimum_certainty": "low",
}  # fmt: skip
SUMMER = SentenceView.of(quoted("after the summer")).model_dump(mode="json")
VIEW = {
    "suggestion_id": SUGGESTION_ID, "party": "AL", "author": "", "terms": TERMS, "state": "waiting", "made_at": 1,
    "answered_at": None, "reason": None, "round_id": None,
}  # fmt: skip
ASKED = {
    "approval_id": "e" * 32, "kind": "proposal", "round_id": ROUND, "submission_id": None, "digest": "f" * 64,
    "expires_at": 1,
}  # fmt: skip
WORDS = ["--party", "SI", "--party", "AL", "--area", "counter-terrorism", "--legal-basis", "PCC SEE",
         "--purpose", "find persons", "--category", "fighters"]  # fmt: skip


class Service:
    """Answers as a node or a matcher does, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.found: list[dict[str, Any]] = [VIEW]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a call."""
        body = json.loads(request.read()) if request.content else None
        self.asked.append((request.method, request.url.path, body))
        path = request.url.path
        if path == "/v1/operator/rounds":
            return httpx.Response(202, json=ASKED)
        if request.method == "GET":
            return httpx.Response(200, json={"parties": ["AL", "SI"], "suggestions": self.found})
        return httpx.Response(200, json=VIEW)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service that the commands reach: the matcher for its own home, else a node."""
    made = Service()

    answer_commands(monkeypatch, made)
    return made


def test_an_officer_suggests(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """The words go to the node, which sends them; the command says where the answer is told."""
    assert main(["node", "suggest-round", *WORDS, "--queries", "--minimum", "high", "--home", "node"]) == 0
    body = TERMS | {"mode": "lists_and_queries", "minimum_certainty": "high"}
    assert service.asked == [("POST", "/v1/suggestions", body)]
    assert "goes to the secretariat" in capsys.readouterr().out


def test_what_may_be_a_name_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """That an officer has looked at the words goes with them, and only where the officer says so."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.query.decode())
        return httpx.Response(200, json=VIEW)

    answer_commands(monkeypatch, answer)
    for more in ([], ["--names-checked"]):
        assert main(["node", "suggest-round", *WORDS, *more, "--home", "node"]) == 0
    assert asked == ["", "names_checked=true"]


@pytest.mark.parametrize("words", [["--minimum", "certain"], ["--party", "Serbia"]])
def test_what_cannot_be_suggested(service: Service, words: list[str]) -> None:
    """Nothing is sent."""
    assert main(["node", "suggest-round", *WORDS, *words, "--home", "node"]) == 2
    assert service.asked == []


@pytest.mark.parametrize(
    ("change", "shown"),
    [({}, "waiting"), ({"state": "set_aside", "reason": SUMMER}, "set aside"),
     ({"state": "proposed", "round_id": ROUND}, "aaaaaaaa")],
)  # fmt: skip
@pytest.mark.parametrize("name", ["node", "matcher"])
def test_they_are_listed(
    service: Service, capsys: pytest.CaptureFixture[str], name: str, change: dict[str, Any], shown: str
) -> None:
    """With their state, and the round or the reason."""
    service.found = [VIEW | change]
    assert main([name, "suggestions", "--home", name]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "77777777" in out
    assert shown in out


def test_there_is_none(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """Then it is said so."""
    service.found = []
    assert main(["matcher", "suggestions", "--home", "matcher"]) == 0
    assert "There is no suggestion." in capsys.readouterr().out


def test_one_is_set_aside(service: Service) -> None:
    """By its first digits, with the reason."""
    assert main(["matcher", "set-aside", "7777", "--reason", "no", "--home", "matcher"]) == 0
    assert service.asked[-1] == ("POST", f"/v1/operator/suggestions/{SUGGESTION_ID}/set-aside", {"reason": "no"})


def test_one_is_proposed(service: Service) -> None:
    """Its words are taken, options go before them, and the proposal names it."""
    words = ["--suggestion", "7777", "--area", "border crime"]
    assert main(["round", "propose", *words, "--home", "matcher"]) == 0
    method, path, body = service.asked[-1]
    assert (method, path) == ("POST", "/v1/operator/rounds")
    assert (body["area"], body["purpose"], body["suggestion_id"]) == ("border crime", "find persons", SUGGESTION_ID)
