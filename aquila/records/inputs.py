"""From a record to the inputs of match rules: canonical bytes, equal where two parties should meet.

Rules read parts, and the values of a part follow from one attribute of a record: its names, or a field
(`rule_parts`). An `InputMaker` goes through many records attribute by attribute, because what records share, such as a
date or a name, has the same values in each of them. An input is then one value of each part of a rule.

Inputs say nothing yet about who may compare them; the protocol hashes each with binding, class and rule before it is
blinded (PROTOCOL.md, input digest).
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aquila.crypto.hashing import digests_core
from aquila.errors import InputError
from aquila.records.person import PartialDate, Record, RecordColumns
from aquila.records.rule_parts import (
    NAMES,
    KnownValues,
    Name,
    NameWords,
    all_words_reader,
    attribute_of,
    name_words_of_records,
    names_of_records,
    once,
    part_reader,
    record_names,
)
from aquila.records.rules import RuleTable

MOST_INPUTS = (1 << 16) - 1
"""Of one record, before those are chosen that are sent."""

_PART_MARK = "\x1e"  # between the parts of one input; occurs in no value
_MOST_KNOWN = 1 << 15
_MOST_NAMES = 1 << 13  # those of a person take about two kilobytes, and repeat less than the words in them
_UNREPEATED = frozenset({"document_numbers", "national_numbers", "phones", "emails"})
_BIRTH = "date_of_birth"

PartValues = tuple[tuple[str, ...], ...]
"""The values of each part that follows from one attribute."""


class Input(NamedTuple):
    """One input: the rule's number and the canonical bytes. It is personal: never logged, never stored in the clear."""

    rule: int
    value: bytes

    def __repr__(self) -> str:
        return f"Input(rule={self.rule})"


class DigestedInputs(NamedTuple):
    """The inputs of m records, digested, as columns."""

    counts: NDArray[np.uint16]
    """How many inputs each record has."""
    rules: NDArray[np.uint8]
    """The rule of each of n inputs, the sum of `counts`."""
    digests: bytes
    """Of each, 32 bytes: as secret as the inputs, since a guess can be compared with them."""

    def __repr__(self) -> str:
        return f"DigestedInputs({len(self.rules)})"


def record_inputs(record: Record, table: RuleTable, names: tuple[Name, ...] | None = None) -> tuple[Input, ...]:
    """All inputs that a record gives under a table, each once, ordered by rule and bytes.

    Rules whose parts the record lacks give none. `names` are the record's (`record_names`), where they are known.
    """
    if names is None:
        names = record_names(record)
    return input_maker(table).inputs(record, names)


class InputMaker:
    """Makes the inputs of records under one table of rules.

    Args:
        table: The match rules.
        core: The C module (`digests_core`), which takes an eighth of the time; without it Python does the same.
    """

    def __init__(self, table: RuleTable, core: ModuleType | None = None) -> None:
        parts = dict.fromkeys(part.reads for rule in table.rules for part in rule.parts)
        by_attribute: dict[str, list[str]] = {}
        for part in parts:
            by_attribute.setdefault(attribute_of(part), []).append(part)
        self._readers = {
            attribute: _attribute_reader(attribute, tuple(read)) for attribute, read in by_attribute.items()
        }
        # Where the values of a part are: the place of its attribute among the columns, and its own in a row of that.
        places = {
            part: (column, member)
            for column, read in enumerate(by_attribute.values())
            for member, part in enumerate(read)
        }
        self._rules = tuple((rule.number, tuple(places[part.reads] for part in rule.parts)) for rule in table.rules)
        # Where rules read of names all words alone, nobody has to know which pairs of them there are.
        of_names = by_attribute.get(NAMES, [])
        is_all = len(of_names) == 1 and of_names[0].startswith("all:")
        self._read_words = all_words_reader(of_names[0]) if is_all else None
        self._core = core

    def names(self, records: RecordColumns) -> Sequence[tuple[Name, ...]] | NameWords:
        """The names of some records, as far as the rules ask for them."""
        words = name_words_of_records(records) if self._read_words else None
        return words or names_of_records(records)

    def inputs(self, record: Record, names: tuple[Name, ...]) -> tuple[Input, ...]:
        """All inputs of a record whose names are given, each once, ordered by rule and bytes."""
        return tuple(self._joined(self._columns(RecordColumns.of([record]), [names]), 0))

    def digest(
        self, records: RecordColumns, names: Sequence[tuple[Name, ...]] | NameWords, prefixes: Mapping[int, bytes]
    ) -> DigestedInputs:
        """Return SHA-256 of each input of some records, behind the prefix of its rule.

        Args:
            records: The records, field by field.
            names: The names of each (`record_names`); or what `names` gives.
            prefixes: By rule number.

        Raises:
            InputError: A record has more inputs than `MOST_INPUTS`.
        """
        columns = self._columns(records, names)
        try:
            if self._core is None:
                return self._digest(columns, len(records), prefixes)
            rules = tuple((rule, prefixes[rule], parts) for rule, parts in self._rules)
            counts, numbers, digests = self._core.digest_records(rules, columns, len(records))
        except OverflowError:  # of a count
            raise InputError("record_inputs_too_many", expected=MOST_INPUTS) from None
        return DigestedInputs(np.frombuffer(counts, dtype="<u2"), np.frombuffer(numbers, dtype=np.uint8), digests)

    def _columns(
        self, records: RecordColumns, names: Sequence[tuple[Name, ...]] | NameWords
    ) -> tuple[list[PartValues], ...]:
        """For each attribute that rules read, the values of its parts, record by record."""
        columns: list[list[PartValues]] = []
        for attribute, read in self._readers.items():
            if attribute == _BIRTH:
                columns.append([read(0 if born is None else born.number) for born in records[_BIRTH]])
            elif attribute != NAMES:
                columns.append(list(map(read, records[attribute])))
            elif isinstance(names, NameWords):
                assert self._read_words is not None
                columns.append([(values,) for values in self._read_words(names)])
            else:
                columns.append(list(map(read, names)))
        return tuple(columns)

    def _joined(self, columns: tuple[list[PartValues], ...], record: int) -> Iterator[Input]:
        """The inputs of a record: of each rule the products of its parts' values, ascending."""
        for rule, parts in self._rules:
            values = [columns[column][record][member] for column, member in parts]
            for value in sorted({_PART_MARK.join(chosen).encode() for chosen in product(*values)}):
                yield Input(rule, value)

    def _digest(
        self, columns: tuple[list[PartValues], ...], records: int, prefixes: Mapping[int, bytes]
    ) -> DigestedInputs:
        """Digest in Python, as the C module does."""
        states = {rule: hashlib.sha256(prefixes[rule]).copy for rule, _parts in self._rules}
        counts, rules, digests = [], bytearray(), []
        for record in range(records):
            before = len(rules)
            for rule, value in self._joined(columns, record):
                state = states[rule]()
                state.update(value)
                digests.append(state.digest())
                rules.append(rule)
            counts.append(len(rules) - before)
        return DigestedInputs(
            np.array(counts, dtype=np.uint16), np.frombuffer(rules, dtype=np.uint8), b"".join(digests)
        )


@lru_cache(maxsize=4)
def input_maker(table: RuleTable) -> InputMaker:
    """The maker of a table in this process."""
    return InputMaker(table, digests_core())


def _attribute_reader(attribute: str, parts: tuple[str, ...]) -> Callable[[Any], PartValues]:
    """The function that reads the values of some parts from their attribute."""
    readers = [part_reader(part) for part in parts]

    def read_values(value: Any) -> PartValues:
        return tuple([once(read(value)) for read in readers])

    if attribute == _BIRTH:  # by its number, since to look up a date costs more than all else about it
        return KnownValues(lambda number: read_values(_date_of(number)), _MOST_KNOWN).__getitem__
    if attribute in _UNREPEATED:
        nothing = read_values(())
        return lambda texts: read_values(texts) if texts else nothing
    return KnownValues(read_values, _MOST_NAMES if attribute == NAMES else _MOST_KNOWN).__getitem__


def _date_of(number: int) -> PartialDate | None:
    return PartialDate.of_number(number) if number else None
