"""The digest over the normalizer's answers to the conformance set, which goes into every round's manifest.

The set is `conformance.csv` of this package: one kind and text a line. It was made from the tables row by row, and from
names, dates and numbers of every language and country, so that a change of the code or of Python's own Unicode tables
that matters shows in an answer: the words of a name, the pairs of a record, the forms in which a date is compared, a
place, a nationality, an identifier. The tables themselves go into the digest too: no row of theirs can change unseen.
How a list writes a date is not part of it: a date is read before anything is normalized.
"""

import csv
import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from io import StringIO
from itertools import islice

import rfc8785

from aquila.records.normalize import identifiers
from aquila.records.normalize.names import FORMS, NAMES, NORMALIZER_VERSION, name_words, table, to_latin
from aquila.records.person import PartialDate, Record
from aquila.records.rule_parts import DATE_FORMS, WORD_MARK, read_part, record_names

_PAIRED = ("all:folded", "pair:folded", "letters", "pair:folded+initial", "word:folded")
_SOMEBODY = "Ana Ilić"  # a record needs a name; the kinds that take this one do not read it


def conformance_answers() -> Iterator[tuple[str, str, str]]:
    """Answer the conformance set: kind, text, answer, in the order of the set."""
    content = resources.files("aquila.records").joinpath("conformance.csv").read_text("utf-8")
    for kind, text in islice(csv.reader(StringIO(content, newline="")), 1, None):
        yield kind, text, _ANSWERS[kind](text)


@cache
def normalizer_digest() -> str:
    """SHA-256 in hex over version, tables and answers, each part behind its length (schemas/records/normalizer.md)."""
    digest = hashlib.sha256()
    tables = [part for name in NAMES for part in (name.encode(), rfc8785.dumps(table(name)))]
    answers = [part.encode() for line in conformance_answers() for part in line]
    for part in (b"aquila/2 normalizer", str(NORMALIZER_VERSION).encode(), *tables, *answers):
        digest.update(len(part).to_bytes(4, "big") + part)
    return digest.hexdigest()


def normalizer_reference() -> tuple[str, str]:
    """Return the normalizer as a manifest names it: its name with its version, and the conformance digest."""
    return f"normalizer {NORMALIZER_VERSION}", normalizer_digest()


def _name(text: str) -> str:
    """The readable Latin of a name, then each word in each form."""
    words = name_words(text)
    forms = (" ".join(FORMS[form](word) for word in words) for form in sorted(FORMS))
    return "|".join((to_latin(text), *forms))


def _pairs(text: str) -> str:
    """Return the readings of a record's names: given names, family names, whole name and an alias, divided by bars."""
    given, family, whole, alias = text.split("|")
    record = Record(
        "1",
        tuple(filter(None, [given])),
        tuple(filter(None, [family])),
        full_name=whole or None,
        aliases=tuple(filter(None, [alias])),
        date_of_birth=PartialDate(1980),
    )
    return "|".join(_values(record, part) for part in _PAIRED)


def _birth(text: str) -> str:
    """A date in each form in which it is compared."""
    record = Record("1", full_name=_SOMEBODY, date_of_birth=PartialDate.parse(text))
    return "|".join(f"{form}={_values(record, f'birth:{form}')}" for form in sorted(DATE_FORMS))


def _place(text: str) -> str:
    """A place of birth as it is compared."""
    return _values(Record("1", full_name=_SOMEBODY, place_of_birth=text), "place")


def _nationality(text: str) -> str:
    """Nationalities, parted by bars, as they are compared."""
    return _values(Record("1", full_name=_SOMEBODY, nationality=tuple(text.split("|"))), "nationality")


def _values(record: Record, part: str) -> str:
    """All values of a part, with a plus between the words of one."""
    return " ".join(read_part(record, record_names(record), part)).replace(WORD_MARK, "+")


_ANSWERS: dict[str, Callable[[str], str]] = {
    "name": _name,
    "pairs": _pairs,
    "birth forms": _birth,
    "place": _place,
    "nationality": _nationality,
    "document": identifiers.document_number,
    "national": lambda text: " ".join(
        (identifiers.national_number(text), *identifiers.national_schemes(identifiers.national_number(text)))
    ),
    "phone": lambda text: f"{identifiers.phone(text)} {identifiers.phone_tail(text)}",
    "email": identifiers.email,
}
