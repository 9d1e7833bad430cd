"""Languages: whole catalogues, the choice of a language, and dates and numbers as the region writes them."""

import re
from io import BytesIO

import pytest
from babel.messages.pofile import read_po

from aquila.interface.sentence import SentenceView
from aquila.sentences import SHOWN, Sentence, quoted, text_of
from aquila.sentences.sentence import PLACE
from clients.web.i18n import catalogues
from clients.web.i18n.languages import SENTENCE, TAGS, chosen, languages
from clients.web.text.labels import filters

PLACEHOLDER = re.compile(r"%\(\w+\)s")
TRANSLATED = [tag for tag in TAGS if tag != "en"]
NOON = 1_795_608_000  # 25 November 2026, 12:00 UTC


def test_catalogues_are_whole() -> None:
    """Every message of the pages is translated, none is left from before, and Latin is written from Cyrillic."""
    for name, content in catalogues.files().items():
        assert (catalogues.FOLDER / name).read_bytes() == content, f"{name}: python -m clients.web.i18n.catalogues"
        assert catalogues.missing(read_po(BytesIO(content))) == [], name


@pytest.mark.parametrize("tag", TRANSLATED)
def test_placeholders(tag: str) -> None:
    for message in read_po(BytesIO((catalogues.FOLDER / f"{tag}.po").read_bytes())):
        if not message.id:
            continue
        texts = (message.string,) if isinstance(message.string, str) else message.string
        wanted = set(PLACEHOLDER.findall(message.id if isinstance(message.id, str) else message.id[0]))
        for text in texts:
            assert set(PLACEHOLDER.findall(text)) == wanted, message.id
            assert "!" not in text, message.id


@pytest.mark.parametrize("tag", TRANSLATED)
def test_what_services_say(tag: str) -> None:
    language = languages()[tag]
    for code, sentence in SHOWN.items():
        template = language.catalogue.pgettext(SENTENCE, code)
        assert template != code
        assert set(PLACE.findall(template)) == set(PLACE.findall(sentence.text)), code
        assert "%(" not in template, code


def test_a_sentence_in_a_sentence() -> None:
    """A sentence within another is said too; what no catalogue has stays as it was written, and is marked so."""
    serbian, english = languages()["sr-Latn"], languages()["en"]
    inner = Sentence.of("consented_manifest_differs", party="RS")
    outer = Sentence.of("statement_does_not_count", reason=inner)
    template = serbian.catalogue.pgettext(SENTENCE, "statement_does_not_count")
    assert serbian.compose(outer) == template.replace("{reason}", serbian.compose(inner))
    assert serbian.compose(inner) == serbian.catalogue.pgettext(SENTENCE, inner.code).replace("{party}", "RS")
    assert english.compose(outer) == text_of(outer)
    assert serbian.compose(Sentence.of("statement_does_not_count", reason=quoted("rain"))).endswith(": rain")
    said = filters(serbian)["said"]
    assert said(quoted("some <b>words</b>")) == '<span lang="en">some &lt;b&gt;words&lt;/b&gt;</span>'
    assert said(SentenceView.of(inner)) == serbian.compose(inner)
    assert filters(english)["said"](quoted("some <b>words</b>")) == "some &lt;b&gt;words&lt;/b&gt;"


def test_a_message_s_text_is_not_taken_for_markup() -> None:
    """The words of a rule table come from a file: they are escaped in every language."""
    for tag in TAGS:
        assert "<b>" not in filters(languages()[tag])["translated"]("<b>bold</b>")
    assert languages()["sr-Latn"].say("") == ""


def test_plural_forms() -> None:
    """Numbers that take the form of one, of two, of few, and of many; in Macedonian 21 counts as one."""
    numbers = (1, 2, 3, 5, 21)
    said = {
        tag: [languages()[tag].catalogue.ngettext("%(num)s hit", "%(num)s hits", number) for number in numbers]
        for tag in ("sl", "sr-Latn", "mk", "ro", "hu")
    }
    forms = {tag: [texts.index(text) for text in texts] for tag, texts in said.items()}
    assert forms == {
        "sl": [0, 1, 2, 3, 3],
        "sr-Latn": [0, 1, 1, 3, 0],
        "mk": [0, 1, 1, 1, 0],
        "ro": [0, 1, 1, 1, 4],
        "hu": [0, 0, 0, 0, 0],
    }


def test_numbers_in_words_have_their_thousands_apart() -> None:
    said = {tag: languages()[tag].counted("%(num)s hit", "%(num)s hits", 10_000) for tag in ("en", "sr-Latn")}
    assert said["en"] == "10,000 hits"
    assert said["sr-Latn"].startswith("10.000 ")
    assert languages()["en"].counted("%(num)s hit", "%(num)s hits", 1) == "1 hit"


@pytest.mark.parametrize(
    ("cookie", "accepted", "tag"),
    [
        ("", "", "en"),
        ("", "de-AT,de;q=0.9", "de"),
        ("", "it,sq;q=0.8,en;q=0.3", "sq"),
        ("", "sr-Cyrl-RS,sr;q=0.8", "sr-Cyrl"),
        ("", "sr-RS", "sr-Latn"),
        ("", "hr-HR,hr;q=0.9", "hr"),
        ("", "cnr-ME,cnr;q=0.9,en;q=0.5", "cnr"),
        ("", "sh", "en"),
        ("", "ru,uk;q=0.5", "en"),
        ("", "sk,sr;q=0.5", "sr-Latn"),
        ("", "sq;q=0,it", "en"),
        ("", "sq;q=nonsense,sq;q=0.2", "sq"),
        ("sq", "sr", "sq"),
        ("xx", "sr", "sr-Latn"),
    ],
)
def test_choice(cookie: str, accepted: str, tag: str) -> None:
    """A chosen language goes before the browser's, and both before English; no neighbour's is taken for one's own."""
    assert chosen(cookie, accepted).tag == tag


def test_dates_and_numbers() -> None:
    """Days, times, lengths of time and numbers are written as each language does."""
    english, serbian, albanian = (languages()[tag] for tag in ("en", "sr-Latn", "sq"))
    assert english.date(NOON) == "25 Nov 2026"
    assert serbian.date(NOON).startswith("25. 11. 2026")
    assert "2026" in albanian.date(NOON)
    for language in languages().values():  # Albanian too, for which Babel would count hours to twelve
        assert re.search(r"2026\b.* \d\d:00$", language.moment(NOON)), language.moment(NOON)
    assert english.span(3 * 3600) == "3 hours"
    assert english.span(5) == "1 minute"
    assert english.number(1_234_567) == "1,234,567"
    assert serbian.number(1_234_567) == "1.234.567"
