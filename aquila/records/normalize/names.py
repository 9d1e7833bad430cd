"""Forms of a name: words of it folded to one regional spelling, and coarser forms made from those.

`folded` keeps the vowels, `skeleton` only the consonants, `sound` the skeleton of a name's known variants, `start`
the first three folded letters, `initial` the first. All are plain functions of the text: the same in every script,
process and machine.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from aquila.records.normalize.latin import longest_first, to_latin
from aquila.records.normalize.letters import table

if TYPE_CHECKING:
    from collections.abc import Callable

_CACHED = 1 << 16
_APOSTROPHES = dict.fromkeys((0x27, 0x60, 0xB4, 0x2B9, 0x2BB, 0x2BC, 0x2BE, 0x2BF, 0x2018, 0x2019, 0x2032))
_WORD = re.compile(r"[^\W_]+")
_DOUBLED = re.compile(r"(.)\1+")
_VOWELS = frozenset("aeiou")
_SERVANT = re.compile(r"abd[aeiou]l?(?=..)")  # Abdul-, Abdel-, Abdu(r)-: one prefix
_ARTICLE = re.compile(r"(?:al|el)(?=[^aeiou].{4})")  # Albostani is Al-Bostani
_START = 3


@lru_cache(maxsize=_CACHED)
def name_words(text: str) -> tuple[str, ...]:
    """Split a name into folded words, in the order of the text.

    Hyphens part words, apostrophes do not; particles go where another word is left; words of one letter likewise.
    """
    words = _WORD.findall(to_latin(text).translate(_APOSTROPHES))
    kept = _joined([word for word in words if word not in _particles()]) or words
    folded = [form for form in map(fold, kept) if form]
    return tuple([form for form in folded if len(form) > 1] or folded)


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
    pattern, spellings = _spellings()
    plain = pattern.sub(lambda found: spellings[found[0]], word)
    if not (plain.isascii() and plain.isalpha()):
        plain = "".join(letter for letter in unicodedata.normalize("NFD", plain) if "a" <= letter <= "z")
    plain = _SERVANT.sub("abdu", _DOUBLED.sub(r"\1", plain))
    return _DOUBLED.sub(r"\1", _ARTICLE.sub("", plain))


@lru_cache(maxsize=_CACHED)
def skeleton(folded: str) -> str:
    """The consonants of a folded word; a vowel is kept at its beginning only, as `a`."""
    merged = _merged()
    first, rest = folded[:1], folded[1:]
    if first == "i" and rest[:1] in _VOWELS:
        first = "j"
    elif first in _VOWELS:
        first = "a"
    bones = [merged.get(letter, letter) for letter in rest if letter not in _VOWELS]
    return _DOUBLED.sub(r"\1", merged.get(first, first) + "".join(bones)) or first


@lru_cache(maxsize=_CACHED)
def sound(folded: str) -> str:
    """The skeleton of a folded word, or that of the group of variants it belongs to."""
    return skeleton(_variants().get(folded, folded))


def start(folded: str) -> str:
    """The first three letters of a folded word."""
    return folded[:_START]


def initial(folded: str) -> str:
    """The first letter of a folded word."""
    return folded[:1]


def plain(folded: str) -> str:
    """The folded word itself."""
    return folded


FORMS: dict[str, Callable[[str], str]] = {
    "folded": plain,
    "skeleton": skeleton,
    "sound": sound,
    "start": start,
    "initial": initial,
}


@cache
def _spellings() -> tuple[re.Pattern[str], dict[str, str]]:
    spellings: dict[str, str] = table("folding")["spellings"]
    return longest_first(spellings), spellings


@cache
def _merged() -> dict[str, str]:
    merged: dict[str, str] = table("folding")["skeleton"]
    return merged


@cache
def _particles() -> frozenset[str]:
    return frozenset(table("particles")["dropped"])


@cache
def _joining() -> dict[str, str]:
    joining: dict[str, str] = table("particles")["joined"]
    return joining


@cache
def _variants() -> dict[str, str]:
    """Each folded variant with the name of its group."""
    return {fold(form): fold(group[0]) for group in table("variants")["groups"] for form in group}


def _joined(words: list[str]) -> list[str]:
    """Join words such as "abd" with the word that follows."""
    joining = _joining()
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] in joining:
            joined[-1] = joining[joined[-1]] + word
        else:
            joined.append(word)
    return joined
