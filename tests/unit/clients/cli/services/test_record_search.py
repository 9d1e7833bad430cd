"""`aquila records search` and `show`: what they ask and what they show."""

from __future__ import annotations

import io
import json
from typing import Any

import httpx
import pytest

from clients.cli.main import main
from tests.support.reached_service import answer_commands
from tests.unit.clients.cli.services.test_hits import ENTRY, STEP, WITHDRAWAL

IMPORT, ROUND = "d" * 32, "a" * 32
FOUND = {
    "import_id": IMPORT, "position": 3, "list_name": "autumn", "record_id": "al-1",
    "record": {"given_names": ["Arben"], "family_names": ["Hoxha"], "date_of_birth": "1980-03-04"},
}  # fmt: skip
VIEW = {
    "entry": FOUND, "names": [{"field": "given_names", "written": "Arben", "words": ["arben"]}],
    "imported_at": 1_800_000_000, "elsewhere": ["spring"],
    "uses": [{"round_id": ROUND, "submission_id": "c" * 32, "kind": "list", "state": "tokens_sent", "wished_at": 1}],
    "hits": [{"entry": ENTRY, "history": [STEP], "withdrawals": [WITHDRAWAL]}],
}  # fmt: skip


class Service:
    """Answers as a node does, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.page: dict[str, Any] = {"records": [FOUND], "offset": 0, "total": 1}
        self.view: dict[str, Any] = VIEW

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a call."""
        body = json.loads(request.read()) if request.content else None
        self.asked.append((request.method, request.url.raw_path.decode(), body))
        return httpx.Response(200, json=self.page if body else self.view)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    """A node that the commands reach."""
    made = Service()

    answer_commands(monkeypatch, made)
    return made


def typed(monkeypatch: pytest.MonkeyPatch, text: str, *, terminal: bool = False) -> None:
    """Let a person or a script type something."""
    stream = io.StringIO(text)
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    monkeypatch.setattr("sys.stdin", stream)


def test_a_name_is_asked_for(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script gives the name as a line of stdin; it is no argument that others on the machine could read."""
    typed(monkeypatch, "Hox\tha\n")
    assert main(["records", "search", "--alike", "--home", "node"]) == 0
    wanted = {"number": "", "name": "Hox ha", "alike": True, "offset": 0}
    assert service.asked == [("POST", "/v1/records/search", wanted)]
    shown = capsys.readouterr().out
    assert f"{IMPORT}/3" in shown
    assert "Arben Hoxha 1980-03-04" in shown
    assert "1 to 1 of 1 record." in shown


def test_a_person_is_asked(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a terminal the question is on stderr, and nothing is a problem of its own."""
    typed(monkeypatch, "Hoxha\n", terminal=True)
    assert main(["records", "search", "--home", "node"]) == 0
    assert "Name or part of it: " in capsys.readouterr().err
    typed(monkeypatch, "\n")
    assert main(["records", "search", "--home", "node"]) == 1
    assert len(service.asked) == 1


def test_a_number(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """A number needs no question; where nothing is found, that is said."""
    service.page = {"records": [], "offset": 0, "total": 0}
    assert main(["records", "search", "--number", "al-9", "--home", "node"]) == 0
    assert service.asked[0][2]["number"] == "al-9"
    assert "No record of the own lists is like this" in capsys.readouterr().out


def test_one_record(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """Fields, names, list, rounds, hits with their steps and withdrawals; without hits to whom none are shown."""
    assert main(["records", "show", f"{IMPORT}/3", "--home", "node"]) == 0
    assert service.asked == [("GET", f"/v1/imports/{IMPORT}/records/3", None)]
    shown = capsys.readouterr().out
    for text in ("Hoxha", "arben", "autumn", "spring", ROUND[:8], "tokens_sent", "Hit bbbbbbbb with RS", "by telephone",
                 "Withdrawn by RS"):  # fmt: skip
        assert text in shown
    service.view = VIEW | {"hits": None, "uses": [], "elsewhere": []}
    assert main(["records", "show", f"{IMPORT}/3", "--home", "node"]) == 0
    assert "Hit" not in capsys.readouterr().out


@pytest.mark.parametrize("place", ["3", f"{IMPORT}/x", "/3", f"{IMPORT}/{'9' * 13}"])
def test_no_place(service: Service, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no place is not asked for."""
    assert main(["records", "show", place, "--home", "node"]) == 1
    assert "not a place of a record" in capsys.readouterr().err
    assert service.asked == []
