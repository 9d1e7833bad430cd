"""Sentences that the core and the services write, found in their source for the catalogues.

A sentence that holds a number, a code or another sentence is a message with places: `%(v1)s is no longer in the round`.
`Language.told` says such a sentence in another language.
"""

from __future__ import annotations

import ast
import re
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from clients.web.i18n.languages import PLACE

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[3]
_WRITERS = (
    "aquila/audit/witness.py", "aquila/followup/lifecycle.py", "aquila/matching/multiplicity.py",
    "aquila/protocol/*.py", "aquila/protocol/rounds/*.py", "aquila/protocol/submissions/*.py",
    "aquila/records/*.py", "aquila/records/reading/*.py", "services/**/*.py",
)  # fmt: skip
"""Where sentences are written that can come to a page; those of the start of a service and of commands cannot."""
_OTHERS = re.compile(
    r".*(routes|letter|/api/\w+|openapi|operator_token|tables|settings|server|cluster|migrate|migrations/.*|home|home_folder"
    r"|main|problems|statistics/\w+|errors)\.py"
)
_UNSAID = frozenset({"hint", "comment", "description", "title", "summary"})  # arguments whose texts no page shows
_LEAST_WORDS = 3  # of a sentence; two where there is a place as well
_WORD = re.compile(r"(?<![^\s(])[A-Za-z][a-z'-]*(?=[\s,;:.)]|$)")


def written_sentences() -> Iterator[str]:
    """Yield the sentences in the source of the core and the services, as messages with placeholders."""
    for pattern in _WRITERS:
        for path in sorted(_ROOT.glob(pattern)):
            if not _OTHERS.fullmatch(path.as_posix()):
                yield from _sentences(ast.parse(path.read_text("utf-8")))


def _sentences(tree: ast.AST) -> Iterator[str]:
    """Yield the texts of a module that read as a sentence."""
    unsaid = set(_unsaid(tree))
    for node in ast.walk(tree):
        if node not in unsaid and _is_sentence(text := _text(node)):
            yield text


def _is_sentence(text: str) -> bool:
    """Distinguish a sentence from names, addresses, queries of a database and the like."""
    least = _LEAST_WORDS - bool(PLACE.search(text))
    return len(_WORD.findall(text)) >= least and not re.match(r"[A-Z]{2}|/|#|aquila/", text) and "\n" not in text


def _unsaid(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield docstrings, parts of f-strings, and arguments that no page shows."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield from node.values
        elif isinstance(node, ast.keyword) and node.arg in _UNSAID:
            yield from ast.walk(node.value)


def _text(node: ast.AST) -> str:
    """Return the text of a constant or an f-string with its places; nothing for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
    elif isinstance(node, ast.JoinedStr):
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    else:
        return ""
    numbers = count(1)
    return re.sub(r"\{\}", lambda _: f"%(v{next(numbers)})s", text)
