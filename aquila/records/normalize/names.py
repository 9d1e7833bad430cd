"""The words of a name: what is left of it to compare, each word folded.

All is a plain function of the text: the same in every script, process and machine.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from aquila.records.normalize.coarse_forms import FORMS, initial, skeleton, sound, start
from aquila.records.normalize.folding import fold
from aquila.records.normalize.latin import to_latin
from aquila.records.normalize.letter_tables import NORMALIZER_VERSION, table

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FORMS", "fold", "has_unread_words", "initial", "name_words", "skeleton", "sound", "start"]

_CACHED = 1 << 16
_APOSTROPHES = dict.fromkeys((0x27, 0x60, 0xB4, 0x2B9, 0x2BB, 0x2BC, 0x2BE, 0x2BF, 0x2018, 0x2019, 0x2032))
_WORD = re.compile(r"[^\W_]+")
_SMALL = "".join(letter for letter in map(chr, range(ord("a"), ord("ž") + 1)) if letter.islower())
# A capital I inside a word in small letters is an l that was scanned: RadosavIjević, AIeksandar. Version 3 took Č,
# Š and Ž for small letters, so that it read an l in KOVAČIĆ.
_SCANNED_L = {
    version: re.compile(rf"((?<=[{small}])|(?<=\b[AEOU]))I(?=[{small}])")
    for version, small in ((3, "a-zß-ž"), (NORMALIZER_VERSION, _SMALL))
}


@lru_cache(maxsize=_CACHED)
def name_words(text: str, version: int = NORMALIZER_VERSION) -> tuple[str, ...]:
    """Split a name into folded words, in the order of the text.

    Hyphens part words, apostrophes do not; particles go where another word is left; words of one letter likewise.
    """
    words = _words(text, version)
    dropped = _dropped(version)
    kept = _joined((word for word in words if word not in dropped), version) or words
    folded = [form for word in kept if (form := fold(word, version))]
    return tuple([form for form in folded if len(form) > 1] or folded)


def has_unread_words(text: str) -> bool:
    """Return whether a name holds a word of letters that no table knows, which is left out of it."""
    return any(not fold(word) for word in _words(text, NORMALIZER_VERSION) if any(map(str.isalpha, word)))


def _words(text: str, version: int) -> list[str]:
    """The words of a text in lower-case Latin, as far as the tables know its letters."""
    if "I" in text:
        text = _SCANNED_L[version].sub("l", unicodedata.normalize("NFC", text))
    return _WORD.findall(to_latin(text, version).translate(_APOSTROPHES))


def _joined(words: Iterable[str], version: int) -> list[str]:
    """Join words such as "abd" with the word that follows, and such as "din" with the word before."""
    ahead, behind = _joining(version)
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
def _dropped(version: int) -> frozenset[str]:
    return frozenset(table("particles", version)["dropped"])


@cache
def _joining(version: int) -> tuple[dict[str, str], dict[str, str]]:
    """Words that begin a name, and words that end one, each with its common spelling."""
    particles = table("particles", version)
    return particles["begins"], particles["ends"]
