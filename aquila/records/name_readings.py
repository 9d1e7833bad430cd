"""The names of a record as written and as read, so that its officer sees what will be compared.

What is shown is personal: it is for the officer of the party whose record it is, and for nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass

from aquila.records.normalize.names import name_words
from aquila.records.person import Record
from aquila.records.rule_parts import MOST_WORDS


@dataclass(frozen=True, slots=True, repr=False)
class ReadName:
    """A name, or the given or family part of one.

    Attributes:
        field: The record's field.
        written: As the source writes it; several given or family names by blanks, as they are read.
        words: The folded words that match rules compare, in the order of the text.
    """

    field: str
    written: str
    words: tuple[str, ...]

    def __repr__(self) -> str:
        return "ReadName()"


def read_names(record: Record) -> tuple[ReadName, ...]:
    """Return the names of a record, in the order of its fields."""
    texts = [
        ("given_names", " ".join(record.given_names)),
        ("family_names", " ".join(record.family_names)),
        ("full_name", record.full_name or ""),
        *(("aliases", alias) for alias in record.aliases),
    ]
    return tuple(ReadName(field, text, name_words(text)[:MOST_WORDS]) for field, text in texts if text)
