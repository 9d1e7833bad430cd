"""Catalogues: every translation is in the language of its catalogue, by its letters, its words and its terms."""

import re
from functools import cache
from io import BytesIO
from itertools import combinations
from typing import NamedTuple

import pytest
from babel.messages.pofile import read_po

from clients.web.i18n import catalogues
from clients.web.i18n.languages import TAGS, languages

TRANSLATED = tuple(tag for tag in TAGS if tag != "en")
NOT_WORDS = re.compile(r"%\(\w+\)s|\{\w+\}|`[^`]*`|\*[^*]*\*|Aquil\w+")
"""Places, and names of commands, files, sections and the program, which are the same in every language."""
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
LATIN, SOUTH_SLAVIC = "abcdefghijklmnopqrstuvwxyz", "abcčćdđefghijklmnoprsštuvzž"
LETTERS = {
    "bg": "абвгдежзийѝклмнопрстуфхцчшщъьюя",
    "bs": SOUTH_SLAVIC,
    "cnr": SOUTH_SLAVIC + "śź",
    "de": LATIN + "äöüß",
    "hr": SOUTH_SLAVIC,
    "hu": LATIN + "áéíóöőúüű",
    "mk": "абвгдѓежзѕијклљмнњопрстќуфхцчџшѐѝ",
    "ro": LATIN + "ăâîșț",
    "sl": "abcčdefghijklmnoprsštuvzž",
    "sq": LATIN.replace("w", "çë"),
    "sr-Cyrl": "абвгдђежзијклљмнњопрстћуфхцчџш",
    "sr-Latn": SOUTH_SLAVIC,
}
"""The letters that each language has."""
_SERBIAN = "je nije su nisu se za od na koji koja koje može nema što kao samo ovaj ovo ove ovog iz ili ima da i u sa"
STOP_WORDS = {
    "bg": "на и се за от да не е в с по са които който като или към този тази",
    "bs": _SERBIAN,
    "cnr": _SERBIAN + " nijesu nije",
    "de": "der die das den dem des und nicht ist ein eine einen einer in zu mit von auf für wird werden sie es als",
    "hr": _SERBIAN + " nego tko",
    "hu": "legalább a az és nem egy hogy van be ki is csak ezt ez azt meg amely vagy el kell",
    "mk": "ќе на и се за од да не е во со по што кој која кои како или овој оваа",
    "ro": "de și nu la în pe cu un o este sunt care din a al pentru se sau ca să",
    "sl": "je in se za ne na da ki v z s po od so ali ni kot lahko ta to iz",
    "sq": "të një nuk që dhe në është për më nga ose mund asnjë kjo janë së vetëm saj duhet i u me se sa",
    "sr-Latn": _SERBIAN,
}
"""Frequent words of each language."""
LONG = 15
"""From so many words on, a text has a stop word of its language."""
SHORT = 7
"""So many words and fewer can be the same in two languages by chance."""
NEIGHBOURS = frozenset({"bs", "cnr", "hr", "sr-Latn"})
"""Languages in which a whole sentence can be the same."""
_EKAVIAN = "deo dela izveštaj mesta mesto posle pre primer promena reč reči uvek videti vreme zahtev"
STRANGERS = {
    "bs": _EKAVIAN + " jamstvo popis tko",
    "cnr": _EKAVIAN + " jamstvo popis tko",
    "hr": _EKAVIAN + " januar ko spisak šta tačno",
}
"""Words of a neighbour that a language does not have."""
MANY = 12
"""In so many messages a term is held against its translations."""
LONGEST_WORD = 34
"""Letters: a longer one is wider than a telephone."""


class Translation(NamedTuple):
    message: object
    english: str
    text: str

    def words(self) -> list[str]:
        names = {word.casefold() for word in WORD.findall(self.english)}
        return [word for word in self.all_words() if word.casefold() not in names]

    def all_words(self) -> list[str]:
        return WORD.findall(NOT_WORDS.sub(" ", self.text))


@cache
def _translations(tag: str) -> list[Translation]:
    found = []
    for message in read_po(BytesIO((catalogues.FOLDER / f"{tag}.po").read_bytes())):
        ids, strings = (one if isinstance(one, tuple) else (one,) for one in (message.id, message.string))
        english = " ".join((*message.auto_comments, *map(str, ids))).replace("_", " ")
        found += [Translation((message.context, message.id), english, str(text)) for text in strings if message.id]
    return found


@pytest.mark.parametrize("tag", TRANSLATED)
def test_letters(tag: str) -> None:
    known = frozenset(LETTERS[tag] + "-")
    wrong = [(t.message, word) for t in _translations(tag) for word in t.words() if not known.issuperset(word.lower())]
    assert wrong == []


@pytest.mark.parametrize("tag", TRANSLATED)
def test_words(tag: str) -> None:
    """A long text has frequent words of its language, and no text has a neighbour's words or one too long to show."""
    frequent = frozenset(STOP_WORDS[tag].split()) if tag != "sr-Cyrl" else frozenset()
    strange = frozenset(STRANGERS.get(tag, "").split())
    for translation in _translations(tag):
        words = [word.casefold() for word in translation.all_words()]
        assert not frequent or frequent.intersection(words) or len(words) < LONG, translation
        assert not strange.intersection(words), translation
        assert max(map(len, words), default=0) <= LONGEST_WORD, translation


@pytest.mark.parametrize(("left", "right"), list(combinations(TRANSLATED, 2)))
def test_no_text_is_another_language_s(left: str, right: str) -> None:
    """No sentence is another language's word for word; between neighbours whole sentences are, but not most."""
    sentences = [translation for translation in _translations(left) if len(translation.words()) > SHORT]
    others = {translation.message: translation.text for translation in _translations(right)}
    same = [translation for translation in sentences if translation.text == others[translation.message]]
    if {left, right} <= NEIGHBOURS:
        assert len(same) < 0.7 * len(sentences)
    else:
        assert same == []


@pytest.mark.parametrize("tag", catalogues.WRITTEN_BY_HAND)
def test_terms(tag: str) -> None:
    """A term that many messages have is in most of their translations, by the beginning of one of its words."""
    terms = {term: (word, source) for term, word, source in _rows(tag)}
    assert list(terms) == [term for term, _, _ in _rows("sq")]
    for term, (word, source) in terms.items():
        said = re.compile(rf"\b{term.partition(' (')[0]}s?\b", re.IGNORECASE)
        texts = [one.text.casefold() for one in _translations(tag) if said.search(one.english)]
        stems = [re.escape(part.casefold()[: max(3, len(part) - 4)]) for part in WORD.findall(word)]
        begins = re.compile(rf"\b({'|'.join(stems)})")
        used = sum(begins.search(text) is not None for text in texts)
        assert source
        assert len(texts) < MANY or used > 0.4 * len(texts), term


def _rows(tag: str) -> list[list[str]]:
    lines = (catalogues.FOLDER / "terms" / f"{tag}.tsv").read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines]


@pytest.mark.parametrize("tag", catalogues.WRITTEN_BY_HAND)
def test_what_to_read_first(tag: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The hundred messages for a native reader are in the catalogue, and its head says whether one has read it."""
    assert catalogues.main(["--first", tag]) == 0
    shown = capsys.readouterr().out.split("\n\n")[:-1]
    assert len(shown) == len({tuple(one.splitlines()) for one in shown}) == 100
    read = catalogues.READ_BY_NATIVE_SPEAKERS.get(tag, "not read by a native speaker yet")
    assert f"X-Native-Reader: {read}" in (catalogues.FOLDER / f"{tag}.po").read_text(encoding="utf-8")


@pytest.mark.parametrize("tag", TRANSLATED)
def test_decisions_stand_beside_one_another(tag: str) -> None:
    """The three buttons of a hit's row have room for so many letters; more would cover when it is due."""
    labels = [languages()[tag].say(label) for label in ("Same person", "Not the same", "Cannot tell")]
    assert sum(map(len, labels)) <= 44, labels
