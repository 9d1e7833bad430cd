"""How one name comes to be written in different ways: scripts, keyboards, ears and slips.

Only for the demo's invented persons. It is no part of normalization, which must undo such things without knowing how
they came about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

_DIGRAPHS = {"lj": "љ", "nj": "њ", "dž": "џ"}
_CYRILLIC = dict(zip("abvgdđežzijklmnoprstćufhcčš", "абвгдђежзијклмнопрстћуфхцчш", strict=True))
_FOREIGN = {"q": "к", "w": "в", "x": "кс", "y": "ј"}  # noqa: RUF001 - the Cyrillic letter is meant
_ALBANIAN_SOUNDS = (
    ("xh", "dž"),
    ("sh", "š"),
    ("zh", "ž"),
    ("gj", "đ"),
    ("ll", "l"),
    ("rr", "r"),
    ("ç", "č"),
    ("q", "ć"),
    ("ë", "e"),
    ("y", "i"),
    ("x", "dz"),
)
_ALBANIAN = {"č": "ç", "ć": "q", "š": "sh", "ž": "zh", "đ": "gj"}
_SLOVENE = {"ć": "č", "đ": "dj"}
_KEYBOARD = {"č": "c", "ć": "c", "š": "s", "ž": "z", "đ": "dj", "ç": "c", "ë": "e"}
_SHORTEST_FOR_SLIP = 4


def cyrillic(text: str) -> str:
    """Write a Serbian Latin name in Serbian Cyrillic."""
    lower = text.lower()
    letters, place = [], 0
    while place < len(lower):
        pair = lower[place : place + 2]
        step = 2 if pair in _DIGRAPHS else 1
        letter = _DIGRAPHS.get(pair) or _CYRILLIC.get(lower[place]) or _FOREIGN.get(lower[place], lower[place])
        letters.append(letter.capitalize() if text[place].isupper() else letter)
        place += step
    return "".join(letters)


def from_albanian(text: str) -> str:
    """Write an Albanian name as Serbian spells its sounds."""
    for albanian_letters, serbian in _ALBANIAN_SOUNDS:
        text = text.replace(albanian_letters, serbian).replace(albanian_letters.capitalize(), serbian.capitalize())
    return text


def albanian(text: str) -> str:
    """Write a South Slavic name as Albanian spells its sounds."""
    return _mapped(text, _ALBANIAN)


def slovene(text: str) -> str:
    """Write a Serbian name with the letters of Slovene."""
    return _mapped(text, _SLOVENE)


def plain(text: str) -> str:
    """Write a name on a keyboard without the region's letters."""
    return _mapped(text, _KEYBOARD)


def slip(text: str, random: Random) -> str:
    """Write a name with one typing error: a letter left out, doubled, or changed places with the next."""
    if len(text) < _SHORTEST_FOR_SLIP:
        return text
    place = random.randrange(1, len(text) - 1)
    before, here, after = text[:place], text[place], text[place + 1 :]
    return random.choice([before + after, before + here + here + after, before + after[0] + here + after[1:]])


def _mapped(text: str, letters: dict[str, str]) -> str:
    """Replace letters, capitals by capitals."""
    replaced = (letters.get(letter.lower(), letter) for letter in text)
    return "".join(
        new.capitalize() if old.isupper() and new != old else new for old, new in zip(text, replaced, strict=True)
    )
