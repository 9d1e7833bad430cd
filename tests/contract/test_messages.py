"""Messages and hints of errors are clauses: the command and the pages put words before them."""

import ast
import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_FILES = sorted(path for folder in ("aquila", "services", "clients") for path in (_ROOT / folder).rglob("*.py"))


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
        if isinstance(call, ast.Call) and _called(call.func).endswith("Error")
        for text in (*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "hint"))
        for first, last in _ends(text)
    ]


def _called(function: ast.expr) -> str:
    """Return the last name of what is called."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


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
def test_a_plain_message_is_told_from_others(text: str, *, plain: bool) -> None:
    """The check refuses a capital and a full stop, and lets acronyms and names of the code begin."""
    tree = ast.parse(f"raise InputError({text!r})")
    assert [_is_plain(first, last) for _, first, last in _messages(tree)] == [plain]


def test_errors_begin_small_and_bear_no_full_stop() -> None:
    """No message or hint in the code begins with a capital or ends with a full stop."""
    messages = [(path, *message) for path in _FILES for message in _messages(ast.parse(path.read_text()))]
    assert len(messages) > 500  # they are found at all
    found = [
        f"{path.relative_to(_ROOT)}:{number}: {first}...{last}"
        for path, number, first, last in messages
        if not _is_plain(first, last)
    ]
    assert not found, "\n".join(found)
