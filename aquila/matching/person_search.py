"""One person looked for in a party's own records, by the match rules of rounds and in this process alone.

A person and a record meet as two records of a round do: by values that are equal under a rule, whatever the script and
the spelling. What is found is graded with the table's own weights, and stays below every level where names alone agree
and the date of birth is not known to both. Who has these names and another date is another person by the rules, and is
not found: without the date all who have the names are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aquila.errors import InputError
from aquila.matching.certainty import Grade, grade
from aquila.records.inputs import input_maker
from aquila.records.person import Record, RecordColumns
from aquila.records.rules import InputClass, Rule, RuleTable, mask_of

Place = tuple[str, int]
"""The id of a list, and the place of a record in it."""

_WORDS = 4  # of 8 bytes each in a digest; the first one tells values of one search apart


@dataclass(frozen=True, slots=True, repr=False)
class FoundPerson:
    """A record that may be the person's: its list, its place there, and how certain it is."""

    place: Place
    grade: Grade

    def __repr__(self) -> str:
        return "FoundPerson()"


class PersonSearch:
    """Looks through records: `add` them in their order, then ask once for `found`.

    Args:
        table: The match rules.
        person: What is known of the person.

    Raises:
        InputError: No rule compares anything that is known of the person.
    """

    def __init__(self, table: RuleTable, person: Record) -> None:
        self._table = table
        self._maker = input_maker(table)
        self._prefixes = {rule.number: bytes((rule.number,)) for rule in table.rules}
        self._records = 0
        self._met: list[tuple[Place, int, bool]] = []
        _, rules, self._wanted = self._values([person])
        if not len(rules):
            raise InputError("person_not_comparable")
        self._dated = mask_of({*rules.tolist()} & {rule.number for rule in table.rules if reads_date(rule)})
        whole = mask_of(rule.number for rule in table.rules if rule.input_class is InputClass.FULL)
        self._certain = whole | mask_of(rule.number for rule in table.rules if reads_date(rule))
        self._names = mask_of(rule.number for rule in table.rules if rule.reads_names_alone)

    def add(self, places: Sequence[Place], records: Sequence[Record]) -> None:
        """Look at the next records, each in its place.

        Raises:
            InputError: A record has more inputs than can be counted.
        """
        numbers, rules, values = self._values(records)
        bits = np.left_shift(np.uint64(1), (rules - 1).astype(np.uint64))
        meets = np.isin(values, self._wanted)
        for number in np.unique(numbers[meets]).tolist():
            of_record = numbers == number
            met = int(np.bitwise_or.reduce(bits[of_record & meets]))
            known = int(np.bitwise_or.reduce(bits[of_record]))
            other_date = bool(known & self._dated) and not met & self._certain
            self._met.append((places[number], met, other_date))
        self._records += len(records)

    def found(self) -> tuple[FoundPerson, ...]:
        """Return the records that may be the person's, the surest first."""
        rare = {rule.number: rule.most_records for rule in self._table.rules if rule.most_records}
        bearers = {number: sum(bool(met & mask_of([number])) for _, met, _ in self._met) for number in rare}
        crowded = mask_of(number for number, most in rare.items() if bearers[number] > most)
        graded = []
        for place, met, other_date in self._met:
            kept = met & ~crowded
            if kept and not other_date:
                result = grade(self._table, kept, 1, self._records)
                if result.level is not None or kept & self._names:
                    graded.append(FoundPerson(place, result))
        return tuple(sorted(graded, key=lambda one: (-one.grade.centibits, one.place)))

    def _values(self, records: Sequence[Record]) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint64]]:
        """Return of each input of some records its record, its rule and its value."""
        columns = RecordColumns.of(records)
        digested = self._maker.digest(columns, self._maker.names(columns), self._prefixes)
        numbers = np.repeat(np.arange(len(records)), digested.counts)
        return numbers, digested.rules, np.frombuffer(digested.digests, dtype="<u8")[::_WORDS]


def reads_date(rule: Rule) -> bool:
    """Return whether a rule compares a date of birth."""
    return any(part.reads.startswith("birth:") for part in rule.parts)
