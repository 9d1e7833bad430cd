# ruff: noqa: RUF001 - Cyrillic letters and those of the region's Latin alphabets are meant
"""Spellings of a name in a country's list: scripts, transliterations, keyboards, ears and slips.

No part of normalization, which must undo such things without knowing how they came about.
"""

import re
import unicodedata
from random import Random

_BULGARIAN = dict(
    zip(
        "абвгдежзийклмнопрстуфхцчшщъьюя",
        [*"abvgde", "zh", *"ziyklmnoprstufh", "ts", "ch", "sh", "sht", "a", "y", "yu", "ya"],
        strict=True,
    )
)
_MACEDONIAN = dict(
    zip(
        "абвгдѓежзѕијклљмнњопрстќуфхцчџш",
        [*"abvgdđežz", "dz", "i", "j", "k", "l", "lj", "m", "n", "nj", *"oprstćufhcč", "dž", "š"],
        strict=True,
    )
)
_TO_SERBIAN = {
    "lj": "љ", "nj": "њ", "dž": "џ", "xh": "џ", "sh": "ш", "zh": "ж", "ch": "ч", "gj": "ђ", "dj": "ђ", "dh": "д",
    "th": "т", "kh": "х", "ll": "л", "rr": "р", "ts": "ц", "ya": "ја", "yu": "ју", "ghe": "ге", "ghi": "ги",
    "che": "ке", "chi": "ки", "sz": "с", "cs": "ч", "zs": "ж", "gy": "ђ", "ny": "њ", "ly": "љ", "ou": "у", "ee": "и",
    "ş": "ш", "ș": "ш", "ț": "ц", "ç": "ч", "ğ": "г", "ı": "и", "ă": "а", "â": "а", "î": "и", "ë": "е", "ö": "о",
    "ő": "о", "ü": "у", "ű": "у", "á": "а", "é": "е", "í": "и", "ó": "о", "ú": "у", "q": "ћ", "w": "в", "x": "кс",
    "y": "ј",
} | dict(zip("abvgdđežzijklmnoprstćufhcčš", "абвгдђежзијклмнопрстћуфхцчш", strict=True))  # fmt: skip
_ARABIC_Q = "к"
_SERBIAN_LATIN = {"љ": "lj", "њ": "nj", "џ": "dž"} | dict(
    zip("абвгдђежзијклмнопрстћуфхцчш", "abvgdđežzijklmnoprstćufhcčš", strict=True)
)
_ALBANIAN = {"č": "ç", "ć": "q", "š": "sh", "ž": "zh", "đ": "gj"}
_SLOVENE = {"ć": "č", "đ": "dj"}
_SERBIAN_TO = {
    "MK": {"ђ": "ѓ", "ћ": "ќ"},
    "BG": {"ђ": "дж", "ћ": "ч", "ј": "й", "љ": "ль", "њ": "нь", "џ": "дж", "ѓ": "дж", "ќ": "к"},
}
_PLAIN = {"đ": "dj", "ı": "i", "ł": "l"}
_HEARD = (
    ("ou", "u"), ("u", "ou"), ("ee", "i"), ("i", "ee"), ("kh", "h"), ("h", "kh"), ("q", "k"), ("k", "q"), ("y", "i"),
    ("i", "y"), ("ah", "a"), ("a", "e"), ("e", "a"), ("o", "u"), ("j", "dj"), ("dj", "j"), ("sh", "ch"), ("w", "v"),
    ("ss", "s"), ("mm", "m"), ("d", "dd"), ("s", "ss"),
)  # fmt: skip
_ARTICLES = ("al-", "el-", "al ", "el ", "")
_SHORTEST_FOR_SLIP = 4


def latin(name: str, culture: str) -> str:
    """Write a name of the word lists in Latin letters with their marks."""
    letters = _BULGARIAN if culture == "BGR" else _MACEDONIAN
    return "".join(letters.get(letter, letter) for letter in name)


def plain(name: str) -> str:
    spelled = "".join(_PLAIN.get(letter, letter) for letter in name)
    return "".join(letter for letter in unicodedata.normalize("NFD", spelled) if not unicodedata.combining(letter))


def cyrillic(name: str, country: str, culture: str) -> str:
    """Write a Latin name as a list of RS, MK or BG transcribes it."""
    spellings = _TO_SERBIAN | ({"q": _ARABIC_Q} if culture == "ARA" else {})
    pattern = re.compile("|".join(sorted(map(re.escape, spellings), key=len, reverse=True)))
    serbian = pattern.sub(lambda found: spellings[found[0]], name)
    letters = _SERBIAN_TO.get(country, {})
    return "".join(letters.get(letter, letter) for letter in serbian)


def serbian(name: str, culture: str) -> str:
    """Write a Latin name of another culture in Serbian Latin letters, as its sounds are spelled there."""
    return "".join(_SERBIAN_LATIN.get(letter, letter) for letter in cyrillic(name, "RS", culture))


def albanian(name: str) -> str:
    return "".join(_ALBANIAN.get(letter, letter) for letter in name)


def slovene(name: str) -> str:
    """Write a Serbian name with the letters of Slovene."""
    return "".join(_SLOVENE.get(letter, letter) for letter in name)


def heard(name: str, random: Random) -> str:
    """Write an Arabic name in another of its many Latin spellings."""
    article = re.match(r"(?:al|el)[- ]", name)
    if article:
        name = random.choice(_ARTICLES) + name[article.end() :]
    for old, new in random.sample(_HEARD, 3):
        place = name.find(old, 1)
        if place > 0:
            return name[:place] + new + name[place + len(old) :]
    return name


def slip(name: str, random: Random) -> str:
    """Write a name with one typing error: a letter left out, doubled, changed, or in the place of the next."""
    if len(name) < _SHORTEST_FOR_SLIP:
        return name
    place = random.randrange(1, len(name) - 1)
    before, here, after = name[:place], name[place], name[place + 1 :]
    other = chr(ord(here) + random.choice((-1, 1)))
    wrong = other if other.isalpha() else here
    return random.choice(
        (before + after, before + here + here + after, before + wrong + after, before + after[0] + here + after[1:])
    )


def capitalized(name: str) -> str:
    return re.sub(r"(^|[- ])(\w)", lambda found: found[1] + found[2].upper(), name)
