"""Labelled lists of residents, of any length."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

from aquila.records.person import Record
from tests.quality.measuring.labelled_sets import LabelledSet, same_persons
from tests.quality.populations.residents import CULTURES, Resident, household, relative
from tests.quality.populations.sources import SOURCES, record


@dataclass(frozen=True, slots=True)
class Population:
    """What lists are made of.

    Attributes:
        common: Of the shorter of two lists, the share of persons that the other has too.
        twice: The share of persons that a list has in two records.
        related: The share of persons with a relative in the same list.
        kin: Of the shorter of two lists, the share of persons of whom the other has a brother or sister.
    """

    common: float = 0.1
    twice: float = 0.01
    related: float = 0.10
    kin: float = 0.0
    cultures: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: CULTURES)
    sources: Mapping[str, float] = field(default_factory=lambda: SOURCES)


USUAL = Population()


def populated_lists(sizes: Mapping[str, int], seed: int, population: Population = USUAL, name: str = "") -> LabelledSet:
    """Make one list for each party.

    Args:
        population: What they are made of; each two neighbours in `sizes`' order share its `common` and `kin` shares.
    """
    random = Random(seed)
    codes = list(sizes)
    held: dict[str, list[tuple[str, Resident]]] = {code: [] for code in codes}
    number = 0
    for one, other in pairwise(codes):
        for _ in range(round(population.common * min(sizes[one], sizes[other]))):
            number += 1
            person = household(population.cultures[random.choice((one, other))], random, 0)[0]
            held[one].append((str(number), person))
            held[other].append((str(number), person))
        for _ in range(round(population.kin * min(sizes[one], sizes[other]))):
            number += 2
            person = household(population.cultures[random.choice((one, other))], random, 0)[0]
            held[one].append((str(number - 1), person))
            held[other].append((str(number), relative(person, random)))
    lists: dict[str, list[Record]] = {}
    truth = []
    for code, size in sizes.items():
        noted = held[code]
        while len(noted) < size:
            for person in household(population.cultures[code], random, population.related):
                number += 1
                noted.append((str(number), person))
                if random.random() < population.twice:
                    noted.append((str(number), person))
        chosen = noted[:size]
        random.shuffle(chosen)
        kinds = random.choices(list(population.sources), list(population.sources.values()), k=len(chosen))
        lists[code] = []
        for place, ((who, person), kind) in enumerate(zip(chosen, kinds, strict=True), start=1):
            record_id = f"{code}-{place:07d}"
            lists[code].append(record(person, code, record_id, kind, random))
            truth.append((who, code, record_id))
    label = name or "population, " + " x ".join(f"{size:,}" for size in sizes.values())
    return LabelledSet(label, lists, same_persons(truth))


def strangers(size: int, seed: int, codes: tuple[str, str] = ("BA", "RS")) -> LabelledSet:
    """Make two lists of which no two persons are the same."""
    return populated_lists(dict.fromkeys(codes, size), seed, Population(common=0.0), f"strangers, 2 x {size:,}")
