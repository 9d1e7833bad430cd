"""Rounds and hits as tables."""

import json
from types import SimpleNamespace
from typing import Any, cast

from aquila.interface.queries import QueryAnswer
from aquila.interface.rounds import Hits
from aquila.interface.sentence import SentenceView
from aquila.sentences import quoted
from clients.cli.demo.round_views import hits_table, query_views
from clients.cli.output.screen import Table

ROUND, QUERY = "a" * 32, "b" * 32
CHANCE = {"high": 12, "medium": 500, "low": 2_300}


def said(text: str) -> dict[str, Any]:
    return SentenceView.of(quoted(text)).model_dump(mode="json")


def hit(number: int, certainty: str, submission_id: str | None = None) -> dict[str, Any]:
    return {
        "hit_id": f"{number:032x}",
        "counterpart": "RS",
        "certainty": certainty,
        "families": ["names"],
        "sentences": ["names", "date of birth", "rare names"],
        "record_id": f"r-{number}",
        "record": {"given_names": ["Ana"], "date_of_birth": "1980-01-02"},
        "submission_id": submission_id,
    }


LIST = {"kind": "list", "submission_id": "c" * 32, "state": "answered"}
CONTENT = {
    "round_id": ROUND,
    "phase": "reporting",
    "answers": [LIST],
    "awaited": [],
    "problems": [],
    "hits": [hit(1, "low"), hit(2, "high"), hit(3, "low"), hit(4, "high", QUERY)],
    "chance": [
        {"counterpart": "RS", "submission_id": None, "chance_hits": CHANCE},
        {"counterpart": "RS", "submission_id": QUERY, "chance_hits": CHANCE},
    ],
}
HITS = Hits.model_validate_json(json.dumps(CONTENT))


def test_the_surest_hits_come_first() -> None:
    """Beside the own record, with the reasons in words; the rest is counted."""
    shown, left = hits_table(HITS, 2)
    assert isinstance(shown, Table)
    assert [row[0] for row in shown.rows] == ["r-2", "r-4"]
    assert shown.rows[0][1:] == ("Ana, 1980-01-02", "RS", "high", "unconfirmed", "names, date of birth and rare names")
    assert left == "2 more hits not shown."


def test_confirmed_and_refuted_hits() -> None:
    """The note of a confirmed hit stands below with the own evaluation before and after; a refuted one says why."""
    note = {
        "evaluation": "C4",
        "handling_code": None,
        "category": None,
        "reference": "RS-AAAA-BBBB-CCCC",
        "contact": "CT",
    }
    known = {
        "state": "confirmed",
        "sentence": said("both"),
        "blamed_by": None,
        "reference": "AL-AAAA-BBBB-CCCC",
        "rules": [],
    }
    told = {"before": "X4", "after": "X3", "sentence": "another source", "assumption": "independent"}
    wrong = known | {
        "state": "refuted",
        "sentence": said("a lie"),
        "blamed_by": "RS",
        "note": None,
        "intelligence": None,
    }
    same = {"before": "", "after": "", "sentence": "not evaluated", "assumption": "independent"}
    exchanges = [
        known | {"note": note, "intelligence": told},
        wrong,
        known | {"note": note | {"evaluation": ""}, "intelligence": same},
    ]
    hits = [hit(number, "high") | {"exchange": one} for number, one in enumerate(exchanges, start=1)]
    _, notes, refuted = hits_table(Hits.model_validate_json(json.dumps(CONTENT | {"hits": hits})), 9)
    assert isinstance(notes, Table)
    assert list(notes.rows) == [
        ("r-1", "Ana, 1980-01-02", "RS", "RS-AAAA-BBBB-CCCC", "C4", "-", "CT", "X4 -> X3"),
        ("r-3", "Ana, 1980-01-02", "RS", "RS-AAAA-BBBB-CCCC", "-", "-", "CT", "-"),
    ]
    assert refuted == "r-2 (Ana, 1980-01-02), RS: refuted by RS: a lie"


def test_an_answer_says_with_whom_it_was_checked() -> None:
    checks = [
        SimpleNamespace(counterpart=code, agreed=code == "RS", is_distrusted=code == "AL") for code in ("AL", "RS")
    ]
    answer = SimpleNamespace(
        entry=SimpleNamespace(submission_id=QUERY),
        parties=[SimpleNamespace(party=code, state=SimpleNamespace(value="answered")) for code in ("AL", "RS")],
        persons=[SimpleNamespace(record_id="q-1", record={"full_name": "Ana Kos"}, hits=(), compared=True)],
        problems=(),
        minimum_certainty=SimpleNamespace(value="low"),
        checks=checks,
    )
    table = query_views(cast(QueryAnswer, answer))[0]
    assert isinstance(table, Table)
    assert list(table.rows) == [("q-1", "Ana Kos", "not to be trusted", "no-hit")]
    assert "checked with RS that the matcher hid no hit" in str(query_views(cast(QueryAnswer, answer))[-1])
    checks.clear()
    assert "checked with no party" in str(query_views(cast(QueryAnswer, answer))[-1])
