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

_OF_PAGES: Table = {**CORE, **KIT, **MATCHER, **NODE, **PROTOCOL}
_FOR_ADMINISTRATORS = (
    "batch_",
    "call_",
    "certificate_",
    "checkpoint_",
    "dask_",
    "database_",
    "entry_",
    "envelope_",
    "health_",
    "identity_",
    "key_",
    "own_ca_",
    "own_certificate_",
    "peer_",
    "proof_",
    "sealed_",
    "settings_",
    "signed_",
    "stored_file_",
    "stored_record_",
    "stored_rows_",
    "stored_secret_",
    "token_",
)
"""How the codes begin of faults of machines, keys, files and bytes, which no officer can mend."""

SHOWN: Final[Table] = {code: text for code, text in _OF_PAGES.items() if not code.startswith(_FOR_ADMINISTRATORS)}
"""Sentences of pages for everyone: the catalogues have them in every language."""

SENTENCES: Final[Table] = {QUOTED: Text("{text}", "{hint}"), **AUDITING, **COMMAND, **SIMULATION, **_OF_PAGES}
"""Every sentence: those of a command or an audit alone, and faults for administrators, are in English."""


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
