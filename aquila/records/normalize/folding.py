"""One Latin word folded to the region's common spelling, after the tables `folding` and `particles`."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

from aquila.records.normalize.latin import longest_first
from aquila.records.normalize.letter_tables import table

_CACHED = 1 << 16
_DOUBLED = re.compile(r"(.)\1+")
_SERVANT = re.compile(r"abd[aeiou]l?(?=...)")  # Abdul-, Abdel-, Abdu(r)-: one prefix


@lru_cache(maxsize=_CACHED)
def fold(word: str) -> str:
    """Fold one lower-case Latin word to the region's common spelling: letters a to z, none doubled.

    Folding goes on until nothing changes, so that "tš" and its bare spelling "ts" end alike.
    """
    folded = _fold_once(word)
    while folded != word:
        word, folded = folded, _fold_once(folded)
    return folded


def _fold_once(word: str) -> str:
    """One pass: spellings, diacritics, doubled letters, the prefixes Abd- and Al-."""
    pattern, replaced = _spellings()
    plain = pattern.sub(lambda found: replaced[found.lastindex or 0][found[0]], word)
    if not (plain.isascii() and plain.isalpha()):
        plain = "".join(letter for letter in unicodedata.normalize("NFD", plain) if "a" <= letter <= "z")
    plain = undoubled(plain)
    if plain.startswith(("abd", "al", "el")):
        plain = undoubled(_article().sub("", _SERVANT.sub("abdu", plain)))
    return plain


def undoubled(word: str) -> str:
    """Return a word in which no letter follows itself."""
    return _DOUBLED.sub(lambda found: found[1], word)  # a function costs less than a template


@cache
def _spellings() -> tuple[re.Pattern[str], tuple[dict[str, str], ...]]:
    """The pattern of one pass, and what replaces the matches of each of its groups."""
    folding = table("folding")
    tables: tuple[dict[str, str], ...] = tuple(folding[name] for name in ("beginnings", "endings", "spellings"))
    beginnings, endings, spellings = (longest_first(content).pattern for content in tables)
    return re.compile(rf"\A({beginnings})|({endings})\Z|({spellings})"), ({}, *tables)


@cache
def _article() -> re.Pattern[str]:
    """A glued article: Albostani is Al-Bostani, but Alfredo is not Al-Fredo."""
    whole = "|".join(table("particles")["whole"])
    return re.compile(rf"\A(?!{whole})(?:al|el)(?=[^aeiou].{{4}})")
