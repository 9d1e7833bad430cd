"""No module, class or public function of the wheel has a retired name again: `docs/GLOSSARY.md` has the terms."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = frozenset(
    [
        "acting",
        "allowances",
        "amend",
        "asking",
        "audit_log",
        "beside",
        "bell",
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
        "Bell",
        "Beside",
        "Blinding",
        "Book",
        "Buckets",
        "Carried",
        "Carrier",
        "Cast",
        "Condition",
        "Desk",
        "Door",
        "Effect",
        "Evaluating",
        "Faults",
        "Finalizing",
        "Footing",
        "Found",
        "GivenReason",
        "HitLifeRow",
        "Inside",
        "Known",
        "KnownRounds",
        "Left",
        "Life",
        "LogDesk",
        "Need",
        "Needs",
        "Noted",
        "Office",
        "Parcel",
        "Places",
        "Seat",
        "SpentRow",
        "Spread",
        "StandingPair",
        "Story",
        "TallyRow",
        "Trouble",
        "Turn",
        "Verifying",
        "Watched",
        "Work",
        "Workers",
        "Workshop",
    ]
)
"""Names of classes that have a term of the field in their place."""

FUNCTIONS = frozenset(
    [
        "book_of",
        "check_room",
        "clean_up",
        "footing_of",
        "footing_on",
        "has_room",
        "held_back_of",
        "learn_footings",
        "life_of",
        "life_row",
        "make_cast",
        "news_of",
        "note_problem",
        "open_desk",
        "open_office",
        "places_of",
        "tell_erased",
        "tell_hidden",
        "tell_late",
        "told_apart",
        "trouble_of",
        "wish_abort",
        "wish_close",
        "wish_consent",
        "wish_submission",
        "workers_of",
    ]
)
"""Names of public functions that were renamed."""


def test_no_retired_name_is_used() -> None:
    """Every name of the wheel is none of these."""
    files = [path for top in ("aquila", "services", "clients") for path in (ROOT / top).rglob("*.py")]
    assert not {path.relative_to(ROOT).as_posix() for path in files if path.stem in MODULES}
    found = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in files
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.ClassDef) and node.name in CLASSES)
        or (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in FUNCTIONS)
    ]
    assert not found


def test_the_glossary_retires_them() -> None:
    """The words for parts of a service that the glossary no longer calls so are in these lists."""
    text = (ROOT / "docs" / "GLOSSARY.md").read_text("utf-8")
    rows = re.findall(r"^\| (?:round memory|wake-up|context|home) \|.+\| (.+?) \|$", text, re.MULTILINE)
    words = {word for row in rows for word in re.findall(r"\b(?:book|known|bell|desk|seats?)\b", row)}
    assert words == {"book", "known", "bell", "desk", "seat"}
    assert {word.capitalize() for word in words} <= CLASSES
