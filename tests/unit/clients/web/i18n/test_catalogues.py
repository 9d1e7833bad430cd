"""Catalogues: every translation is in the language of its catalogue, by its letters and by its commonest words."""

import re
from collections import Counter
from io import BytesIO
from typing import NamedTuple

import pytest
from babel.messages.pofile import read_po

from clients.web.i18n import catalogues
from clients.web.i18n.languages import TAGS

TRANSLATED = tuple(tag for tag in TAGS if tag != "en")
NOT_WORDS = re.compile(r"%\(\w+\)s|\{\w+\}|`[^`]*`|\*[^*]*\*")
"""Places, and names of commands, files and sections, which are the same in every language."""
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
FOREIGN = {
    "sr-Cyrl": re.compile(r"[A-Za-z\u00c0-\u024f]"),
    "sr-Latn": re.compile(r"[\u0400-\u04ffëçËÇqwxyQWXY]"),
    "sq": re.compile(r"[\u0400-\u04ffčćđšžČĆĐŠŽ]"),
}
"""The letters that a language does not have."""
SERBIAN = (
    "je nije su nisu se za od na koji koja koje može nema što šta kao samo ovaj ovo ove ovog iz ili ima da i u sa me"
)
ALBANIAN = "të një nuk që dhe në është për më nga ose mund asnjë kjo janë së vetëm saj duhet i u me se sa"
STOP_WORDS = {"sr-Latn": frozenset(SERBIAN.split()), "sq": frozenset(ALBANIAN.split())}
"""Frequent words of each language."""
LONG = 15
"""From so many words on, a text has a stop word of its language."""
SAME_IN_BOTH = {"Adresa", "Kolona", "administrator"}
"""Words that Albanian and Serbian share."""


class Translation(NamedTuple):
    message: object
    english: str
    text: str

    def words(self) -> list[str]:
        names = {word.casefold() for word in WORD.findall(self.english)}
        found = WORD.findall(NOT_WORDS.sub(" ", self.text))
        return [word for word in found if word.casefold() not in names]


def _translations(tag: str) -> list[Translation]:
    found = []
    for message in read_po(BytesIO((catalogues.FOLDER / f"{tag}.po").read_bytes())):
        ids, strings = (one if isinstance(one, tuple) else (one,) for one in (message.id, message.string))
        english = " ".join((*message.auto_comments, *map(str, ids))).replace("_", " ")
        found += [Translation((message.context, message.id), english, str(text)) for text in strings if message.id]
    return found


@pytest.mark.parametrize("tag", TRANSLATED)
def test_letters(tag: str) -> None:
    wrong = [(t.message, word) for t in _translations(tag) for word in t.words() if FOREIGN[tag].search(word)]
    assert wrong == []


@pytest.mark.parametrize(("tag", "other"), [("sr-Latn", "sq"), ("sq", "sr-Latn")])
def test_stop_words(tag: str, other: str) -> None:
    for translation in _translations(tag):
        counts = Counter(word.casefold() for word in WORD.findall(NOT_WORDS.sub(" ", translation.text)))
        assert not counts.keys() & (STOP_WORDS[other] - STOP_WORDS[tag]), translation
        assert counts.keys() & STOP_WORDS[tag] or counts.total() < LONG, translation


@pytest.mark.parametrize("tag", ["sr-Latn", "sr-Cyrl"])
def test_no_text_is_another_language_s(tag: str) -> None:
    """Albanian and Serbian say the same only by places and names, and by three words that both languages have."""
    serbian = {translation.message: translation for translation in _translations(tag)}
    for albanian in _translations("sq"):
        if albanian.text == serbian[albanian.message].text and albanian.text not in SAME_IN_BOTH:
            assert albanian.words() == [], albanian
