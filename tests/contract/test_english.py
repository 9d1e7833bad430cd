"""Plain English: docstrings begin with a result or an action, and errors with a small letter."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_FILES = sorted(path for folder in ("aquila", "services", "clients") for path in (_ROOT / folder).rglob("*.py"))

# Each pattern with an example that it refuses, so that it cannot become toothless.
_REFUSED = {
    "a headless clause": (
        r"^(What|Who|Whom|Whose|Whoever|Whether|Where|How|When|Why|Which|So|As many)\b",
        "What a round costs.",
    ),
    "'return what' for a noun": (
        r"\b([Rr]eturn|[Yy]ield|[Ss]how|[Pp]rint|[Rr]ead|[Kk]eep|[Ss]tore)s? (what|who|whom)\b",
        "Return what was sent.",
    ),
    "'tell' or 'say' for return, report or state": (r"\b([Tt]ells?|[Tt]old|[Ss]ays?|[Ss]aid)\b", "Tell whether it is."),
    "a quantifier without a noun": (r"\b[Ss]o many\b", "Begin so many at once."),
    "'is no' for 'is not a'": (r"\b(is|are|was|were) no\b", "Refuse what is no hash."),
    "'anew'": (r"\b[Aa]new\b", "Made anew."),
    "'beside'": (r"\b[Bb]eside\b", "Beside the own record."),
    "'stands'": (r"\b([Ss]tands?|[Ss]tood)\b", "Where a hit stands."),
    "'whoever'": (r"\b[Ww]ho(m|s)?ever\b", "Let go of whoever waits."),
}


@functools.cache
def _tree(path: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(path.read_text())


@functools.cache
def _first_lines(path: Path) -> list[tuple[int, str]]:
    """Return the first line of each docstring of a module without names of the code, with its line number."""
    lines = []
    for node in ast.walk(_tree(path)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text:
                lines.append((node.body[0].lineno, re.sub(r"`[^`]*`", "``", text.splitlines()[0])))
    return lines


@pytest.mark.parametrize("name", _REFUSED)
def test_no_docstring_begins_in_a_dialect(name: str) -> None:
    """First lines of docstrings bear none of the patterns that only those at home here could read."""
    pattern, example = _REFUSED[name]
    assert re.search(pattern, example)
    found = [
        f"{path.relative_to(_ROOT)}:{number}: {line}"
        for path in _FILES
        for number, line in _first_lines(path)
        if re.search(pattern, line)
    ]
    assert not found, "\n".join(found)
