"""Every sentence of core, services and clients is in the one table, with its places; and the table has no other."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from aquila.errors import AquilaError
from aquila.followup.lifecycle import LifecycleStepKind, Stage
from aquila.protocol.messages import Fault, Kind
from aquila.protocol.messages.announcements import Outcome
from aquila.sentences import SENTENCES
from aquila.sentences.sentence import PLACE, QUOTED

_ROOT = Path(__file__).parents[2]
_FOLDERS = ("aquila", "services", "clients")
_FAMILIES = {"hit_": Stage, "step_": LifecycleStepKind, "fault_": Fault, "guesses_": Kind, "ended_": Outcome}
"""Sentences whose id ends in a value of an enumeration."""
_COMPUTED = {"to_be_closed", "to_be_aborted"} | {
    prefix + member.value for prefix, members in _FAMILIES.items() for member in members
}


class _Use(NamedTuple):
    """A place in the source that names a sentence."""

    where: str
    code: str
    fields: frozenset[str] | None


@cache
def _sources() -> dict[Path, list[ast.AST]]:
    """Return what stands in each module of core, services and clients."""
    paths = sorted(path for folder in _FOLDERS for path in (_ROOT / folder).rglob("*.py"))
    return {path: list(ast.walk(ast.parse(path.read_text("utf-8")))) for path in paths}


def _error_names() -> set[str]:
    found, new = {AquilaError.__name__}, True
    classes = [node for nodes in _sources().values() for node in nodes if isinstance(node, ast.ClassDef)]
    while new:
        new = {
            node.name
            for node in classes
            if node.name not in found and any(isinstance(base, ast.Name) and base.id in found for base in node.bases)
        }
        found |= new
    return found


@cache
def _uses() -> tuple[_Use, ...]:
    """Return every error and every sentence that is made in the source with a literal id."""
    errors = _error_names()
    found = []
    for path, nodes in _sources().items():
        for node in nodes:
            if not isinstance(node, ast.Call) or not node.args:
                continue
            is_error = isinstance(node.func, ast.Name) and node.func.id in errors
            is_sentence = isinstance(node.func, ast.Attribute) and ast.unparse(node.func) == "Sentence.of"
            names = [keyword.arg for keyword in node.keywords]
            fields = None if None in names else frozenset(name for name in names if name)
            codes = _codes(node.args[0]) if is_error or is_sentence else ()
            found += [_Use(f"{path.relative_to(_ROOT)}:{node.lineno}", code, fields) for code in codes]
    return tuple(found)


def _codes(node: ast.expr) -> Iterator[str]:
    """Yield the ids in a literal, or in both branches of a choice."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.IfExp):
        yield from _codes(node.body)
        yield from _codes(node.orelse)


def test_uses_are_found() -> None:
    """The test looks at something: some hundred places name a sentence."""
    assert len(_uses()) > 600


def test_every_sentence_that_is_made_is_in_the_table() -> None:
    """No error is raised with an English text, or with an id that nobody wrote a text for."""
    assert [use for use in _uses() if use.code not in SENTENCES] == []
    assert [code for code in _COMPUTED if code not in SENTENCES] == []


def test_every_place_is_filled_where_the_sentence_is_made() -> None:
    """A text never shows `{party}`; hints count too."""
    lacking = [
        (use.where, use.code, sorted(places - use.fields))
        for use in _uses()
        if use.fields is not None
        and (places := set(PLACE.findall(SENTENCES[use.code].text + SENTENCES[use.code].hint))) - use.fields
    ]
    assert lacking == []


def test_every_sentence_of_the_table_is_made_somewhere() -> None:
    """No text lives on that nobody can read."""
    named = {
        node.value
        for path, nodes in _sources().items()
        if "sentences" not in path.parts
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(SENTENCES) - named - _COMPUTED - {QUOTED} == set()


def test_an_id_is_in_one_table_only() -> None:
    """Tables of areas are put together without a loss."""
    tables = [
        ast.parse(path.read_text("utf-8"))
        for path in (_ROOT / "aquila" / "sentences").glob("*.py")
        if path.stem not in {"__init__", "sentence"}
    ]
    keys = [
        str(key.value)
        for tree in tables
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    ]
    assert sorted(keys) == sorted(set(SENTENCES) - {QUOTED})


@pytest.mark.parametrize("area", ["text", "hint"])
def test_texts_are_plain(area: str) -> None:
    """A text begins small, unless with a name or in a letter, has no full stop at its end, and no line break."""
    texts = {code: getattr(SENTENCES[code], area) for code in SENTENCES if code != QUOTED}
    wrong = {code for code, text in texts.items() if text.endswith(".") or "\n" in text or text != text.strip()}
    wrong |= {code for code, text in texts.items() if re.match("[A-Z][a-z]* ", text) and not code.startswith("letter_")}
    assert wrong == set()
