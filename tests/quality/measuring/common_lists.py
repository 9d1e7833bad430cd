"""Lists of parties with common persons, each noted by each list in its own way, and the truth about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random

from aquila.errors import InputError
from aquila.records.person import PartialDate, Record
from clients.people import spelling
from clients.people.invent import CULTURES, Person, document_number, invent
from tests.quality.measuring.labelled_sets import LabelledSet, same_persons

IN_LISTS = {2: 0.163, 3: 0.038, 4: 0.015}
"""For each person of a list of one, how many persons are in two, three and four lists, as in the development lists."""

_CYRILLIC = {"BA": 0.16, "BG": 0.92, "MK": 0.90, "RS": 0.55, "RO": 0.0}
_MARKS = 0.35  # how often Latin letters keep their marks
_SECOND_GIVEN = {"BGR": 0.55, "": 0.08}
_SECOND_FAMILY, _SLIP, _SWAPPED = 0.03, 0.13, 0.03
_DATE_FAULTS = {
    "right": 0.870,
    "none": 0.010,
    "year": 0.030,
    "month": 0.017,
    "swapped": 0.023,
    "other year": 0.035,
    "other day": 0.015,
}
_SEX_KNOWN = (0.94, 0.05, 0.01)  # as it is, not at all, the other
_DOCUMENTS = (0.4, 0.3, 0.3)  # none, the person's, another of theirs
_HAS_PLACE, _HAS_NATIONALITY = 0.8, 0.9
_OTHER = {"F": "M", "M": "F"}
_LAST_MONTH, _LAST_FEBRUARY = 12, 28


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """Settings of a list's generation.

    Attributes:
        cultures: Of 100 persons of each party's list, how many are of which culture.
        in_lists: For each person of a list of one, how many persons are in two, three and four lists.
    """

    cultures: Mapping[str, Mapping[str, int]] = field(default_factory=lambda: CULTURES)
    in_lists: Mapping[int, float] = field(default_factory=lambda: IN_LISTS)
    records: Mapping[str, int] = field(default_factory=dict)
    """How many records of a person each list has; one where nothing is said."""


USUAL = GenerationSettings()


def common_lists(
    size: int, seed: int, parties: Sequence[str] = tuple(CULTURES), making: GenerationSettings = USUAL
) -> LabelledSet:
    """Invent lists of `size` records each with known common persons."""
    random = Random(seed)
    held: dict[str, list[tuple[str, Person]]] = {party: [] for party in parties}
    number = 0
    for lists, share in making.in_lists.items():
        for _ in range(round(share * size) if lists <= len(parties) else 0):
            number += 1
            chosen = random.sample(parties, lists)
            person = invent(making.cultures[chosen[0]], random)
            for party in chosen:
                held[party].append((str(number), person))
    return _labelled(f"generated, {len(parties)} x {size:,}", held, size, random, making)


def unrelated_lists(size: int, seed: int, parties: Sequence[str] = ("BA", "RS")) -> LabelledSet:
    """Invent lists of persons of whom no two are the same."""
    random = Random(seed)
    return _labelled(f"unrelated, {len(parties)} x {size:,}", {party: [] for party in parties}, size, random)


def _labelled(
    name: str, held: dict[str, list[tuple[str, Person]]], size: int, random: Random, making: GenerationSettings = USUAL
) -> LabelledSet:
    """Fill up lists with persons of their own, and note everyone."""
    lists: dict[str, list[Record]] = {}
    truth = []
    for party, persons in held.items():
        records = making.records.get(party, 1)
        while len(persons) < size // records:
            persons.append(("", invent(making.cultures[party], random)))
        random.shuffle(persons)
        lists[party] = []
        noted = (one for one in persons[: size // records] for _ in range(records))
        for place, (number, person) in enumerate(noted, start=1):
            record_id = f"{party}-{place:06d}"
            lists[party].append(_noted(person, party, record_id, random))
            if number:
                truth.append((number, party, record_id))
    return LabelledSet(name, lists, same_persons(truth))


def _noted(person: Person, party: str, record_id: str, random: Random) -> Record:
    """Note a person as a list would; what is too little to be a record is noted again."""
    while True:
        given, family = _names(person, party, random)
        try:
            return Record(
                record_id,
                given,
                family,
                date_of_birth=_date(person.born, random),
                sex=random.choices((person.sex, None, _OTHER[person.sex]), _SEX_KNOWN)[0],
                place_of_birth=_written(person.place, person, party, random) if random.random() < _HAS_PLACE else None,
                nationality=(person.nationality,) if random.random() < _HAS_NATIONALITY else (),
                document_numbers=random.choices(((), (person.document,), (document_number(random),)), _DOCUMENTS)[0],
            )
        except InputError:
            continue


def _names(person: Person, party: str, random: Random) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write given and family names, with what is added, left out, mistaken and mistyped."""
    given, family = [person.given], [person.family]
    if random.random() < _SECOND_GIVEN.get(person.culture, _SECOND_GIVEN[""]):
        given.append(person.patronymic)
    if random.random() < _SECOND_FAMILY:
        family.append(invent(CULTURES[party], random).family)
    if person.culture == "ARA":
        given, family = ([spelling.heard(name, random) for name in names] for names in (given, family))
    whole = [given, family]
    if random.random() < _SLIP:
        chosen = random.choice(whole)
        chosen[0] = spelling.slip(chosen[0], random)
    script = random.random(), random.random()  # one record is written in one way
    texts = [[_in_script(name, person, party, *script) for name in names] for names in whole]
    written = tuple(texts[0]), ("-".join(texts[1]),)
    return written[::-1] if random.random() < _SWAPPED else written


def _written(name: str, person: Person, party: str, random: Random) -> str:
    """Write a name in any script and letters of a list."""
    return _in_script(name, person, party, random.random(), random.random())


def _in_script(name: str, person: Person, party: str, script: float, marks: float) -> str:
    """Write a name in the script and letters that two draws choose."""
    latin = spelling.latin(name, person.culture)
    if script >= _CYRILLIC[party]:
        return spelling.capitalized(latin if marks < _MARKS else spelling.plain(latin))
    native = {"BG": "BGR", "MK": "MKD"}.get(party) == person.culture
    return spelling.capitalized(name if native else spelling.cyrillic(latin, party, person.culture))


def _date(born: date, random: Random) -> PartialDate | None:  # noqa: PLR0911 - one return for each fault
    """Write the date of birth with what is forgotten, swapped and mistaken."""
    year, month, day = born.year, born.month, born.day
    match random.choices(tuple(_DATE_FAULTS), tuple(_DATE_FAULTS.values()))[0]:
        case "none":
            return None
        case "year":
            return PartialDate(year)
        case "month":
            return PartialDate(year, month)
        case "swapped" if day <= _LAST_MONTH:
            return PartialDate(year, day, month)
        case "other year":
            return PartialDate(year + random.choice((-1, 1)), month, min(day, _LAST_FEBRUARY) if month == 2 else day)
        case "other day" if day > 1:
            return PartialDate(year, month, day - 1)
        case _:
            return PartialDate(year, month, day)
