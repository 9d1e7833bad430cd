"""Rows of the list of hits: a person each, and in words what sets the hits of one apart from most of the page."""

from typing import Any

from aquila.interface.hits import HitEntry
from clients.web.i18n.languages import languages
from clients.web.pages.hits.rows import rows_of

ENGLISH = languages()["en"]
USUAL = ("whole date", "name pair")


def hit(person: int, counterpart: str = "RS", **changes: Any) -> HitEntry:
    fields: dict[str, Any] = {
        "round_id": "0" * 32,
        "hit_id": f"{person:031x}{len(counterpart)}",
        "counterpart": counterpart,
        "certainty": "high",
        "stage": "new",
        "decision": None,
        "outcome": None,
        "arrived_at": 0,
        "due_at": 100 + person,
        "overdue": False,
        "record_id": str(person),
        "record": {},
        "reasons": ("names",),
        "parts": USUAL,
        "person": person,
    }
    return HitEntry.model_validate(fields | changes)


def test_rows_say_what_sets_them_apart() -> None:
    hits = [
        hit(0),
        hit(1, parts=("document number", *USUAL)),
        hit(2, parts=("name pair",)),
        hit(3, parts=("bare year", "name pair")),
        hit(4, parts=()),
        hit(5, "RS"),
        hit(5, "SI", parts=("telephone number", *USUAL)),
    ]
    usual, rows = rows_of(hits, ENGLISH)
    assert set(usual.split(" + ")) == {"full date of birth", "same given and family name"}
    assert [row.lines for row in rows] == [
        ["nothing else"],
        ["same document number"],
        ["without full date of birth"],
        ["year of birth"],
        ["names"],
        ["RS: nothing else", "SI: same telephone number"],
    ]


def test_two_persons_have_all_of_their_reasons() -> None:
    usual, rows = rows_of([hit(0), hit(1)], ENGLISH)
    assert usual == ""
    assert [row.lines for row in rows] == [["full date of birth + same given and family name"]] * 2


def test_a_decision_is_about_the_hits_without_one() -> None:
    """Where all have one, it is about those that are open; of a row with none, the first hit names it."""
    new, decided = hit(0, "RS"), hit(0, "SI", stage="decided", decision="same", assignee="p1", due_at=50)
    closed = hit(0, "AL", stage="closed", decision="same", due_at=None)
    [row] = rows_of([closed, decided, new], ENGLISH)[1]
    assert (row.meant, row.first) == ([new], new)
    assert (row.stages, row.decisions, row.assignees, row.due_at) == (
        ("closed", "decided", "new"),
        ("same",),
        ("p1",),
        50,
    )
    assert rows_of([closed, decided], ENGLISH)[1][0].meant == [decided]
    assert rows_of([closed], ENGLISH)[1][0].first == closed
    assert rows_of([], ENGLISH) == ("", [])
