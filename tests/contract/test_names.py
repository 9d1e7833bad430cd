"""No module, class or public function of the wheel has a retired name again: `docs/GLOSSARY.md` has the terms."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
MODULES = frozenset(
    [
        "acting",
        "allowances",
        "amend",
        "asking",
        "audit_log",
        "bell",
        "beside",
        "book",
        "calculated",
        "calls",
        "cast",
        "catalogue",
        "checking",
        "cleaning",
        "compose",
        "deciding",
        "deleting",
        "desk",
        "each_round",
        "exits",
        "four_eyes",
        "guard",
        "held_calls",
        "inside",
        "known",
        "lanes",
        "ledger",
        "letters",
        "life",
        "lives",
        "log_desk",
        "manifests",
        "marks",
        "needs",
        "office",
        "particulars",
        "pictures",
        "places",
        "planted",
        "proposing",
        "reach",
        "rehearsal",
        "room",
        "scratch",
        "seats",
        "sentences",
        "showing",
        "stage",
        "standing",
        "story",
        "telling",
        "terms",
        "traces",
        "troubles",
        "untold",
        "watching",
        "whoami",
        "wishes",
        "words",
    ]
)
"""Names of modules that said nothing to a newcomer."""

CLASSES = frozenset(
    [
        "Accepted",
        "Arrivals",
        "AskedErasure",
        "AskedErasures",
        "AskedList",
        "AskedRound",
        "Bell",
        "Beside",
        "Blinding",
        "Book",
        "Buckets",
        "Carried",
        "Carrier",
        "Cast",
        "Checked",
        "Condition",
        "Cosigned",
        "Countable",
        "Delivered",
        "Desk",
        "Door",
        "Effect",
        "Evaluated",
        "Evaluating",
        "Explained",
        "Faults",
        "Finalizing",
        "Footing",
        "Foreseen",
        "Found",
        "FoundInFile",
        "Front",
        "GivenReason",
        "Graded",
        "HeldAnswer",
        "HeldCalls",
        "HitLifeRow",
        "Inside",
        "Joined",
        "Judged",
        "Known",
        "KnownRounds",
        "LastWord",
        "Left",
        "LeftOut",
        "Life",
        "ListTelling",
        "LogDesk",
        "Made",
        "Making",
        "Need",
        "Needs",
        "News",
        "NotAsked",
        "Noted",
        "Office",
        "Opened",
        "Parcel",
        "PartyStanding",
        "Places",
        "Prepared",
        "Restored",
        "RuleTelling",
        "Sealed",
        "Sealing",
        "Searched",
        "Seat",
        "SpentRow",
        "Spread",
        "StandingPair",
        "Story",
        "TallyRow",
        "Trouble",
        "Turn",
        "UnaskedRound",
        "Undone",
        "Unproven",
        "Verifying",
        "Wanted",
        "WantedImport",
        "Watched",
        "WhoAmI",
        "Whose",
        "Work",
        "Workers",
        "Workshop",
    ]
)
"""Names of classes that have a term of the field in their place."""

FUNCTIONS = frozenset(
    [
        "asked_list",
        "book_of",
        "check_room",
        "clean_up",
        "desk_of",
        "footing_of",
        "footing_on",
        "foresee",
        "greet",
        "handles_told",
        "hang",
        "has_room",
        "held_back_of",
        "hung",
        "is_never_told",
        "learn_footings",
        "lent",
        "life_of",
        "life_row",
        "make_cast",
        "may_tell",
        "news_for",
        "news_of",
        "note_alive",
        "note_confirmed",
        "note_fault",
        "note_known_caller",
        "note_outcome",
        "note_problem",
        "note_reference",
        "open_desk",
        "open_office",
        "particulars",
        "places_of",
        "put_before",
        "scrub",
        "silence",
        "silent_families",
        "standing_bits",
        "store_told",
        "sweep",
        "take_down",
        "take_off",
        "take_unseen",
        "tally",
        "tell_all",
        "tell_canaries",
        "tell_erased",
        "tell_hidden",
        "tell_late",
        "tell_lists",
        "tell_outcomes",
        "tell_refusals",
        "tell_rules",
        "tells_context",
        "tells_hits",
        "tells_withheld_answers",
        "told_apart",
        "trouble_of",
        "untold_queries",
        "who_am_i",
        "wish_abort",
        "wish_close",
        "wish_consent",
        "wish_submission",
        "workers_of",
    ]
)
"""Names of public functions that were renamed."""


VARIABLES = frozenset(["bell", "book", "desk", "footing", "footings", "seat", "seats"])
"""Names of arguments, variables and attributes that were renamed, in tests as well."""


def _trees(*tops: str) -> Iterator[tuple[Path, ast.Module]]:
    """Yield each module of some folders with its syntax tree."""
    for top in tops:
        for path in sorted((ROOT / top).rglob("*.py")):
            yield path, ast.parse(path.read_text("utf-8"))


def _retired(node: ast.AST) -> str | None:
    """Return the retired name that a part of a module bears, or None."""
    match node:
        case ast.ClassDef(name=name) if name in CLASSES:
            return name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if name in FUNCTIONS:
            return name
        case ast.arg(arg=name) | ast.Name(id=name) | ast.Attribute(attr=name) if name in VARIABLES:
            return name
    return None


def test_no_retired_name_is_used() -> None:
    """Every name of the wheel, and of what tests of several folders use, is none of these."""
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path, tree in _trees("aquila", "services", "clients", "tests/support")
        for name in [path.stem if path.stem in MODULES else None, *map(_retired, ast.walk(tree))]
        if name
    ]
    assert not found


def test_no_test_uses_a_retired_variable() -> None:
    """Tests call the nodes and contexts of services as the services do."""
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path, tree in _trees("tests")
        for name in map(_retired, ast.walk(tree))
        if name in VARIABLES
    ]
    assert not found


@pytest.mark.parametrize("line", ["def scrub(self): ...", "class Office: ...", "self.desk = 1", "def f(seat): ..."])
def test_a_retired_name_is_found(line: str) -> None:
    """Functions, classes, attributes and arguments are looked at."""
    assert any(map(_retired, ast.walk(ast.parse(line))))


def test_the_glossary_retires_them() -> None:
    """The words for parts of a service that the glossary no longer calls so are in these lists."""
    text = (ROOT / "docs" / "GLOSSARY.md").read_text("utf-8")
    rows = re.findall(r"^\| (?:round memory|wake-up|context|home) \|.+\| (.+?) \|$", text, re.MULTILINE)
    words = {word for row in rows for word in re.findall(r"\b(?:book|known|bell|desk|seats?)\b", row)}
    assert words == {"book", "known", "bell", "desk", "seat"}
    assert {word.capitalize() for word in words} <= CLASSES
