"""The number of guesses needed to find half of a population's inputs by trying the commonest values of each rule."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import product
from math import prod

from aquila.records.person import Record
from aquila.records.rule_parts import part_values, record_names
from aquila.records.rules import InputClass, Rule, RuleTable

_HALF = 0.5
_COUNTED = frozenset({"all", "letters", "pair", "sole", "word", "place", "nationality", "sex"})
"""Kinds of parts whose values can be counted in a population; numbers and addresses cannot."""

_DATES = {
    "full": 21_915,
    "any-order": 17_895,
    "new-year": 60,
    "year-month": 720,
    "year-day": 1_860,
    "day-month": 299,
    "year": 60,
    "near-year": 9_269,
    "some-month": 720,
    "decade": 1_794,
    "bare-year": 60,
}
"""How many values a form of the date has for persons born in 60 years: what an enumeration must go through."""


def guesses_by_rule(table: RuleTable, population: Sequence[Record]) -> dict[int, int | None]:
    """Return for each rule by number how many guesses find half of the persons of a population that have its inputs.

    None stands for a rule with numbers or addresses, of which there are as many as their digits allow.
    """
    counted: dict[tuple[str, ...], int] = {}
    guesses: dict[int, int | None] = {}
    for rule in table.rules:
        kinds = {part.reads.partition(":")[0] for part in rule.parts} - {"birth"}
        reads = tuple(part.reads for part in rule.parts if not _is_date(part.reads))
        if kinds <= _COUNTED and reads not in counted:
            counted[reads] = _values_for_half(population, reads)
        guesses[rule.number] = _dates(rule) * counted[reads] if kinds <= _COUNTED else None
    return guesses


def guesses_by_names(table: RuleTable, population: Sequence[Record], percents: Sequence[int]) -> dict[int, int]:
    """Return by share, in per cent and ascending, the fewest guesses by one coarse rule that find it.

    Those with a year, which few records meet, are left out. Rules on names of two, three and more words are one here:
    whoever goes through names makes inputs of each.
    """
    coarse = [[part.reads for part in rule.parts] for rule in table.rules if rule.input_class is InputClass.COARSE]
    without_year = {tuple(one.partition("/")[0] for one in reads) for reads in coarse if not any(map(_is_date, reads))}
    by_rule = [_values_for(population, reads, [percent / 100 for percent in percents]) for reads in without_year]
    return dict(zip(percents, map(min, zip(*by_rule, strict=True)), strict=True))


def _values_for_half(population: Sequence[Record], reads: Sequence[str]) -> int:
    """Return how many of the commonest values of some parts together cover half of the persons that have them all."""
    return _values_for(population, reads, [_HALF])[0]


def _values_for(population: Sequence[Record], reads: Sequence[str], shares: Sequence[float]) -> list[int]:
    """Return for ascending shares how many of the commonest values cover that share of the persons that have them."""
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    having = 0
    for place, record in enumerate(population):
        names = record_names(record)
        values = set(product(*(part_values(record, names, one) for one in reads)))
        having += bool(values)
        for value in values:
            holders[value].append(place)
    covered: set[int] = set()
    found: list[int] = []
    for number, places in enumerate(sorted(holders.values(), key=len, reverse=True), start=1):
        covered.update(places)
        while len(found) < len(shares) and len(covered) >= having * shares[len(found)]:
            found.append(number)
    return found + [0] * (len(shares) - len(found))


def _dates(rule: Rule) -> int:
    """Return how many dates must be gone through for each value of the other parts of a rule."""
    return prod(_DATES[part.reads.partition(":")[2]] for part in rule.parts if _is_date(part.reads))


def _is_date(reads: str) -> bool:
    return reads.startswith("birth:")
