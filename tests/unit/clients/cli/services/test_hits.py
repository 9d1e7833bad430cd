"""`aquila hit`, `aquila node erase-record` and `aquila matcher statistics`: what they ask and what they show."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from aquila.errors import PolicyError
from clients.cli.main import main
from services.kit.errors import problem_of
from tests.support.reached_service import answer_commands

ROUND, HIT = "a" * 32, "b" * 32
ANA = "p-0123456789ab"
ENTRY = {
    "round_id": ROUND, "hit_id": HIT, "counterpart": "RS", "certainty": "high", "stage": "follow_up",
    "decision": "cannot_tell", "outcome": None, "arrived_at": 1_800_000_000, "due_at": 1_800_000_000,
    "overdue": True, "record_id": "al-1", "record": {"given_names": ["Arben"], "date_of_birth": "1980-03-04"},
}  # fmt: skip
PAGE = {"hits": [ENTRY], "offset": 0, "total": 1, "by_stage": {"follow_up": 1}, "overdue": 1, "unanswered": 0}
STEP = {"kind": "opened", "at": 1_800_000_000, "person": "p-0123456789ab", "value": "siena", "reference": "S-1",
        "urgency": "urgent", "remark": "by telephone"}  # fmt: skip
WITHDRAWAL = {"by": "RS", "ground": "not_needed", "late": True, "at": 1, "state": "acknowledged", "acknowledged_at": 2}
VIEW = {
    "entry": ENTRY, "families": ["names"], "sentences": ["all names agree"], "submission_id": None,
    "channel": "siena", "reference": "", "urgency": "urgent", "permission": "", "handling_code": "H1",
    "blocked_by": "H1", "possible": ["closed"], "history": [STEP], "withdrawals": [WITHDRAWAL],
    "weights": [
        {"kind": "agrees", "sentence": "all", "centibits": 900, "differs": "the year of birth differs"},
        {"kind": "missing", "sentence": "origin", "centibits": -90},
    ],
    "strangers_centibits": -823, "own_names": [{"name": "Arben", "records": 12}], "own_records": 5000,
}  # fmt: skip
LEVELS = {"high": 10, "medium": "1-4", "low": 0, "high_and_medium": 15, "all": 15}
TABLE = {"hits": LEVELS, "pairs": [{"left": "AL", "right": "RS", "hits": LEVELS}], "parties": []}
STATISTICS = {
    "base": 5,
    "categories": ["suspects"],
    "rounds": [
        {"round_id": ROUND, "phase": "closed", "area": "ct", "category": "suspects", "created_at": 1, "matched_at": 2,
         "published": True, "lists": [{"party": "AL", "kind": "query", "records": 100, "matched_at": 2}],
         "hits": [TABLE | {"kind": "query"}], "known": [{"certainty": "medium", "parties": 3, "persons": "<5"}],
         "outcomes": [], "pair_outcomes": []}
    ],
    "latest": [ROUND],
}  # fmt: skip


ROW = "of 41 hits of this level with RS, chance alone would give"


class Service:
    """Answers as a node or a matcher does, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.page: dict[str, Any] = PAGE
        self.chance: dict[str, int] | None = None
        self.has_hits = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a call."""
        body = json.loads(request.read()) if request.content else None
        self.asked.append((request.method, request.url.raw_path.decode(), body))
        path = request.url.path
        answers: dict[str, Any] = {
            "/v1/hits": self.page,
            f"/v1/rounds/{ROUND}/hits/{HIT}": VIEW | {"chance": self.chance},
            f"/v1/rounds/{ROUND}/hits/{HIT}/letter": {"text": "REQUEST AFTER A HIT\n", "lines": []},
            "/v1/hits/decisions": {"number": 7, "hits": 1, "left_out": 2},
            "/v1/hits/closings": {"hits": 1, "left_out": 2},
            "/v1/hits/colleagues": {"colleagues": [{"person": ANA, "name": "ana"}]},
            "/v1/hits/undo": {"hits": 3, "first": {"round_id": ROUND, "hit_id": HIT}},
            "/v1/erasures": {"imports": 1, "records": 1, "hits": 0, "told": [], "record_digest": "c" * 64},
            "/v1/erasure-requests": {
                "approval_id": "a" * 32,
                "kind": "erasure",
                "round_id": None,
                "digest": "d" * 64,
                "expires_at": 1,
            },
            "/v1/operator/statistics": STATISTICS,
        }
        if path == "/v1/erasures" and self.has_hits:
            return httpx.Response(
                403, json=problem_of(PolicyError("record_has_hits", hits=2)),
                headers={"content-type": "application/problem+json"},
            )  # fmt: skip
        if path.endswith(".csv"):
            return httpx.Response(200, content=b"round,category\r\n")
        return httpx.Response(200, json=answers[path]) if path in answers else httpx.Response(204)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service that the commands reach: the matcher for its own command, else a node."""
    made = Service()

    answer_commands(monkeypatch, made)
    return made


@pytest.mark.parametrize(
    ("words", "what", "body"),
    [
        (["acknowledge", "bbbb"], "acknowledge", None),
        (["decide", "bbbb", "not-the-same"], "decision", {"decision": "not_the_same", "remark": ""}),
        (
            ["follow-up", "bbbb", "siena", "--urgent", "--reference", "S-1"], "follow-up",
            {"channel": "siena", "urgency": "urgent", "reference": "S-1", "remark": ""},
        ),
        (["reference", "bbbb", "S-2"], "reference", {"reference": "S-2"}),
        (["permit", "bbbb", "--reference", "P-1"], "permission", {"reference": "P-1", "remark": ""}),
        (
            ["reply", "bbbb", "2026-11-26", "--number", "S-3"], "reply",
            {"date": "2026-11-26", "number": "S-3", "remark": ""},
        ),
        (["reopen", "bbbb", "another document"], "reopening", {"reason": "another document"}),
        (["close", "bbbb", "refuted", "--remark", "x"], "outcome", {"outcome": "refuted", "remark": "x"}),
        (["withdraw", "bbbb", "not-needed"], "withdrawal", {"ground": "not_needed", "reason": ""}),
    ],
)  # fmt: skip
def test_what_is_done_with_a_hit(service: Service, words: list[str], what: str, body: Any) -> None:
    """Each command finds the hit by its first digits and asks for one thing."""
    assert main(["hit", *words, "--home", "node"]) == 0
    assert service.asked == [
        ("GET", "/v1/hits?hit=bbbb&limit=2", None),
        ("POST", f"/v1/rounds/{ROUND}/hits/{HIT}/{what}", body),
    ]


@pytest.mark.parametrize(
    ("words", "path", "body", "said"),
    [
        (
            ["decide-many", "not-the-same", "bbbb", "--reason", "no"], "decisions",
            {"every": None, "total": 0, "decision": "not_the_same", "remark": "no"}, "1 hit decided, 2 left out",
        ),
        (
            ["close-many", "refuted", "bbbb", "--reason", "no"], "closings",
            {"every": None, "total": 0, "outcome": "refuted", "remark": "no"}, "1 hit closed; 2 left out",
        ),
        (["assign", "bbbb", "--to", "ana"], "assignments", {"person": ANA, "remark": ""}, "1 hit assigned to ana"),
        (["assign", "bbbb", "--to", "nobody"], "assignments", {"person": None, "remark": ""}, "assigned to nobody"),
    ],
)  # fmt: skip
def test_what_is_done_with_several_hits(
    service: Service, capsys: pytest.CaptureFixture[str], words: list[str], path: str, body: Any, said: str
) -> None:
    """Each hit is found by its first digits; one call has them all."""
    assert main(["hit", *words, "--home", "node"]) == 0
    assert service.asked[-1] == ("POST", f"/v1/hits/{path}", {"hits": [{"round_id": ROUND, "hit_id": HIT}]} | body)
    assert said in capsys.readouterr().out


def test_the_last_decision_is_undone(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """The node says which one it is; where there is none, nothing is asked for. Nobody unknown gets a hit."""
    assert main(["hit", "undo", "--home", "node"]) != 0
    service.page = PAGE | {"undo": {"number": 7, "decision": "same", "hits": 3}}
    assert main(["hit", "undo", "--home", "node"]) == 0
    assert service.asked[-1] == ("POST", "/v1/hits/undo", {"number": 7})
    assert "The decision on 3 hits is undone." in capsys.readouterr().out
    assert main(["hit", "assign", "bbbb", "--to", "petar", "--home", "node"]) != 0


def test_a_list(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """Filters go to the node, and hits come beside own records with what is overdue."""
    words = ["--counterpart", "RS", "--certainty", "high", "--stage", "follow-up", "--overdue", "--older-than", "8"]
    words += ["--kind", "query"]
    assert main(["hit", "list", *words, "--home", "node"]) == 0
    assert "stage=follow_up" in service.asked[0][1]
    assert "older_than_hours=8" in service.asked[0][1]
    assert "kind=query" in service.asked[0][1]
    shown = capsys.readouterr().out
    for part in ("bbbbbbbb", "al-1", "Arben 1980-03-04", "in follow-up,", "overdue", "1 to 1 of 1 hit"):
        assert part in shown
    service.page = PAGE | {"hits": [], "total": 0}
    assert main(["hit", "list", "--home", "node"]) == 0
    assert "There is no such hit." in capsys.readouterr().out
    assert main(["hit", "list", "--counterpart", "Serbia", "--home", "node"]) == 2


@pytest.mark.usefixtures("service")
def test_a_hit_with_its_history(capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that was done stands there, with what blocks an export and who withdrew."""
    assert main(["hit", "show", "bbbb", "--home", "node"]) == 0
    shown = capsys.readouterr().out
    for part in ("all names agree", "siena (no number yet), urgent", "by telephone", "H1 blocks an export",
                 "Withdrawn by RS as not needed, after the 48 hours; acknowledged"):  # fmt: skip
        assert part in shown
    assert main(["hit", "letter", "bbbb", "--home", "node"]) == 0
    assert "REQUEST AFTER A HIT" in capsys.readouterr().out


@pytest.mark.parametrize(("expected", "says"), [(320, "about 0.3"), (12_000, "about 12.0"), (40, "fewer than 0.1")])
def test_what_chance_would_give(service: Service, capsys: pytest.CaptureFixture[str], expected: int, says: str) -> None:
    """In plain words beside the reasons."""
    for drift, moved in ((0, ""), (100, "; planted hits can move its odds by a factor of 2.00")):
        service.chance = {"hits": 41, "expected": expected, "drift_centibits": drift}
        assert main(["hit", "show", "bbbb", "--home", "node"]) == 0
        shown = " ".join(capsys.readouterr().out.split())
        assert f"{ROW} {says}{moved}" in shown
        assert ("planted" in shown) is bool(drift)
        assert "the year of birth differs; nothing agrees: origin" in shown
        assert "two persons agree in just this way at most once in 300 rounds" in shown
        assert "Arben: so, or sounding alike, in 12 of the 5,000 records of your list" in shown


@pytest.mark.parametrize(("hits", "says"), [([], "no hit"), ([ENTRY, ENTRY], "several hits")])
def test_an_id_that_is_none(service: Service, capsys: pytest.CaptureFixture[str], hits: list[Any], says: str) -> None:
    """Digits that mean no hit or several do nothing, and say so."""
    service.page = PAGE | {"hits": hits}
    assert main(["hit", "acknowledge", "bbbb", "--home", "node"]) == 1
    assert says in capsys.readouterr().err
    assert len(service.asked) == 1


def test_erasing_asks_first(
    service: Service, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a yes nothing is erased; with one it is said how much, and who is told."""
    monkeypatch.setattr("typer.confirm", _refuse)
    assert main(["node", "erase-record", "al-1", "--home", "node"]) != 0
    assert service.asked == []
    assert main(["node", "erase-record", "al-1", "--yes", "--home", "node"]) == 0
    assert service.asked == [("POST", "/v1/erasures", {"record_id": "al-1"})]
    assert "Erased: 1 row in 1 list, and 0 hits. Told: nobody" in capsys.readouterr().out


def test_erasing_a_record_with_hits_is_asked_for(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a reason the refusal is shown; with one a second person is awaited."""
    service.has_hits = True
    assert main(["node", "erase-record", "al-1", "--yes", "--home", "node"]) != 0
    assert "has 2 hits" in capsys.readouterr().err
    assert main(["node", "erase-record", "al-1", "--yes", "--reason", "the court says so", "--home", "node"]) == 0
    assert service.asked[-1] == (
        "POST", "/v1/erasure-requests", {"record_id": "al-1", "reason": "the court says so"},
    )  # fmt: skip
    assert "The erasure waits for a second person, as request aaaaaaaa" in capsys.readouterr().out


def _refuse(*_: object, **__: object) -> None:
    import typer  # noqa: PLC0415 - as the command does

    raise typer.Abort


def test_statistics(service: Service, capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    """The latest round of a category is shown as it is published; every number goes to a file where that is wanted."""
    file, words = tmp_path / "numbers.csv", ["--category", "suspects", "--since", "2026-11-01", "--until", "2026-11-30"]
    assert main(["matcher", "statistics", "--home", "matcher", *words, "--csv", str(file)]) == 0
    shown = capsys.readouterr().out
    for part in (
        "Hits of queries: suspects, round",
        "AL-RS",
        "1-4",
        "<5",
        "multiples of 5",
        "they repeat lists",
    ):
        assert part in shown
    assert file.read_text() == "round,category\n"
    query = "category=suspects&since=2026-11-01&until=2026-11-30"
    assert {path for _, path, _ in service.asked} == {
        f"/v1/operator/statistics?{query}", f"/v1/operator/statistics.csv?{query}",
    }  # fmt: skip
