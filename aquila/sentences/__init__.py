"""The one table of sentences: the English of errors, problems and refusals by id, which nothing else holds."""

from typing import Final

from aquila.sentences.auditing import AUDITING
from aquila.sentences.command import COMMAND
from aquila.sentences.core import CORE
from aquila.sentences.kit import KIT
from aquila.sentences.matcher import MATCHER
from aquila.sentences.node import NODE
from aquila.sentences.protocol import PROTOCOL
from aquila.sentences.sentence import QUOTED, Sentence, Table, Text, filled, quoted
from aquila.sentences.simulation import SIMULATION

__all__ = ["SENTENCES", "SHOWN", "Sentence", "Text", "hint_of", "quoted", "text_of"]

SHOWN: Final[Table] = {**CORE, **KIT, **MATCHER, **NODE, **PROTOCOL}
"""Sentences that can come to a page: the catalogues have them in every language."""

SENTENCES: Final[Table] = {QUOTED: Text("{text}", "{hint}"), **AUDITING, **COMMAND, **SIMULATION, **SHOWN}
"""Every sentence: those of a command or an audit alone are in English."""


def text_of(sentence: Sentence) -> str:
    """Return a sentence in English."""
    known = SENTENCES.get(sentence.code)
    return filled(known.text if known else sentence.code, sentence.fields, text_of)


def hint_of(sentence: Sentence) -> str:
    """Return the hint of a sentence in English, or of the first sentence within it that has one."""
    known = SENTENCES.get(sentence.code)
    if known and known.hint:
        return filled(known.hint, sentence.fields, text_of)
    inner = (hint_of(value) for value in sentence.fields.values() if isinstance(value, Sentence))
    return next((hint for hint in inner if hint), "")
