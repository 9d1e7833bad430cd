"""The request after a hit in the language of the party that receives it, and as a message to be copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aquila.sentences import Sentence
from clients.web.i18n.languages import languages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aquila.interface.hits import LetterMessage, LetterView
    from clients.web.i18n.languages import Language

OF_PARTY: Mapping[str, str] = {"AL": "sq", "XK": "sq", "RS": "sr-Cyrl"}
"""The language in which a party reads a letter, where there is a catalogue of it."""


class TranslatedLetter(NamedTuple):
    """A letter in another language than English.

    Attributes:
        lang: The language's tag.
        title: Its title.
        lines: Its head, as label and text.
        paragraphs: Its body.
    """

    lang: str
    title: str
    lines: list[tuple[str, str]]
    paragraphs: list[str]


def title_of(letter: LetterView) -> Sentence:
    """Return the title of a letter, which names practice where the letter is one."""
    title = Sentence.of("letter_title")
    return Sentence.of("letter_practice_title", title=title) if letter.practice else title


def for_receiver(letter: LetterView) -> TranslatedLetter | None:
    """Return a letter in its receiver's language; None where no catalogue has it or an earlier release wrote it."""
    language = languages().get(OF_PARTY.get(letter.message.receiver, "")) if letter.message else None
    if language is None:
        return None
    return TranslatedLetter(
        language.tag,
        language.compose(title_of(letter)),
        [(language.compose(label.sentence), _said(language, text.sentence)) for label, text in letter.head],
        [f"{language.compose(paragraph.sentence)}." for paragraph in letter.body],
    )


def _said(language: Language, sentence: Sentence) -> str:
    """Return a text of the head; the condition of a handling code has a translation of its own."""
    condition = sentence.fields.get("condition")
    if isinstance(condition, str):
        sentence = Sentence(sentence.code, {**sentence.fields, "condition": language.say(condition)})
    return language.compose(sentence)


def as_text(message: LetterMessage) -> str:
    """Return a message as lines to be copied into a channel: subject, references, handling codes, and the request."""
    lines = [f"Subject: {message.subject}", "References:"]
    lines += [f"- {name}: {text}" for name, text in message.references]
    lines += [f"Handling code: {message.handling_code or 'none given'}"]
    if message.receiver_handling_code:
        lines.append(f"Handling code of {message.receiver}: {message.receiver_handling_code}")
    return "\n".join([*lines, f"Legal basis: {message.legal_basis}", f"Purpose: {message.purpose}", "", *message.body])
