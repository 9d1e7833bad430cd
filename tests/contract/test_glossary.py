"""The labels of the pages keep to `docs/GLOSSARY.md`."""

import re
from pathlib import Path

import pytest

from clients.web.i18n.catalogues import messages

ROOT = Path(__file__).parents[2]
_COLUMNS = ("term", "meaning", "source", "not called")
_MOST_WORDS = 6

ORDINARY = {
    "agreement": ("Rarity of", "agree"),
    "case": ("Case reference",),
    "certificate": ("ertificate",),
    "class": ("class of inputs", "of the class"),
    "code": ("authenticator", "nrolment code", "Handling code"),
    "correction": ("Store the correction",),
    "database": ("database",),
    "done": ("done",),
    "enrolment": ("nrolment code",),
    "file": ("file", "File"),
    "folder": ("home folder",),
    "id": ("%(id)s",),
    "kind": ("Kind", "kind"),
    "known": ("known", "Known"),
    "match": ("Match rule",),
    "matched": ("lists matched",),
    "needs": ("Needs attention", "needs you", "needs its administrator"),
    "part": ("takes part", "Parts of this site"),
    "place": ("of birth", "Place and date"),
    "search": ("Search",),
    "session": ("session",),
    "signature": ("a signature", "Signature"),
    "until": ("until", "Until"),
    "value": ("Value",),
    "version": ("Version",),
}
"""Retired words that have another meaning in a label, each with parts of the labels that may use it."""


def _rows() -> list[dict[str, str]]:
    lines = (ROOT / "docs" / "GLOSSARY.md").read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [dict(zip(_COLUMNS, row, strict=True)) for row in cells if row[0] != "term" and not row[0].startswith("-")]


def _retired() -> dict[str, str]:
    """Return each word that is retired without a condition, with the term in its place."""
    return {
        word.strip().lower(): row["term"]
        for row in _rows()
        for word in re.split(r"[,;] (?![^(]*\))", row["not called"])
        if word.strip() and not re.search(r'[("]', word)
    }


def _texts() -> list[str]:
    return [text for message in messages() for text in ([message] if isinstance(message, str) else message)]


def _labels() -> list[str]:
    """Return the labels of the pages: messages of a few words that are no sentences."""
    ends = (".", "?", "!", ":")
    return [text for text in _texts() if len(text.split()) <= _MOST_WORDS and not text.strip().endswith(ends)]


def _faults(labels: list[str]) -> list[str]:
    """Return the labels that use a retired word in the meaning for which it is retired."""
    found = []
    terms = {term.lower() for row in _rows() for term in row["term"].split(", ")}
    for word, term in _retired().items():
        if word in terms:
            continue
        pattern = re.compile(rf"\b{re.escape(word)}(s|es)?\b", re.IGNORECASE)
        found += [
            f"{label!r} says {word!r} for {term!r}"
            for label in labels
            if pattern.search(label) and not any(part in label for part in ORDINARY.get(word, ()))
        ]
    return found


def test_no_label_uses_a_retired_word() -> None:
    """Labels of pages use the terms of the glossary, and none of the words in its last column."""
    labels = _labels()
    assert len(labels) > 1_000  # they are found at all
    assert len(_retired()) > 100
    assert not _faults(labels)


@pytest.mark.parametrize(
    "label", ["Planted hit", "The way of a round", "Counts until", "Result sheet", "Full values", "Rows of the desk"]
)
def test_a_retired_word_is_found(label: str) -> None:
    assert _faults([label])


def test_ordinary_meanings_are_used() -> None:
    """No exception outlives the label that it was made for."""
    labels = _labels()
    assert set(ORDINARY) <= set(_retired())
    unused = [
        (word, part) for word, parts in ORDINARY.items() for part in parts if not any(part in label for label in labels)
    ]
    assert not unused
