"""Headings of columns that are not named as fields are: a suggestion of the field that each may hold."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from aquila.records.person import FIELDS

_TABLE = Path(__file__).with_name("headings.toml")
_LETTERS = str.maketrans({"đ": "d", "ı": "i"})  # noqa: RUF001 - letters of the region that do not decompose


def suggest_columns(headings: Sequence[str]) -> tuple[str | None, ...]:
    """Return the field that each column may hold, or None; no field twice, and a person has to confirm it."""
    found: list[str | None] = []
    for heading in headings:
        field = _known().get(_folded(heading))
        found.append(None if field in found else field)
    return tuple(found)


@cache
def _known() -> dict[str, str]:
    """Return the fields of the table's headings."""
    table = tomllib.loads(_TABLE.read_text("utf-8"))
    named = {_folded(name): field for field in FIELDS for name in table[field]}
    return named | {_folded(field): field for field in FIELDS}


def _folded(heading: str) -> str:
    """Return a heading without case, marks and punctuation."""
    letters = unicodedata.normalize("NFD", heading.lower().translate(_LETTERS))
    return " ".join(
        "".join(
            letter if letter.isalnum() else " " for letter in letters if unicodedata.category(letter) != "Mn"
        ).split()
    )
