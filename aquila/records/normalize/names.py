"""The words of a name: what is left of it to compare, each word folded.

All is a plain function of the text: the same in every script, process and machine.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

from aquila.records.normalize.coarse_forms import FORMS, initial, skeleton, sound, start
from aquila.records.normalize.folding import fold
from aquila.records.normalize.latin import to_latin
from aquila.records.normalize.letter_tables import table

__all__ = ["FORMS", "fold", "has_unread_words", "initial", "name_words", "skeleton", "sound", "start"]

_CACHED = 1 << 16
_APOSTROPHES = dict.fromkeys((0x27, 0x60, 0xB4, 0x2B9, 0x2BB, 0x2BC, 0x2BE, 0x2BF, 0x2018, 0x2019, 0x2032))
_WORD = re.compile(r"[^\W_]+")
# Not all letters from ß to ž are small ones: Č, Š and Ž are among them, and KOVAČIĆ has no l.
_SMALL = "".join(letter for letter in map(chr, range(ord("a"), ord("ž") + 1)) if letter.islower())
# A capital I inside a word in small letters is an l that was scanned: RadosavIjević, AIeksandar.
_SCANNED_L = re.compile(rf"((?<=[{_SMALL}])|(?<=\b[AEOU]))I(?=[{_SMALL}])")


@lru_cache(maxsize=_CACHED)
def name_words(text: str) -> tuple[str, ...]:
    """Split a name into folded words, in the order of the text.

    Hyphens part words, apostrophes do not; particles go where another word is left; words of one letter likewise.
    """
    words = _words(text)
    dropped = _dropped()
    kept = _joined(word for word in words if word not in dropped) or words
    folded = [form for word in kept if (form := fold(word))]
    return tuple([form for form in folded if len(form) > 1] or folded)


def has_unread_words(text: str) -> bool:
    """Return whether a name holds a word of letters that no table knows, which is left out of it."""
    return any(not fold(word) for word in _words(text) if any(map(str.isalpha, word)))


def _words(text: str) -> list[str]:
    """The words of a text in lower-case Latin, as far as the tables know its letters."""
    if "I" in text:
        text = _SCANNED_L.sub("l", unicodedata.normalize("NFC", text))
    return _WORD.findall(to_latin(text).translate(_APOSTROPHES))


def _joined(words: Iterable[str]) -> list[str]:
    """Join words such as "abd" with the word that follows, and such as "din" with the word before."""
    ahead, behind = _joining()
    joined: list[str] = []
    waits = False
    for word in words:
        if joined and (waits or word in behind):
            joined[-1] += word if waits else behind[word]
            waits = False
        else:
            waits = word in ahead
            joined.append(ahead.get(word, word))
    return joined


@cache
def _dropped() -> frozenset[str]:
    return frozenset(table("particles")["dropped"])


@cache
def _joining() -> tuple[dict[str, str], dict[str, str]]:
    """Words that begin a name, and words that end one, each with its common spelling."""
    particles = table("particles")
    return particles["begins"], particles["ends"]
