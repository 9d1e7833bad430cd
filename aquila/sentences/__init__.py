"""The one table of sentences: the English of errors, problems and refusals by id, which nothing else holds."""

from typing import Final

from aquila.sentences.auditing import AUDITING
from aquila.sentences.command import COMMAND
from aquila.sentences.core import CORE, CORE_FAULTS
from aquila.sentences.kit import KIT, KIT_FAULTS
from aquila.sentences.matcher import MATCHER, MATCHER_FAULTS
from aquila.sentences.node import NODE, NODE_FAULTS
from aquila.sentences.protocol import PROTOCOL, PROTOCOL_FAULTS
from aquila.sentences.sentence import QUOTED, Sentence, Table, Text, filled, quoted
from aquila.sentences.simulation import SIMULATION

__all__ = ["SENTENCES", "SHOWN", "Sentence", "Text", "hint_of", "quoted", "text_of"]

SHOWN: Final[Table] = {**CORE, **KIT, **MATCHER, **NODE, **PROTOCOL}
"""Sentences of pages for everyone: the catalogues have them in every language."""

_FAULTS: Table = {**CORE_FAULTS, **KIT_FAULTS, **MATCHER_FAULTS, **NODE_FAULTS, **PROTOCOL_FAULTS}

SENTENCES: Final[Table] = {QUOTED: Text("{text}", "{hint}"), **AUDITING, **COMMAND, **SIMULATION, **_FAULTS, **SHOWN}
"""Every sentence: those of a command or an audit alone, and faults, are in English."""


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
