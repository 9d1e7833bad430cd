"""Lists of persons pass, generated grids do not."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random

import numpy as np
import pytest

from aquila.errors import GridError
from aquila.records.entropy import LEAST_RECORDS, TRAIT, check_entropy, named_traits
from aquila.records.person import PartialDate, Record, RecordColumns
from aquila.records.rule_parts import name_words_of_records, record_names
from clients.people.nationals import COUNTRIES, invent_national
from tests.quality.measuring.set_files import region

GIVEN = ("Arben", "Ilir", "Besa", "Mira", "Ana", "Petar", "Jovan", "Goran", "Milan", "Zoran")
FAMILY = ("Hoxha", "Kola", "Shehu", "Novak", "Petrović", "Janković", "Zupan", "Kos", "Kovač", "Horvat")
FIRST = dt.date(1960, 1, 1)
DAYS = [FIRST + dt.timedelta(days=day) for day in range(14_000)]
REGION = Path(__file__).parents[3] / "quality" / "region"


def traits_of(records: Iterable[Record]) -> np.ndarray:
    every = list(records)
    return named_traits([record.date_of_birth for record in every], list(map(record_names, every)))


def noted(people: Iterable[tuple[str, str, dt.date | int | None]]) -> list[Record]:
    return [
        Record(str(number), (given,), (family,), date_of_birth=_date(born))
        for number, (given, family, born) in enumerate(people)
    ]


def _date(born: dt.date | int | None) -> PartialDate | None:
    if isinstance(born, dt.date):
        return PartialDate(born.year, born.month, born.day)
    return None if born is None else PartialDate(born)


def persons(size: int) -> list[Record]:
    """Return invented persons as the bench has them: few names, many dates."""
    random = Random(7)
    people = [invent_national(random.choice(COUNTRIES), random).person for _ in range(size)]
    return noted((person.given, person.family, person.born) for person in people)


def test_words_of_names_have_the_traits_of_the_names() -> None:
    """Names of several words, of one side whose words are all left out, and of none that is read."""
    people = [("Ana Marija", "de Ilić"), ("Љ", "Ilić"), ("Ana", "?"), ("?", "!"), ("Abd", "al")]
    records = [Record("1", (given,), (family,), date_of_birth=PartialDate(1980, 2)) for given, family in people]
    words = name_words_of_records(RecordColumns.of(records))
    assert words is not None
    assert named_traits([record.date_of_birth for record in records], words).tolist() == traits_of(records).tolist()


def some_days(count: int) -> list[dt.date]:
    return Random(3).sample(DAYS[::2], count)


NAMES = list(zip(GIVEN, FAMILY, strict=True))
GRIDS = {
    "days in a row": [("Arben", "Hoxha", day) for day in DAYS[:365]],
    "eight days in a row": [("Arben", "Hoxha", day) for day in DAYS[40:48]],
    "one name, any dates": [("Arben", "Hoxha", day) for day in some_days(100)],
    "ten names, a hundred dates": [(*name, day) for name, day in product(NAMES, some_days(100))],
    "a hundred names, five dates": list(product(GIVEN, FAMILY, some_days(5))),
    "five by five": [(*name, day) for name, day in product(NAMES[:5], some_days(5))],
    "names at random dates": [(*name, day) for name in NAMES for day in some_days(500)[: 40 + len(name[0])]],
    "all names": [(given, family, None) for given, family in product(GIVEN, FAMILY)],
    "all names of a year": [(given, family, 1980) for given, family in product(GIVEN, FAMILY)],
    "all names of a new year": [(given, family, dt.date(1980, 1, 1)) for given, family in product(GIVEN, FAMILY)],
    "one name, all years": [("Arben", "Hoxha", year) for year in range(1950, 2000)],
    "one person, many times": [("Arben", "Hoxha", DAYS[7])] * 100,
}


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_a_grid_is_refused(grid: Sequence[tuple[str, str, dt.date | int | None]]) -> None:
    records = noted(grid)
    Random(1).shuffle(records)
    with pytest.raises(GridError, match="looks like guesses") as caught:
        check_entropy(traits_of(records))
    assert not {*GIVEN, *FAMILY} & set(f"{caught.value.message} {caught.value.hint}".replace(",", " ").split())
    assert caught.value.fields["got"] > caught.value.fields["expected"]


@pytest.mark.parametrize("party", ["BA", "BG", "MK", "RO", "RS"])
def test_lists_of_the_region_pass(party: str) -> None:
    """Five invented lists of 5,000 persons, as real lists write them, are persons; so is any part of them."""
    records = list(region(REGION).lists[party])
    for size in (LEAST_RECORDS, 100, len(records)):
        check_entropy(traits_of(records[:size]))


def test_lists_with_many_dates_on_1_january_pass() -> None:
    """Where only the year is known, many a list writes 1 January: seven of ten persons may have such a date."""
    records = [
        replace(record, date_of_birth=PartialDate(born.year, 1, 1)) if number % 10 < 7 else record
        for number, record in enumerate(region(REGION).lists["BA"])
        if (born := record.date_of_birth)
    ]
    check_entropy(traits_of(records))


@pytest.mark.parametrize("size", [0, 1, 24, 1_000, 5_000])
def test_lists_of_few_names_pass(size: int) -> None:
    """Persons whose names come from a short table have dates of their own."""
    check_entropy(traits_of(persons(size)))


def test_a_grid_among_persons_is_refused() -> None:
    """Ten names with the same twenty dates are seen among five thousand persons, and so are nine days in a row."""
    crowd = persons(5_000)
    check_entropy(traits_of(crowd))
    with pytest.raises(GridError, match="records are a grid"):
        check_entropy(traits_of(crowd + noted((*name, day) for name, day in product(NAMES, some_days(20)))))
    with pytest.raises(GridError, match="9 days of birth in a row"):
        check_entropy(traits_of(crowd + noted(("Arben", "Hoxha", day) for day in DAYS[:9])))


def test_short_lists_and_families_pass() -> None:
    """A family, a person with several dates, thirty relatives of two names, lists without dates: no grids."""
    check_entropy(traits_of(noted(product(GIVEN, FAMILY[:1], DAYS[:1]))))
    check_entropy(traits_of(noted(("Arben", "Hoxha", day) for day in DAYS[:7])))
    relatives = [(f"{given}{end}", family, None) for given, family, end in product(GIVEN, FAMILY[:2], ("", "ka"))]
    check_entropy(traits_of(noted(relatives)))
    check_entropy(traits_of(noted((f"Name{n}", f"Other{n}", None) for n in range(50))))
    check_entropy(traits_of(noted((f"Name{n}", f"Other{n}", 1950 + n) for n in range(50))))


def test_traits_of_incomplete_records() -> None:
    """A name of one word is first and last, a date without its day is no day, and a record may lack either."""
    records = [
        Record("1", given_names=("Ana",), date_of_birth=PartialDate(1980, 3)),
        Record("2", full_name="Ana Novak"),
        Record("3", given_names=("...",), date_of_birth=PartialDate(1980, 3, 4)),
    ]
    single, full, none = traits_of(records)
    assert single["first"] == single["last"] == full["first"] != full["last"]
    assert (single["born"], full["born"]) == (-198003, 0)
    assert (none["first"], none["last"]) == (0, 0)
    assert none["born"] > 0
    assert traits_of([]).dtype == TRAIT
