"""The words of a name in forms that can be compared: transliterated to Latin, folded, and coarser.

All is a plain function of the text: the same in every script, process and machine. The letter tables are the package's
own files, because no library promises that. After release 1.0.0 a change of any table is a change of
`NORMALIZER_VERSION`, and so is any other change of an answer to the conformance set (`aquila.records.conformance`).

Cyrillic is written differently by language: the letters of the whole text say which table is meant, Serbian where none
does. Letters that no table of a language knows are read one by one by `romanization`, a copy of anyascii's readings:
better than nothing for scripts that the parties seldom meet, and said so in a finding (`has_romanized_words`).

Of the coarser forms `folded` is the word itself, `skeleton` its consonants, `sound` the skeleton of the name it is a
variant of, `start` its first three letters, `initial` its first.
"""

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from importlib import resources
from typing import Any

NORMALIZER_VERSION = 5
CYRILLIC = ("serbian", "macedonian", "bulgarian", "russian", "ukrainian")
NAMES = (
    *(*CYRILLIC, "greek", "arabic", "folding", "particles", "titles", "variants", "nicknames", "women", "phones"),
    *("countries", "romanization", "unseen"),
)


@cache
def table(name: str) -> dict[str, Any]:
    """Read one table of `NAMES`."""
    file = resources.files("aquila.records.normalize").joinpath("tables", f"{name}.toml")
    return tomllib.loads(file.read_text("utf-8"))


_CACHED = 1 << 16
_ARABIC_MARKS = re.compile(r"[\u064b-\u065f\u0670]")
_ARABIC_W = re.compile("\\Aو|و(?=[اأإآةىيی])|(?<=[اأإآ])و")  # و is w at the beginning and beside a long vowel, else u
_GREEK_MARKS = re.compile("(?<=[\u0370-\u03ff])[\u0300-\u036f]+")
_ARABIC_Y = re.compile("\\Aي")


def without_unseen(text: str) -> str:
    """Return a text without the letters that a reader does not see; a blank stands for controls and ends of lines.

    Every other function of the normalizer begins with it. No normal form brings such a letter back.
    """
    if text.isascii() and text.isprintable():
        return text
    unseen, blanks = _unseen()
    return unseen.sub(lambda found: " " if blanks.match(found[0]) else "", text)


@cache
def _unseen() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Each letter that a reader does not see, and those of them that are a blank."""
    goes, blanks = (
        "".join("-".join(chr(int(end, 16)) for end in codes.split("-")) for codes in table("unseen")[name])
        for name in ("goes", "blanks")
    )
    return re.compile(f"[{goes}{blanks}]"), re.compile(f"[{blanks}]")


@lru_cache(maxsize=_CACHED)
def to_latin(text: str) -> str:
    """Transliterate a name to lower-case Latin letters, diacritics kept.

    Returns:
        The text in NFC; characters that no table knows stay as they are.
    """
    latin = _read_languages(text)
    if latin.isascii():
        return latin
    if _OTHER_SCRIPT.search(latin):
        latin = _HANGUL.sub(lambda found: unicodedata.normalize("NFD", found[0]), latin).translate(
            _romanization("scripts")
        )
    return unicodedata.normalize("NFC", latin)


def _read_languages(text: str) -> str:
    """The text in lower case, with the letters that a table of a language knows in Latin."""
    lowered = unicodedata.normalize("NFKC", without_unseen(text)).lower().replace("i\u0307", "i")
    return lowered if lowered.isascii() else _cyrillic(_arabic(_greek(lowered)))


_OTHER_SCRIPT = re.compile("[\u0370-\u1dff\u1f00-\u1fff\u2c00-\ud7ff\U00010000-\U0003ffff]")
_HANGUL = re.compile("[\uac00-\ud7a3]+")


@cache
def _romanization(part: str) -> dict[int, str]:
    """The reading of each code point of a part of the table `romanization`."""
    return {
        int(first, 16) + place: reading.strip(".")
        for first, readings in table("romanization")[part].items()
        for place, reading in enumerate(readings.split())
        if reading != "-"
    }


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
    bare = _GREEK_MARKS.sub("", unicodedata.normalize("NFD", text))
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
    """One pass: spellings, diacritics, letters without a base, doubled letters, the prefixes Abd- and Al-."""
    pattern, replaced = _spellings()
    plain = pattern.sub(lambda found: replaced[found.lastindex or 0][found[0]], word)
    if not (plain.isascii() and plain.isalpha()):
        bare = unicodedata.normalize("NFD", plain).translate(_romanization("latin"))
        plain = "".join(letter for letter in bare if "a" <= letter <= "z")
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


_START = 3
_VOWELS = frozenset("aeiou")
_NO_VOWELS = dict.fromkeys(map(ord, _VOWELS))
_MERGED = re.compile(r"g(?=[ei])|c(?:(?<=ac)|(?![aei]?\Z))|(?<=[ae])u(?=[^aeiou])|(?<!\A)h(?![aeiou])|[db]\Z")
_FEMALE = "a"  # ends the sound of a woman's name; no skeleton of more than one letter ends in a vowel


@lru_cache(maxsize=_CACHED)
def skeleton(folded: str) -> str:
    """The consonants of a folded word; a first vowel is kept as `a`, a first i before another vowel as `j`.

    An initial is itself.
    """
    if len(folded) == 1:
        return folded
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


_ACUTE = "\u00b4"  # typed for an apostrophe; its NFKC begins with a blank
_NO_LETTERS = dict.fromkeys(
    (0x27, 0x60, 0x2B9, 0x2BB, 0x2BC, 0x2BE, 0x2BF, 0x2018, 0x2019, 0x201B, 0x2032, *range(0x300, 0x370))
)
"""Apostrophes, and marks that make no one letter with the letter before them."""
# Not all letters from ß to ž are small ones: Č, Š and Ž are among them, and KOVAČIĆ has no l.
_SMALL = "".join(letter for letter in map(chr, range(ord("a"), ord("ž") + 1)) if letter.islower())
# A capital I inside a word in small letters is an l that was scanned: RadosavIjević, AIeksandar.
_SCANNED_L = re.compile(rf"((?<=[{_SMALL}])|(?<=\b[AEOU]))I(?=[{_SMALL}])")


@lru_cache(maxsize=_CACHED)
def name_words(text: str) -> tuple[str, ...]:
    """Split a whole name into folded words, in the order of the text.

    Hyphens part words, apostrophes do not; particles and titles go where another word is left, and words of one letter
    where two others are.
    """
    return _read_name(text, 2)


@lru_cache(maxsize=_CACHED)
def part_words(text: str) -> tuple[str, ...]:
    """Split a part of a name, or a place, as `name_words` a whole one; words of one letter go where another is left."""
    return _read_name(text, 1)


def _read_name(text: str, enough: int) -> tuple[str, ...]:
    """The words of a name; what may be a part of it goes only where `enough` others are left."""
    words = _words(text)
    dropped = _dropped()
    kept = _joined(_without_titles([word for word in words if word not in dropped] or words))
    before = _titles()["before"]
    for word in kept[:-1]:
        if len(kept) > enough and _bare(word) in before:
            kept.remove(word)
    folded = [form for word in kept if (form := fold(word))]
    long = [form for form in folded if len(form) > 1]
    return tuple(long if len(long) >= enough else folded)


def _without_titles(words: list[str]) -> list[str]:
    """The words that are no titles, or all where each is one."""
    titles = _titles()
    kept: list[str] = []
    behind_title = False
    for word in words:
        bare = _bare(word)
        behind_title = bare in titles["titles"] or (behind_title and bare in titles["after"])
        if not behind_title:
            kept.append(word)
    return kept or words


def has_romanized_words(text: str) -> bool:
    """Return whether a name holds letters of a script that no table of a language knows."""
    return any(map(str.isalpha, _OTHER_SCRIPT.findall(_read_languages(text))))


def _words(text: str) -> list[str]:
    """The words of a text in lower-case Latin, as far as the tables know its letters."""
    text = without_unseen(text).replace(_ACUTE, "'")
    if "I" in text:
        text = _SCANNED_L.sub("l", unicodedata.normalize("NFC", text))
    return _word().findall(to_latin(text).translate(_NO_LETTERS))


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
def _word() -> re.Pattern[str]:
    """A word: letters and digits, or a title with a hyphen, such as d-r, with or without its marks."""
    written = {to_latin(title) for titles in table("titles").values() for title in titles["titles"]}
    hyphened = "|".join(sorted({form for title in written if "-" in title for form in (title, _bare(title))}))
    return re.compile(rf"(?<![^\W_])(?:{hyphened})(?![^\W_])|[^\W_]+")


@cache
def _titles() -> dict[str, frozenset[str]]:
    """Titles of all languages without marks, by the place where they stand."""
    languages = table("titles").values()
    return {
        place: frozenset(_bare(to_latin(title)) for titles in languages for title in titles.get(place, ()))
        for place in ("titles", "before", "after")
    }


def _bare(word: str) -> str:
    """A Latin word without marks."""
    if word.isascii():
        return word
    return "".join(filter(str.isascii, unicodedata.normalize("NFD", word.translate(_BARE))))


_BARE = str.maketrans("đıł", "dil")


@cache
def _dropped() -> frozenset[str]:
    return frozenset(table("particles")["dropped"])


@cache
def _joining() -> tuple[dict[str, str], dict[str, str]]:
    """Words that begin a name, and words that end one, each with its common spelling."""
    particles = table("particles")
    return particles["begins"], particles["ends"]
