"""Coarser forms of a folded word, in which two spellings of one name can still be equal.

`folded` is the word itself, `skeleton` its consonants, `sound` the skeleton of the name it is a variant of, `start` its
first three letters, `initial` its first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache

from aquila.records.normalize.folding import fold, undoubled
from aquila.records.normalize.letter_tables import table

_CACHED = 1 << 16
_START = 3
_VOWELS = frozenset("aeiou")
_NO_VOWELS = dict.fromkeys(map(ord, _VOWELS))
_MERGED = re.compile(r"g(?=[ei])|c(?:(?<=ac)|(?![aei]?\Z))|(?<=[ae])u(?=[^aeiou])|(?<!\A)h(?![aeiou])|[db]\Z")
_FEMALE = "a"  # ends the sound of a woman's name; no skeleton of more than one letter ends in a vowel


@lru_cache(maxsize=_CACHED)
def skeleton(folded: str) -> str:
    """The consonants of a folded word; a first vowel is kept as `a`, a first i before another vowel as `j`."""
    bones = undoubled(_MERGED.sub(lambda found: _merged()[found[0]], folded))
    first, rest = bones[:1], bones[1:]
    if first == "i" and rest[:1] in _VOWELS:
        first = "a" if rest[0] == "e" else "j"
    elif first in _VOWELS:
        first = "a"
    return first + rest.translate(_NO_VOWELS)


@lru_cache(maxsize=_CACHED)
def sound(folded: str) -> str:
    """The skeleton of a folded word, or of the name that the tables know it to be a variant of."""
    return _sounds().get(folded) or skeleton(folded)


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
def _merged() -> dict[str, str]:
    """The skeleton's letters for a letter at such a position."""
    merged: dict[str, str] = table("folding")["skeleton"]
    return merged


@cache
def _sounds() -> dict[str, str]:
    """The sound of each folded word that the tables of variants, nicknames and women's names know."""
    variants, sounds = table("variants"), {}
    women = {fold(name.lower()) for name in table("women")["names"]}
    apart = {fold(name.lower()) for name in variants["apart"]}
    for folded in women | apart:
        sounds[folded] = folded if folded in apart else skeleton(folded) + _FEMALE
    for group in (*variants["groups"], *table("nicknames")["groups"]):
        head = fold(group[0].lower())
        shared = sounds.get(head) or skeleton(head)
        sounds.update((fold(form.lower()), shared) for form in group)
    return sounds
