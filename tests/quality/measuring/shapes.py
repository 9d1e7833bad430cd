"""Lists of unlike shapes, on which nothing is fitted: what a level promises has to hold on each of them.

A shape changes lists that are invented as usual. What it changes of a person, it changes in all their records alike.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from itertools import product
from typing import NamedTuple

from aquila.records.person import PartialDate, Record
from tests.quality.measuring.common_lists import GenerationSettings, common_lists
from tests.quality.measuring.labelled_sets import LabelledSet

IN_COMMON = (1, 10, 30, 100)
"""Of 100 records, how many are of a person of the other list."""
SIZES = (1_000, 4_000)
PARTIES = ("BA", "RS")
_SEED = 55
_RECORDS_A_PERSON = 5
_USUAL_FAMILIES = (
    *("Hodžić", "Jovanović", "Petrović", "Hadžić", "Kovačević"),
    *("Nikolić", "Ahmeti", "Popović", "Ali", "Delić"),
)


class Case(NamedTuple):
    """What is tried.

    Attributes:
        shape: Name of a shape.
        size: Records of each list.
        common: Of 100 records, how many are of a person of the other list.
    """

    shape: str
    size: int
    common: int

    def __str__(self) -> str:
        return f"{self.shape}, 2 x {self.size:,}, {self.common} of 100 in common"


Change = Callable[[Record, str, float], Record]
"""Of a record its party and a number of its person, from 0 to 1, to the record as the shape has it."""


def _new_year(share: float, record: Record, _party: str, person: float) -> Record:
    born = record.date_of_birth
    return replace(record, date_of_birth=PartialDate(born.year, 1, 1)) if born and person < share else record


def _one_decade(record: Record, _party: str, _person: float) -> Record:
    born = record.date_of_birth
    if born is None:
        return record
    year = 1980 + born.year % 10
    day = min(born.day, 28) if born.day else None
    return replace(record, date_of_birth=PartialDate(year, born.month, day))


def _no_date(record: Record, _party: str, _person: float) -> Record:
    return record if not (record.given_names and record.family_names) else replace(record, date_of_birth=None)


def _ten_families(record: Record, _party: str, person: float) -> Record:
    if person >= 1 / 3 or not record.family_names:
        return record
    return replace(record, family_names=(_USUAL_FAMILIES[int(person * 3 * len(_USUAL_FAMILIES))],))


def _single_word(record: Record, _party: str, person: float) -> Record:
    if person >= 1 / 2:
        return record
    names = record.family_names if person < 1 / 4 else record.given_names
    word = (*names, *record.given_names, *record.family_names)[0].replace("-", " ").split()[0]
    return replace(record, given_names=(), family_names=(), full_name=word)


def _one_place(record: Record, _party: str, _person: float) -> Record:
    return replace(record, place_of_birth="Sarajevo", nationality=("BIH",))


def _other_make(record: Record, party: str, _person: float) -> Record:
    born = record.date_of_birth
    return replace(record, date_of_birth=PartialDate(born.year)) if born and party == PARTIES[0] else record


SHAPES: Mapping[str, Change] = {
    "no date changed": lambda record, _party, _person: record,
    "20 of 100 dates on 1 January": partial(_new_year, 0.2),
    "40 of 100 dates on 1 January": partial(_new_year, 0.4),
    "70 of 100 dates on 1 January": partial(_new_year, 0.7),
    "years of one decade": _one_decade,
    "no dates": _no_date,
    "a third of ten families": _ten_families,
    "every second name a single word": _single_word,
    "one place for all": _one_place,
    "years here, dates there": _other_make,
}
"""By name, each but the one of many records a person."""
MANY_RECORDS = "five records a person"


CASES = [Case(*case) for case in product((*SHAPES, MANY_RECORDS), SIZES, IN_COMMON)]


def lists_of(case: Case) -> LabelledSet:
    """Invent the two lists of a case, the same ones each time."""
    many = case.shape == MANY_RECORDS
    making = GenerationSettings(
        in_lists={len(PARTIES): case.common / 100}, records={PARTIES[0]: _RECORDS_A_PERSON} if many else {}
    )
    usual = replace(common_lists(case.size, _SEED + case.common, PARTIES, making), name=str(case))
    return usual if many else _changed(usual, SHAPES[case.shape])


def _changed(usual: LabelledSet, change: Change) -> LabelledSet:
    """Change the records of two lists, those of one person alike."""
    persons = {pair.record_b: pair.record_a for pair in usual.same}
    lists = {
        party: [change(record, party, _number(persons.get(record.record_id, record.record_id))) for record in records]
        for party, records in usual.lists.items()
    }
    return replace(usual, lists=lists)


def _number(person: str) -> float:
    """Return a number from 0 to 1, drawn by a person's name."""
    return int.from_bytes(blake2b(person.encode(), digest_size=6).digest()) / (1 << 48)
