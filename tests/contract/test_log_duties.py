"""The page that says which entries answer which law: every kind is on it, and every test that it cites is there."""

import ast
import re
from pathlib import Path

from aquila.audit.entries import EntryKind

ROOT = Path(__file__).parents[2]
LAWS = {"LED 15", "LED 25", "Prüm II 33", "Prüm II 45", "Prüm II 72"}


def rows() -> list[list[str]]:
    page = (ROOT / "schemas" / "log" / "duties.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_every_kind_of_entry_is_on_it() -> None:
    """Whoever adds a kind says which law asks for it; no kind is named that is gone."""
    named = {kind.strip() for row in rows() for kind in row[2].split(",")}
    assert sorted(named ^ set(EntryKind)) == [], "each has a row in schemas/log/duties.md"


def test_every_law_is_on_it() -> None:
    """Of the Directive limits of access and logging, with each kind of processing, and three articles of Prüm II."""
    found = rows()
    assert {row[0] for row in found} == LAWS
    asked = " ".join(row[1] for row in found)
    for word in ("collection", "alteration", "consultation", "disclosure", "combination", "erasure", "reason"):
        assert word in asked


def test_every_kind_is_shown_by_a_cited_test() -> None:
    """Each test that a row cites is there, and one of them, or a table of its module, names each kind of the row."""
    for row in rows():
        shown = "".join(map(code_of, row[4].split(", ")))
        for kind in row[2].split(", "):
            assert re.search(rf"EntryKind\.{kind.upper()}\b|[\"']{kind}[\"']", shown), f"{row[1]}: {kind}"


def code_of(cited: str) -> str:
    """Return the code of a cited test, and of the constants of its module."""
    path, _, name = cited.partition("::")
    content = (ROOT / path).read_text(encoding="utf-8")
    parts = ast.parse(content).body
    (test,) = (part for part in parts if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.name == name)
    constants = [part for part in parts if isinstance(part, ast.Assign | ast.AnnAssign)]
    return "\n".join(ast.get_source_segment(content, part) or "" for part in (test, *constants))
