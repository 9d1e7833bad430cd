"""Rounds and hits as tables."""

import json
from types import SimpleNamespace
from typing import Any, cast

from aquila.interface.queries import AskedPersons, QueryAnswer
from aquila.interface.rounds import Hits
from aquila.interface.sentence import SentenceView
from aquila.sentences import quoted
from clients.cli.output.round_views import asked_views, chance_table, hits_table, hits_views, query_views
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


def test_chance_stands_beside_the_hits_it_may_have_made() -> None:
    table = chance_table(HITS)
    assert table.columns == ("known to", "of", "high", "medium", "low")
    assert list(table.rows) == [
        ("RS", "lists", "0.01 of 1", "0.50 of 0", "2.30 of 2"),
        ("RS", "query bbbbbbbb", "0.01 of 1", "0.50 of 0", "2.30 of 0"),
    ]


def sentences(**changes: object) -> list[object]:
    return list(hits_views(Hits.model_validate_json(json.dumps(CONTENT | {"hits": [], "chance": []} | changes)), 9))


def test_no_hit_is_said_of_an_answered_list_alone() -> None:
    assert sentences() == ["There is no hit."]
    awaited = [{"party": "RS", "step": "list"}, {"party": None, "step": "report"}]
    unsigned = LIST | {"submission_id": None, "state": "awaited"}
    assert sentences(phase="open", answers=[unsigned], awaited=awaited) == [
        "No answer: the round is open; the list is not answered yet. This is neither a hit nor a no-hit.",
        "Awaited: list from RS",
        "Awaited: report from the matcher",
    ]
    half = [{"party": code, "state": state, "since": None} for code, state in (("AL", "answered"), ("RS", "never"))]
    assert sentences(phase="open", answers=[LIST | {"state": "never", "parties": half}]) == [
        "The list is complete but for RS: without an answer there is neither hit nor no-hit."
    ]
    query = {"kind": "query", "submission_id": QUERY, "state": "never"}
    assert sentences(phase="aborted", answers=[LIST, query], problems=[said("the key is gone")]) == [
        (
            "No answer: the round is aborted; the query bbbbbbbb was not answered, and will not be. "
            "This is neither a hit nor a no-hit."
        ),
        "Problem: the key is gone",
    ]
    assert "erased after the round's retention" in str(sentences(answers=[LIST | {"state": "erased"}])[0])


def test_a_withheld_answer_is_no_answer() -> None:
    answers = [
        {"party": code, "state": state, "since": 1}
        for code, state in (("AL", "on_hold"), ("RS", "refused"), ("SI", "answered"))
    ]
    query = {"kind": "query", "submission_id": QUERY, "state": "answered", "parties": answers}
    lines = [line for line in sentences(answers=[LIST, query]) if isinstance(line, str)]
    assert any(line.startswith("AL withholds its answer") for line in lines)
    assert any(line.startswith("RS refuses its answer: no hit with RS is not a no-hit") for line in lines)
    assert "There is no hit." not in lines


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


def test_persons_asked_for_are_read_back() -> None:
    """Names with the words that are compared, the rest as written, and below what is odd."""
    name = {"field": "family_names", "written": "Kos", "words": ["kos"]}
    odd = {"line": 1, "field": "date_of_birth", "reason": said("is odd"), "severity": "warning", "record_id": "Q-1"}
    person = {"record_id": "Q-1", "record": {"family_names": ["Kos"], "date_of_birth": "2071"}, "names": [name]}
    asked = {"persons": [person | {"findings": [odd]}], "left_out": 3}
    persons, strange, left_out = asked_views(AskedPersons.model_validate_json(json.dumps(asked)))
    assert isinstance(persons, Table)
    assert persons.rows == [(1, "family_names", "Kos", "kos"), (1, "date_of_birth", "2071", "")]
    assert isinstance(strange, Table)
    assert strange.rows == [(1, "date_of_birth", "is odd")]
    assert left_out == "3 more persons of this list not shown."
