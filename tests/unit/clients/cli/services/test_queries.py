"""`aquila query`: what it asks and what it shows."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from clients.cli.main import main
from tests.support.reached_service import answer_commands

if TYPE_CHECKING:
    from pathlib import Path

ROUND, QUERY, IMPORT = "a" * 32, "b" * 32, "c" * 32
REASON = {"legal_basis": "Article 7", "purpose": "check", "case_reference": "2026/7", "category": "travellers"}
ENTRY: dict[str, Any] = {
    "submission_id": QUERY, "round_id": ROUND, "area": "ct", "name": "2026/7", "persons": 2, "asked_at": 1_800_000_000,
    "state": "tokens_sent", "answer": "answered", "reason": REASON | {"urgency": "urgent"},
}  # fmt: skip
HIT = {"hit_id": "d" * 32, "party": "RS", "certainty": "high", "stage": "new", "exchange": "confirmed"}
ANSWER: dict[str, Any] = {
    "entry": ENTRY,
    "parties": [{"party": "RS", "state": "answered"}, {"party": "SI", "state": "not_compared"}],
    "persons": [
        {"record_id": "q-1", "record": {}, "compared": True, "hits": [HIT]},
        {"record_id": "q-2", "record": {}, "compared": True, "hits": [HIT | {"stage": "withdrawn"}]},
        {"record_id": "q-3", "record": {}, "compared": True, "hits": []},
        {"record_id": "q-4", "record": {}, "compared": False, "hits": []},
    ],
    "minimum_certainty": "low", "closes_at": 1_800_000_000, "seen_at": 1_800_000_000,
    "left": 0, "problems": [],
}  # fmt: skip
PENDING = {
    "approval_id": "e" * 32, "kind": "submission", "round_id": ROUND, "submission_id": QUERY, "digest": "f" * 64,
    "expires_at": 1_800_000_000,
}  # fmt: skip
STORED = {"import_id": IMPORT, "name": "list", "records": 1, "refused": 0, "imported_at": 1}
ROUNDS = {"rounds": [{"round_id": ROUND, "phase": "reporting", "area": "ct", "category": "x", "participants": []}]}

WATCH_ID = "8" * 32
WATCH: dict[str, Any] = {
    "standing_id": WATCH_ID, "import_id": IMPORT, "name": "2026/7", "persons": 2, "reason": REASON,
    "officer": "p-0123456789ab", "round_id": ROUND, "approved_at": 1_800_000_000, "until": 1_810_000_000,
    "terms": {"area": "ct", "legal_basis": "x", "purpose": "y", "category": "z", "parties": ["RS", "SI"]},
    "state": "active", "reminds": True,
    "rounds": [
        {
            "round_id": ROUND, "area": "ct", "submission_id": QUERY, "asked_at": 1_800_000_000, "state": "tokens_sent",
            "answer": "answered", "hits": 3, "first_hits": 2, "new_hits": 1,
        }
    ],
    "unasked": [
        {
            "round_id": "7" * 32, "area": "ct", "purpose": "other", "legal_basis": "other", "until": 1_800_000_000,
            "reason": "terms",
        }
    ],
}  # fmt: skip
WATCHED = [
    {"record_id": "q-1", "record": {"given_names": ["Mira"], "family_names": ["Janković"], "date_of_birth": "1988"}}
]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """What the commands ask of a node that answers as written here."""
    seen: list[httpx.Request] = []
    answers: dict[tuple[str, str], tuple[int, Any]] = {
        ("GET", "/v1/rounds"): (200, ROUNDS),
        ("GET", "/v1/imports"): (200, {"imports": [STORED | {"import_id": "9" * 32, "for_query": True}, STORED]}),
        ("GET", "/v1/queries"): (200, {"rounds": [], "templates": [], "queries": [ENTRY], "most_persons": 20}),
        ("POST", "/v1/queries"): (202, PENDING),
        ("GET", f"/v1/queries/{QUERY}"): (200, ANSWER),
        ("GET", "/v1/standing-queries"): (200, {"queries": [WATCH], "most_days": 180, "reminded_days": 14}),
        ("POST", "/v1/standing-queries"): (202, PENDING | {"kind": "standing_query", "round_id": None}),
        ("GET", f"/v1/standing-queries/{WATCH_ID}"): (200, {"entry": WATCH, "persons": WATCHED}),
        ("POST", f"/v1/standing-queries/{WATCH_ID}/withdraw"): (204, None),
    }

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        status, body = answers[request.method, request.url.path]
        return httpx.Response(status, json=body) if body is not None else httpx.Response(status)

    answer_commands(monkeypatch, answer)
    return seen


ASK = [
    "query", "ask", "aaaa", "--home", "node", "--legal-basis", "Article 7", "--purpose", "check", "--case", "2026/7",
    "--category", "travellers",
]  # fmt: skip


def test_persons_of_a_file_are_asked_for(calls: list[httpx.Request], tmp_path: Path) -> None:
    """Lines become persons, and the urgency goes with the reasons."""
    lines = tmp_path / "persons.csv"
    lines.write_text("Mira;Jankovi\u0107;1988-08-08\n", encoding="utf-8")
    assert main([*ASK, "--persons", str(lines), "--urgent"]) == 0
    body = json.loads(calls[-1].content)
    assert body["round_id"] == ROUND
    assert body["import_id"] is None
    assert [one["family_names"] for one in body["persons"]] == ["Jankovi\u0107"]
    assert body["justification"] == REASON | {"urgency": "urgent"}


def test_a_stored_list_is_asked_for(calls: list[httpx.Request]) -> None:
    """The newest list is meant, and never the persons of an earlier query."""
    assert main([*ASK, "--import", "latest"]) == 0
    body = json.loads(calls[-1].content)
    assert (body["import_id"], body["persons"]) == (IMPORT, [])
    assert "urgency" not in body["justification"]


def test_queries_are_listed(calls: list[httpx.Request], capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its case and whether it is answered."""
    assert main(["query", "list", "--home", "node"]) == 0
    shown = capsys.readouterr().out
    assert len(calls) == 1
    assert "2026/7" in shown
    assert "answered" in shown


@pytest.mark.usefixtures("calls")
def test_an_answer_is_shown_person_by_party(capsys: pytest.CaptureFixture[str]) -> None:
    """A withdrawn hit is none, and who was not compared is no no-hit."""
    assert main(["query", "show", "bbbb", "--home", "node"]) == 0
    shown = capsys.readouterr().out
    for text in ("hit, high, confirmed", "withdrawn", "no-hit", "not compared", "It clears nobody."):
        assert text in shown


@pytest.mark.usefixtures("calls")
def test_a_query_without_an_answer_ends_with_6(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Then it says who is awaited, and for what."""
    monkeypatch.setitem(ENTRY, "answer", "awaited")
    monkeypatch.setitem(ANSWER, "parties", [{"party": "RS", "state": "awaited", "awaited": "evaluations"}])
    monkeypatch.setitem(ANSWER, "persons", [ANSWER["persons"][2]])
    assert main(["query", "show", "latest", "--home", "node"]) == 6
    assert "RS is awaited: evaluations." in capsys.readouterr().out


def test_persons_are_watched_until_a_day(calls: list[httpx.Request], tmp_path: Path) -> None:
    """The day ends where this machine is, and a stored list can be watched as well."""
    lines = tmp_path / "persons.csv"
    lines.write_text("Mira;Jankovi\u0107;1988-08-08\n", encoding="utf-8")
    watch = ["query", "watch", *ASK[2:], "--until", "2027-03-31"]
    assert main([*watch, "--persons", str(lines)]) == 0
    body = json.loads(calls[-1].content)
    end = datetime.fromtimestamp(body["until"]).astimezone()
    assert (end.date().isoformat(), end.hour, end.minute, end.second) == ("2027-03-31", 23, 59, 59)
    assert [one["family_names"] for one in body["persons"]] == ["Jankovi\u0107"]
    assert main([*watch, "--import", "latest"]) == 0
    assert json.loads(calls[-1].content)["import_id"] == IMPORT
    assert main([*watch[:-1], "soon", "--import", "latest"]) == 1


@pytest.mark.usefixtures("calls")
def test_watches_are_shown_with_what_they_found(capsys: pytest.CaptureFixture[str]) -> None:
    """In the list in short, then one with its persons and the reason for which a round does not take it."""
    assert main(["query", "watches", "--home", "node"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for text in ("88888888", "2026/7", "active", "ends soon"):
        assert text in shown
    assert main(["query", "show-watch", "8888", "--home", "node"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for text in ("Mira, Janković, 1988", "answered", "Not asked in round 77777777: its terms are others"):
        assert text in shown


def test_a_watch_is_prolonged_and_withdrawn(calls: list[httpx.Request], capsys: pytest.CaptureFixture[str]) -> None:
    """For longer with the same persons, reasons and terms; withdrawn with a reason."""
    assert main(["query", "prolong", "latest", "--home", "node", "--until", "2027-03-31"]) == 0
    body = json.loads(calls[-1].content)
    assert (body["round_id"], body["import_id"], body["justification"]) == (ROUND, IMPORT, REASON)
    assert main(["query", "withdraw", "8888", "--home", "node", "--reason", "the case is closed"]) == 0
    assert json.loads(calls[-1].content) == {"reason": "the case is closed"}
    assert "What was asked already stays as it is." in capsys.readouterr().out


def test_a_watch_that_was_asked_nowhere_is_shown_as_such(
    calls: list[httpx.Request], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says that no round took it yet."""
    monkeypatch.setitem(WATCH, "rounds", [])
    assert main(["query", "show-watch", "latest", "--home", "node"]) == 0
    assert len(calls) == 2
    assert "It was asked in no round yet." in capsys.readouterr().out
