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


def _ends(value: ast.expr) -> list[tuple[str, str]]:
    """Return the first and the last literal part of each text that an expression can be; a value is a letter."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return [(value.value, value.value)]
    if isinstance(value, ast.JoinedStr):
        parts = [str(part.value) if isinstance(part, ast.Constant) else "x" for part in value.values]
        return [(parts[0], parts[-1])]
    if isinstance(value, ast.BinOp):
        return [(first, last) for first, _ in _ends(value.left) for _, last in _ends(value.right)]
    if isinstance(value, ast.IfExp):
        return _ends(value.body) + _ends(value.orelse)
    return []


def _messages(tree: ast.Module) -> list[tuple[int, str, str]]:
    """Return line, beginning and end of each message and hint of an error that a module makes."""
    return [
        (call.lineno, first, last)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("Error")
        for text in (*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "hint"))
        for first, last in _ends(text)
    ]


def _is_plain(first: str, last: str) -> bool:
    """Return whether a message begins with a small letter, an acronym or a name of the code, and has no full stop."""
    begins = not first[:1].isupper() or re.match(r"[A-Z]{2}|[A-Z][a-z]+[A-Z]", first) is not None
    return begins and not last.endswith(".")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a list is empty", True),
        ("TOML it is not", True),
        ("FinalizeOperands needs n", True),
        ("A list", False),
        ("x.", False),
    ],
)
def test_a_plain_message_is_told_from_others(text: str, plain: bool) -> None:  # noqa: FBT001 - a case of a table
    """The check refuses a capital and a full stop, and lets acronyms and names of the code begin."""
    tree = ast.parse(f"raise InputError({text!r})")
    assert [_is_plain(first, last) for _, first, last in _messages(tree)] == [plain]


def test_errors_begin_small_and_bear_no_full_stop() -> None:
    """Messages and hints of errors are clauses, because the command and the pages put words before them."""
    messages = [(path, *message) for path in _FILES for message in _messages(_tree(path))]
    assert len(messages) > 500  # they are found at all
    found = [
        f"{path.relative_to(_ROOT)}:{number}: {first}...{last}"
        for path, number, first, last in messages
        if not _is_plain(first, last)
    ]
    assert not found, "\n".join(found)
