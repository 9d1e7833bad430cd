"""The page that says which entries answer which law: every kind is on it, and every test that it cites is there."""

from __future__ import annotations

import re
from pathlib import Path

from aquila.audit.entries import EntryKind

ROOT = Path(__file__).parents[2]
LAWS = {"LED 25", "Prüm II 33", "Prüm II 45", "Prüm II 72"}


def rows() -> list[list[str]]:
    """Return the cells of the table's rows."""
    page = (ROOT / "schemas" / "log" / "duties.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_every_kind_of_entry_is_on_it() -> None:
    """Whoever adds a kind says which law asks for it; no kind is named that is gone."""
    named = {kind.strip() for row in rows() for kind in row[2].split(",")}
    assert named == {kind.value for kind in EntryKind}


def test_every_law_is_on_it() -> None:
    """Collection, alteration, consultation, disclosure, combination and erasure, and the three articles of Prüm II."""
    found = rows()
    assert {row[0] for row in found} == LAWS
    asked = " ".join(row[1] for row in found)
    for word in ("collection", "alteration", "consultation", "disclosure", "combination", "erasure", "reason"):
        assert word in asked


def test_every_cited_test_is_there() -> None:
    """A row is shown by a test, or it is not shown."""
    for row in rows():
        path, _, name = row[4].partition("::")
        content = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"def {name}\(", content), row[4]
