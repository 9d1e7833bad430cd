"""The definition of inputs (schemas/records/match-rules.md), for one record, one rule and one value at a time.

Nothing is kept, grouped or compiled here. `aquila.records.inputs` is compared with it.
"""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import combinations, product

from aquila.protocol.encoding import framed
from aquila.records.normalize.countries import country
from aquila.records.normalize.identifiers import document_number, email, national_number, phone_tail
from aquila.records.normalize.names import FORMS, name_words, part_words
from aquila.records.person import Record
from aquila.records.rule_parts import DATE_FORMS
from aquila.records.rules import RuleTable

BETWEEN_PARTS, BETWEEN_WORDS = "\x1e", "\x1f"
MOST_WORDS = 8
IDENTIFIERS = {
    "document": ("document_numbers", document_number),
    "national": ("national_numbers", national_number),
    "phone": ("phones", phone_tail),
    "email": ("emails", email),
}
Words = tuple[str, ...]
Pair = tuple[str, str]


def plain_inputs(record: Record, table: RuleTable) -> list[tuple[int, bytes]]:
    found = set()
    for rule in table.rules:
        values = [list(_values(record, part.reads)) for part in rule.parts]
        found |= {(rule.number, BETWEEN_PARTS.join(chosen).encode()) for chosen in product(*values)}
    return sorted(found)


def plain_digests(binding: bytes, table: RuleTable, inputs: Iterable[tuple[int, bytes]]) -> bytes:
    """The input digests of inputs, 32 bytes each (PROTOCOL.md 3.4.4)."""
    classes = {rule.number: rule.input_class.value.encode() for rule in table.rules}
    return b"".join(
        hashlib.sha256(framed("aquila/2 input", binding, classes[rule], bytes([rule])) + value).digest()
        for rule, value in inputs
    )


def _values(record: Record, part: str) -> Iterator[str]:
    kind, _, form = part.partition(":")
    if kind in {"all", "letters", "pair", "word"}:
        for words, pairs, ends in _names(record):
            yield from _of_name(kind, form, words, ends if "+" in form.partition("/")[0] else pairs)
    elif kind == "sole":
        sole = [words for words, _pairs, _ends in _names(record) if words]
        if all(len(words) == 1 and len(words[0]) > 1 for words in sole):
            yield from (FORMS[form](words[0]) for words in sole)
    elif kind == "birth" and record.date_of_birth:
        yield from DATE_FORMS[form](record.date_of_birth)
    elif kind == "place" and (found := part_words(record.place_of_birth or "")):
        yield BETWEEN_WORDS.join(sorted(FORMS["sound"](word) for word in found))
    elif kind == "nationality":
        yield from (form or code for text in record.nationality if (code := country(text)))
    elif kind == "sex" and record.sex in {"F", "M"}:
        yield str(record.sex)
    elif kind in IDENTIFIERS:
        field, canonical = IDENTIFIERS[kind]
        yield from filter(None, map(canonical, getattr(record, field)))


def _of_name(kind: str, form: str, words: Words, pairs: list[Pair]) -> Iterator[str]:
    form, _, count = form.partition("/")
    first, _, second = form.partition("+")
    if kind == "letters":
        letters = sorted(letter for word in words for letter in word if letter not in "aeiouhjy")
        if len(letters) > 4:
            yield "".join(letters)
    elif kind == "all":
        shaped = {FORMS[first](word) for word in words}
        if len(shaped) > 1 and count in {"", str(len(shaped)), "4+" if len(shaped) > 3 else ""}:
            yield BETWEEN_WORDS.join(sorted(shaped))
    elif kind == "word":
        yield from (FORMS[first](word) for word in words)
    elif count == "3+" and len({FORMS[first](word) for word in words if len(word) > 1}) < 3:
        return
    elif second:
        for one, two in pairs:
            yield FORMS[first](one) + BETWEEN_WORDS + FORMS[second](two)
            yield FORMS[first](two) + BETWEEN_WORDS + FORMS[second](one)
    else:
        for pair in pairs:
            yield BETWEEN_WORDS.join(sorted(FORMS[first](word) for word in pair))


def _names(record: Record) -> Iterator[tuple[Words, list[Pair], list[Pair]]]:
    given, family = " ".join(record.given_names), " ".join(record.family_names)
    whole = [record.full_name or "", *record.aliases]
    if given and family:
        first, last = (part_words(text)[:MOST_WORDS] for text in (given, family))
        pairs = [(one, other) for one in first for other in last]
        yield first + last, pairs, pairs
    else:
        whole.append(given or family)
    for text in whole:
        words = name_words(text)
        chosen = words if len(words) <= 3 else (*words[:2], words[-1])
        yield words[:MOST_WORDS], list(combinations(chosen, 2)), [(words[0], words[-1])] if len(words) > 1 else []
