"""The normalizer's version and the digest over its answers to the conformance set.

The set is `conformance.csv` of this package: one kind and text a line. It was made from the tables row by row, and from
names and numbers of every language and country, so that a change of the code or of Python's own Unicode tables that
matters shows in an answer. The tables themselves go into the digest too: no row of theirs can change unseen.
"""

from __future__ import annotations

import csv
import hashlib
import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from aquila.records.normalize import identifiers
from aquila.records.normalize.latin import to_latin
from aquila.records.normalize.letters import NAMES, table
from aquila.records.normalize.names import FORMS, name_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NORMALIZER_VERSION = 2

_ANSWERS: dict[str, Callable[[str], str]] = {
    "document": identifiers.document_number,
    "national": lambda text: " ".join(
        (identifiers.national_number(text), *identifiers.national_schemes(identifiers.national_number(text)))
    ),
    "phone": lambda text: f"{identifiers.phone(text)} {identifiers.phone_tail(text)}",
    "email": identifiers.email,
}


def conformance_answers() -> Iterator[tuple[str, str, str]]:
    """Answer the conformance set: kind, text, answer, in the order of the set."""
    content = resources.files("aquila.records.normalize").joinpath("conformance.csv").read_text("utf-8")
    for kind, text in csv.reader(content.splitlines()[1:]):
        yield kind, text, _ANSWERS[kind](text) if kind in _ANSWERS else _name(text)


@cache
def normalizer_digest() -> str:
    """SHA-256 in hex over version, tables as canonical JSON, texts and answers, all but the first length-prefixed."""
    digest = hashlib.sha256(f"aquila normalizer {NORMALIZER_VERSION}".encode())
    tables = ((name, json.dumps(table(name), ensure_ascii=False, sort_keys=True)) for name in NAMES)
    for line in (*tables, *conformance_answers()):
        for part in line:
            encoded = part.encode()
            digest.update(len(encoded).to_bytes(4, "big") + encoded)
    return digest.hexdigest()


def _name(text: str) -> str:
    """The readable Latin of a name, then each word in each form."""
    words = name_words(text)
    forms = (" ".join(map(FORMS[form], words)) for form in sorted(FORMS))
    return "|".join((to_latin(text), *forms))
