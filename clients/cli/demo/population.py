"""The demo's lists and homes: each country's own persons, some of whom other countries noted too, in their own way.

The same seed gives the same bytes. `Population.common` is the truth that only the demo knows: which records of which
lists are one person. The homes are those of a matcher and three nodes that know one another's keys.
"""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from pathlib import Path
from random import Random

from aquila.csv_files import ListWriter
from aquila.protocol.registry import MATCHER
from aquila.records.person import FIELDS
from clients.cli.services.parties import own_card
from clients.local_services.processes import free_ports
from clients.people import spelling
from clients.people.nationals import COUNTRIES, MAIN_CULTURE, National, invent_national
from clients.sdk import find_home
from clients.sdk.cards import Card, Cards
from services.kit.storage.files import write_secret
from services.matcher.storage.home import create as create_matcher
from services.node.storage.home import create as create_node

Row = dict[str, str]

IN_TWO = 40  # of 1,000 persons of each list, how many stand in one other list too
IN_ALL = 8
_THOUSAND = 1_000
_CATEGORIES = ("travel to a conflict zone", "financing", "recruitment", "support", "radicalisation in custody")
_INDICATORS = ("T1", "F2", "C1", "T4", "M1", "C3")
_CYRILLIC_SHARE = 0.6
_SECOND_FAULT_SHARE = 0.15
_LAST_MONTH = 12


@dataclass(frozen=True, slots=True)
class Population:
    """Three lists and the truth about them."""

    rows: dict[str, list[dict[str, str]]]
    """Each country's rows by column, in the order of its file."""
    common: frozenset[tuple[str, str, str, str]]
    """For two records of one person: both codes and record ids, the smaller code first."""

    def file(self, country: str) -> bytes:
        """Return a country's list as a CSV file; Slovenia's office software writes a byte-order mark and `;`."""
        text = io.StringIO()
        separator = ";" if country == "SI" else ","
        writer = ListWriter(text, separator=separator, line_end="\r\n")
        writer.write(FIELDS)
        for row in self.rows[country]:
            writer.write(row.get(field, "") for field in FIELDS)
        return text.getvalue().encode("utf-8-sig" if country == "SI" else "utf-8")


def populate(size: int = _THOUSAND, seed: int = 1) -> Population:
    """Invent three lists of `size` persons each, with a known overlap, and one unusable row below them.

    Args:
        size: Persons of each list.
        seed: Other seeds give other persons.
    """
    random = Random(seed)  # noqa: S311 - invented persons need to be the same again, not secret
    noted: dict[str, list[tuple[int, Row]]] = {country: [] for country in COUNTRIES}
    for number, (person, countries) in enumerate(_common_persons(size, random)):
        for country in countries:
            noted[country].append((number, _note(person, country, random, distorted=country != person.country)))
    for country, rows in noted.items():
        while len(rows) < size:
            rows.append((-1, _note(invent_national(country, random), country, random, distorted=False)))
        random.shuffle(rows)
        for place, (_, row) in enumerate(rows, start=1):
            row["record_id"] = f"{country}-{place:04d}"
    lists = {country: [row for _, row in rows] + [_unusable(country, size)] for country, rows in noted.items()}
    return Population(lists, _truth(noted))


def questions(population: Population, asking: str) -> tuple[Row, Row, Row]:
    """Return three persons for a party to ask for, in few fields: noted by both others, by one, and by nobody.

    Args:
        asking: The party, which has noted none of the three.
    """
    one, other = sorted(population.rows.keys() - {asking})
    rows = {row["record_id"]: row for listed in population.rows.values() for row in listed}
    pairs = sorted(population.common)
    shared = {record_id for _, first, _, second in pairs for record_id in (first, second)}
    own = {
        record_id for left, first, right, second in pairs if asking in {left, right} for record_id in (first, second)
    }
    met = [rows[first] for left, first, right, _ in pairs if (left, right) == (one, other) and first not in own]
    alone = [row for row in population.rows[one][:-1] if row["record_id"] not in shared]
    both, single = (min(found or alone, key=lambda row: -len(row["date_of_birth"])) for found in (met, alone))
    stranger = _note(invent_national(asking, Random(0)), asking, Random(0), distorted=False)  # noqa: S311 - invented
    return _few_fields(both), _few_fields(single), _few_fields(stranger)


def _few_fields(row: Row) -> Row:
    return {name: row[name] for name in ("given_names", "family_names", "date_of_birth")}


def _common_persons(size: int, random: Random) -> Iterable[tuple[National, tuple[str, ...]]]:
    """Return persons of several lists, each with the countries that noted them; the own country is among these."""
    pairs = list(combinations(COUNTRIES, 2))
    groups: list[tuple[str, ...]] = [pairs[place % len(pairs)] for place in range(IN_TWO * size // _THOUSAND)]
    groups += [COUNTRIES] * (IN_ALL * size // _THOUSAND)
    for countries in groups:
        yield invent_national(random.choice(countries), random), countries


def _unusable(country: str, size: int) -> Row:
    """Return the row that a real list always has: too little to match on, and a date that never was."""
    return {"record_id": f"{country}-{size + 1:04d}", "given_names": "Ana", "date_of_birth": "31.02."}


def _truth(noted: dict[str, list[tuple[int, Row]]]) -> frozenset[tuple[str, str, str, str]]:
    ids = {
        (country, number): row["record_id"] for country, rows in noted.items() for number, row in rows if number >= 0
    }
    numbers = {number for _, number in ids}
    return frozenset(
        (left, ids[left, number], right, ids[right, number])
        for number in numbers
        for left, right in combinations(COUNTRIES, 2)
        if (left, number) in ids and (right, number) in ids
    )


def _note(national: National, country: str, random: Random, *, distorted: bool) -> Row:
    """Note a person as a country's officers would: own nationals from documents, others from what was heard."""
    person = national.person
    write = _writer(country, random, national)
    heard = distorted and person.culture == "ARA"
    row = {
        "given_names": spelling.heard(person.given, random) if heard else person.given,
        "family_names": spelling.heard(person.family, random) if heard else person.family,
        "date_of_birth": person.born.isoformat(),
        "sex": person.sex,
        "nationality": national.country,
    }
    if distorted:
        for _ in range(2 if random.random() < _SECOND_FAULT_SHARE else 1):
            _fault(row, random)
    row |= {name: write(row[name]) for name in ("given_names", "family_names")}
    row |= _identifiers(national, random, distorted=distorted)
    if not distorted:
        row["place_of_birth"] = write(person.place)
        if person.culture == MAIN_CULTURE[national.country]:
            row["country_of_birth"] = national.country
    return row | _intelligence(random)


def _writer(country: str, random: Random, national: National) -> Callable[[str], str]:
    """Return how a country's list writes the names of a national of another country or of its own."""
    culture = national.person.culture
    if country == "RS":
        if random.random() < _CYRILLIC_SHARE:
            return lambda name: spelling.capitalized(spelling.cyrillic(name, country, culture))
        if culture == "ALB":
            return lambda name: spelling.capitalized(spelling.serbian(name, culture))
        return spelling.capitalized
    if country == national.country:
        return spelling.capitalized
    write = random.choice([spelling.plain, spelling.albanian if country == "AL" else spelling.slovene])
    return lambda name: spelling.capitalized(write(name))


def _fault(row: Row, random: Random) -> None:
    """Change a row as hearing, typing and half knowledge change it; a third of the rows stays as it is."""
    born = row["date_of_birth"]
    whole = len(born) == len("YYYY-MM-DD")
    match random.choices(("none", "day and month", "no day", "no month", "slip", "names"), (34, 14, 12, 6, 24, 10))[0]:
        case "day and month" if whole and date.fromisoformat(born).day <= _LAST_MONTH:
            row["date_of_birth"] = "-".join((born[:4], born[8:], born[5:7]))
        case "no day" if whole:
            row["date_of_birth"] = born[:7]
        case "no month":
            row["date_of_birth"] = born[:4]
        case "slip":
            name = random.choice(("given_names", "family_names"))
            row[name] = spelling.slip(row[name], random)
        case "names":
            row["given_names"], row["family_names"] = row["family_names"], row["given_names"]
        case _:
            pass


def _identifiers(national: National, random: Random, *, distorted: bool) -> Row:
    """Return the numbers that a list has: many of its own nationals, few of others."""
    shares = {"national_numbers": 0.6, "document_numbers": 0.5, "phones": 0.35, "emails": 0.15}
    values = {
        "national_numbers": national.national_number,
        "document_numbers": national.document_number,
        "phones": national.phone,
        "emails": national.email,
    }
    return {
        name: values[name] for name, share in shares.items() if random.random() < (share / 4 if distorted else share)
    }


def _intelligence(random: Random) -> Row:
    """Return the note's own evaluation: soft intelligence is mostly untested."""
    return {
        "category": random.choice(_CATEGORIES),
        "source_evaluation": random.choices("ABCX", (5, 25, 40, 30))[0],
        "information_evaluation": random.choices("1234", (5, 20, 35, 40))[0],
        "handling_code": random.choices(("H0", "H1", "H2", "H3"), (10, 50, 30, 10))[0],
        "indicators": ";".join(random.sample(_INDICATORS, random.randrange(1, 3))),
    }


NAMES = {"AL": "Albania, State Police", "RS": "Serbia, Ministry of the Interior", "SI": "Slovenia, Policija"}
_POLL_SECONDS = 0.3  # between two looks of a service at what there is to do: a demo is watched


@dataclass(frozen=True, slots=True)
class DemoHomes:
    """Homes of the parties."""

    homes: dict[str, Path]
    """The home folders by party code and `matcher`."""
    cards: tuple[Card, ...]

    def list_file(self, code: str) -> Path:
        """Return a party's list file, which is next to its home and not in it."""
        return self.homes[code].with_name(f"{code.lower()}.csv")


def make_homes(folder: Path, population: Population, *, practice: bool = False) -> DemoHomes:
    """Make the homes, exchange the cards, write the lists; as `matcher init`, `node init` and `party register` do.

    Args:
        practice: Whether pages and papers say that all persons are invented; the parties' names then do as well.
    """
    homes = {name: folder / name.lower() for name in (MATCHER, *COUNTRIES)}
    matcher_port, *ports = free_ports(1 + len(COUNTRIES))
    create_matcher(homes[MATCHER], port=matcher_port, driver_seconds=_POLL_SECONDS, practice=practice)
    for code, port in zip(COUNTRIES, ports, strict=True):
        url = f"http://127.0.0.1:{matcher_port}"
        name = f"PRACTICE {NAMES[code]}" if practice else NAMES[code]
        create_node(homes[code], code, name, url, port=port, poll_seconds=_POLL_SECONDS, practice=practice)
    cards = tuple(own_card(home) for home in homes.values())
    registry = Cards({card.code: card for card in cards}).text().encode()
    for home in homes.values():
        write_secret(find_home(home).registry, registry)
    demo_homes = DemoHomes(homes, cards)
    for code in COUNTRIES:
        write_secret(demo_homes.list_file(code), population.file(code))
    return demo_homes
