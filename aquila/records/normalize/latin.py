"""Names of any script of the region in readable Latin letters.

Cyrillic is written differently by language: the letters of the whole text say which table is meant, Serbian where
none does. Latin stays as it is. Letters of other scripts are left out of names later, not here.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

from aquila.records.normalize.letter_tables import CYRILLIC, table

_CACHED = 1 << 16
_INVISIBLE = dict.fromkeys((0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, 0xFEFF))
_ARABIC_MARKS = re.compile(r"[\u064b-\u065f\u0670]")
_ARABIC_W = re.compile("\\Aو|و(?=[اأإآةىيی])|(?<=[اأإآ])و")  # و is w at the beginning and beside a long vowel, else u
_ARABIC_Y = re.compile("\\Aي")


@lru_cache(maxsize=_CACHED)
def to_latin(text: str) -> str:
    """Transliterate a name to lower-case Latin letters, diacritics kept.

    Returns:
        The text in NFC; characters that no table knows stay as they are.
    """
    lowered = unicodedata.normalize("NFKC", text).lower().replace("i\u0307", "i")
    if lowered.isascii():
        return lowered
    lowered = _arabic(_greek(lowered.translate(_INVISIBLE)))
    return unicodedata.normalize("NFC", _cyrillic(lowered))


def cyrillic_language(text: str) -> str:
    """Name the Cyrillic table for a lower-case text: the one whose own letters occur in it.

    A Russian or Ukrainian letter decides before a Bulgarian one, because their alphabets hold Bulgarian's letters.
    """
    letters = set(text)
    for name in ("russian", "ukrainian", "macedonian", "serbian", "bulgarian"):
        if not letters.isdisjoint(table(name)["marks"]):
            return name
    return "serbian"


@cache
def _cyrillic_table(language: str) -> tuple[re.Pattern[str], dict[str, str]]:
    """All tables of Cyrillic with the language's own letters in front, and its pairs of letters."""
    letters: dict[str, str] = {}
    for name in (*reversed(CYRILLIC), language):
        letters |= table(name)["letters"]
    letters |= table(language).get("pairs", {})
    return longest_first(letters), letters


def _cyrillic(text: str) -> str:
    """Cyrillic words after the table of their language."""
    if not any("\u0400" <= letter <= "\u04ff" for letter in text):
        return text
    pattern, letters = _cyrillic_table(cyrillic_language(text))
    return pattern.sub(lambda found: letters[found[0]], text)


@cache
def _greek_pattern() -> tuple[re.Pattern[str], dict[str, str]]:
    letters: dict[str, str] = table("greek")["letters"]
    return longest_first(letters), letters


def _greek(text: str) -> str:
    """Greek words without their accents, then letter by letter."""
    if not any("\u0370" <= letter <= "\u03ff" or "\u1f00" <= letter <= "\u1fff" for letter in text):
        return text
    bare = "".join(
        part for part in unicodedata.normalize("NFD", text) if part not in "\u0301\u0308\u0300\u0342\u0313\u0314"
    )
    pattern, letters = _greek_pattern()
    return pattern.sub(lambda found: letters[found[0]], bare)


def _arabic(text: str) -> str:
    """Arabic words: the article apart, vowel marks out, و and ي as consonants where they are."""
    if not any("\u0600" <= letter <= "\u06ff" for letter in text):
        return text
    arabic = table("arabic")
    words = []
    for word in _ARABIC_MARKS.sub("", text).split():
        article = arabic["article_latin"] if word.startswith(arabic["article"]) and len(word) > len("ال") + 1 else ""
        rest = word[len(arabic["article"]) :] if article else word
        rest = _ARABIC_Y.sub("y", _ARABIC_W.sub("w", rest))
        words.append(article + rest.translate(str.maketrans(arabic["letters"])))
    return " ".join(words)


def longest_first(spellings: dict[str, str]) -> re.Pattern[str]:
    """A pattern that takes the longest spelling that fits at each place."""
    ordered = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
    return re.compile("|".join(map(re.escape, ordered)))
