"""Costs of a record before the group is involved: reading it, and making its inputs."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import TypeVar

from aquila.csv_files import ListWriter
from aquila.protocol.submissions.tasks import digest_records
from aquila.records.person import Record
from aquila.records.reading.lists import read_records
from aquila.records.rows import AcceptedRow
from aquila.records.rules import BUILT_IN, load_rules
from clients.people import spelling
from clients.people.nationals import COUNTRIES, National, invent_national
from tests.bench.steps import TimingSpread, measure

_RECORDS = 5_000
_REPEATS = 3
_BINDING = bytes(32)

Given = TypeVar("Given")


@dataclass(frozen=True, slots=True)
class RecordStep:
    """A step, how many inputs a record gives in it, and microseconds per record."""

    name: str
    inputs: float
    spread: TimingSpread


def measure_records(folder: Path, records: int = _RECORDS) -> Iterator[RecordStep]:
    """Measure reading a list, and normalizing and digesting its records under each built-in table of rules.

    Each repeat has a list of its own, so that what is known of earlier persons is what long lists repeat.
    """
    for code, script in (("SI", "Latin"), ("RS", "Cyrillic")):
        contents = list(_contents(folder, code, records))
        spread = measure(_over(_read, contents), records, _REPEATS)
        yield RecordStep(f"read, {script}", 0.0, spread)
        lists = list(map(_read, contents))
        for name in reversed(BUILT_IN):
            table = load_rules(name)
            inputs = len(digest_records(_BINDING, table, lists[-1]).rules) / records
            spread = measure(_over(partial(digest_records, _BINDING, table), lists[:-1]), records, _REPEATS)
            yield RecordStep(f"normalize, make and digest inputs, rules {name}, {script}", round(inputs, 2), spread)


def _contents(folder: Path, code: str, records: int) -> Iterator[bytes]:
    """Write a list of a party for each repeat and for the run that is not counted, and one more."""
    for seed in range(1, _REPEATS + 3):
        write_list(folder / f"{code}.csv", code, records, seed)
        yield (folder / f"{code}.csv").read_bytes()


def _over(work: Callable[[Given], object], lists: Sequence[Given]) -> Callable[[], object]:
    """The step that works on the next list whenever it is called."""
    following = iter(lists)
    return lambda: work(next(following))


def _read(content: bytes) -> list[Record]:
    return [row.record for row in read_records(io.BytesIO(content)) if isinstance(row, AcceptedRow)]


PARTIES = ("AL", "AT", "BA", "BG", "HR", "HU", "MD", "ME", "MK", "RO", "RS", "SI")
COLUMNS = (
    "record_id",
    "given_names",
    "family_names",
    "date_of_birth",
    "sex",
    "nationality",
    "national_numbers",
    "document_numbers",
    "phones",
)
_CYRILLIC = frozenset({"BG", "MK", "RS"})
_ONE_IN = 20  # of a list's length, how many persons stand in a common pool
_IN_POOL_SHARE = 0.5
_IN_A_QUERY = 3
_NUMBER_SHARES = (0.3, 0.6, 0.3)  # national, of a document, telephone: soft intelligence rarely has all


def write_list(path: Path, code: str, size: int, seed: int = 1, pool: int | None = None) -> None:
    """Write a party's list as CSV.

    Args:
        pool: How many persons lists share, each of whom half of the lists have; by default one for twenty records.
    """
    random = Random(f"{seed} {code}")  # invented persons need to be the same again, not secret
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = ListWriter(file)
        writer.write(COLUMNS)
        for number, person in enumerate(_persons(size, seed, random, pool), start=1):
            writer.write((f"{code}-{number:07d}", *_row(person, code, random)))


def query_rows(code: str, size: int, number: int, records: int, seed: int = 1) -> Iterator[tuple[str, ...]]:
    """Yield the rows of a query of this party: three persons of the common pool of lists, and strangers.

    So few are known that many queries together do not look like fishing.
    """
    random = Random(f"{seed} query {code} {number}")  # invented persons need to be the same again, not secret
    for place in range(size):
        known = Random(f"{seed} {(_IN_A_QUERY * number + place) % (records // _ONE_IN)}")  # as in the lists
        chosen = known if place < _IN_A_QUERY else random
        yield (f"{code}-Q{number}-{place}", *_row(invent_national(chosen.choice(COUNTRIES), chosen), code, random))


def _persons(size: int, seed: int, random: Random, pool: int | None) -> Iterator[National]:
    """Yield the persons of a list: half of the common pool, then its own."""
    common = 0
    for number in range(size // _ONE_IN if pool is None else pool):
        if random.random() < _IN_POOL_SHARE:
            common += 1
            shared = Random(f"{seed} {number}")  # the same person in every list
            yield invent_national(shared.choice(COUNTRIES), shared)
    for _ in range(size - common):
        yield invent_national(random.choice(COUNTRIES), random)


def _row(national: National, code: str, random: Random) -> tuple[str, ...]:
    person = national.person
    given, family = person.given, person.family
    if code in _CYRILLIC:
        given, family = (spelling.cyrillic(name, "RS", person.culture) for name in (given, family))
    numbers = (national.national_number, national.document_number, national.phone)
    return (
        spelling.capitalized(given),
        spelling.capitalized(family),
        person.born.isoformat(),
        person.sex,
        national.country,
        *(number if random.random() < share else "" for number, share in zip(numbers, _NUMBER_SHARES, strict=True)),
    )
