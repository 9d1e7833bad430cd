"""Languages: the message catalogues, which one a visitor reads, and dates and numbers as the region writes them.

Messages are English in the code and in the templates; a catalogue is a plain `.po` file, read when it is first wanted.
The Latin catalogue of Serbian is written from the Cyrillic one (`python -m clients.web.i18n.catalogues`), letter by
letter.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from gettext import NullTranslations
from importlib import resources
from io import BytesIO

from babel import Locale
from babel.dates import format_date, format_timedelta, get_datetime_format
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.support import Translations

from aquila.sentences import Sentence, text_of
from aquila.sentences.sentence import filled

SENTENCE = "sentence"
"""The context of services' sentences in the catalogues: their messages are their ids, with places as `{party}`."""
_MINUTE = 60
_TAG_SEPARATOR = "-"


def n_(message: str) -> str:
    """Mark a message for the catalogue; it is translated where it is shown."""
    return message


@dataclass(frozen=True, slots=True)
class Language:
    """One language of the pages."""

    tag: str
    """As HTML and HTTP write it (BCP 47)."""
    name: str
    """As its readers call it."""
    locale: Locale
    """What Babel knows of it."""

    @property
    def catalogue(self) -> NullTranslations:
        """Its messages, read when the first of them is wanted."""
        return _catalogue(self.tag)

    def say(self, message: str, **values: object) -> str:
        """Return a message in this language; nothing for nothing, of which a catalogue has its own header."""
        text = self.catalogue.gettext(message) if message else ""
        return text % values if values else text

    def compose(self, sentence: Sentence) -> str:
        """Return a service's sentence in this language; in English where the catalogue does not have it."""
        template = self.catalogue.pgettext(SENTENCE, sentence.code)
        return text_of(sentence) if template == sentence.code else filled(template, sentence.fields, self.compose)

    def has(self, sentence: Sentence) -> bool:
        """Return whether a sentence can be composed in this language, apart from sentences within it."""
        return self.tag == "en" or self.catalogue.pgettext(SENTENCE, sentence.code) != sentence.code

    def date(self, seconds: int) -> str:
        return format_date(_local(seconds), "medium", locale=self.locale)

    def day(self, iso: str) -> str:
        return format_date(date.fromisoformat(iso), "medium", locale=self.locale)

    def moment(self, seconds: int) -> str:
        """Return a day and a time of it, in this machine's zone; police write hours from 0 to 23 in every language."""
        both = str(get_datetime_format("medium", locale=self.locale))
        return both.replace("{1}", self.date(seconds)).replace("{0}", f"{_local(seconds):%H:%M}")

    def span(self, seconds: int) -> str:
        """Return a length of time in its largest unit, as 3 hours."""
        return format_timedelta(max(abs(seconds), _MINUTE), granularity="minute", threshold=1.2, locale=self.locale)

    def number(self, value: float) -> str:
        return format_decimal(value, locale=self.locale)

    def counted(self, one: str, many: str, number: int, **more: str) -> str:
        """Return the singular or plural message with the number and other values filled in."""
        return self.catalogue.ngettext(one, many, number) % {"num": self.number(number), **more}

    def percent(self, share: float) -> str:
        """Return a share of one as per cent."""
        return format_percent(share, locale=self.locale)


_NAMES = (
    ("en", "English", "en_GB"),
    ("bs", "Bosanski", "bs_Latn"),
    ("bg", "Български", "bg"),
    ("cnr", "Crnogorski", "sr_Latn_ME"),
    ("de", "Deutsch", "de_AT"),
    ("hr", "Hrvatski", "hr"),
    ("hu", "Magyar", "hu"),
    ("mk", "Македонски", "mk"),
    ("ro", "Română", "ro"),
    ("sq", "Shqip", "sq"),
    ("sl", "Slovenščina", "sl"),
    ("sr-Latn", "Srpski", "sr_Latn"),
    ("sr-Cyrl", "Српски", "sr_Cyrl"),
)
TAGS = tuple(tag for tag, _, _ in _NAMES)


@cache
def languages() -> dict[str, Language]:
    """Return the languages by tag, English first."""
    return {tag: Language(tag, name, Locale.parse(locale)) for tag, name, locale in _NAMES}


def chosen(cookie: str, accepted: str) -> Language:
    """Return the language of a visitor: what was chosen on a page, else the first of ours that the browser names.

    A neighbour of a language of ours is not taken for it: its readers get English until they choose.

    Args:
        cookie: The tag that the visitor chose, or nothing.
        accepted: The browser's Accept-Language.
    """
    known = languages()
    if cookie in known:
        return known[cookie]
    return next((known[tag] for tag in map(_known_tag, _preferences(accepted)) if tag), known["en"])


def _preferences(accepted: str) -> Sequence[str]:
    """Return the tags of an Accept-Language header, the most wanted first, without those that it refuses."""
    weighed: list[tuple[float, int, str]] = []
    for part in accepted.split(",")[:32]:
        tag, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1), len(weighed), tag.strip().lower()))
        except ValueError:
            continue
    return [tag for weight, _, tag in sorted(weighed) if weight < 0]


def _known_tag(wanted: str) -> str:
    first = wanted.split(_TAG_SEPARATOR, maxsplit=1)[0]
    if first == "sr":
        return "sr-Cyrl" if "cyrl" in wanted else "sr-Latn"
    return first if first in TAGS else ""


@cache
def _catalogue(tag: str) -> NullTranslations:
    """Read a language's catalogue; English is the messages themselves."""
    if tag == "en":
        return NullTranslations()
    source = resources.files("clients.web").joinpath("catalogues", f"{tag}.po").read_bytes()
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(source), locale=tag.replace("-", "_")))
    compiled.seek(0)
    return Translations(compiled)


def zone() -> str:
    """Return the zone in which moments are typed and shown: this machine's, in winter and in summer."""
    return "/".join(dict.fromkeys(time.tzname))


def _local(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).astimezone()
