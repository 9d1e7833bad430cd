"""The certainty that hits of a list can have, foreseen from the list alone before anything is submitted.

A round counts chance between two lists. Before it, a party has only its own: how often two of its records bear the same
names shows how often strangers of a similar list will. What is foreseen is for two lists like this one, by names and
date of birth alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import exp2, log2

from aquila.matching.certainty import Level, level_of, prior_bits
from aquila.matching.chance import chance_model, parts_of
from aquila.matching.own_list.duplicates import DuplicateSearch
from aquila.records.normalize.coarse_forms import sound
from aquila.records.normalize.names import name_words
from aquila.records.person import Record
from aquila.records.rules import Counted, RuleTable

USUAL_NAMES = 40
_DATES = 2  # of the ways in which dates agree, the most usual ones


@dataclass(frozen=True, slots=True)
class Prospect:
    """The highest level of a hit between two lists if the names agree.

    Attributes:
        sentence: What else agrees, in plain words of the table; empty for nothing else.
        level: The highest level; None where that is no hit.
    """

    sentence: str
    level: Level | None


@dataclass(frozen=True, slots=True)
class ListForecast:
    """All that is foreseen of a list.

    Attributes:
        prospects: By what agrees besides the names, the most usual first, and nothing else last.
        usual_share: Of its family names, the share of the `usual_names` most usual ones.
    """

    prospects: tuple[Prospect, ...]
    usual_share: float
    usual_names: int


@dataclass(slots=True, repr=False)
class FamilyNames:
    """The family names of a list, counted by their sound; of a name that is not split, its last word."""

    _counts: Counter[str] = field(default_factory=Counter)

    def add(self, record: Record) -> None:
        """Count the names of the next record."""
        words = name_words(" ".join(record.family_names)) or name_words(record.full_name or "")[-1:]
        self._counts.update(map(sound, words))

    def usual_share(self) -> float:
        """The share of the names that are one of the `USUAL_NAMES` most usual; 0 of a list without names."""
        return sum(count for _, count in self._counts.most_common(USUAL_NAMES)) / max(1, self._counts.total())


def _names_rule(table: RuleTable) -> int | None:
    """Return the number of the rule that compares two names by their spelling alone; None where there is none."""
    if table.counted is None:
        return None
    family = table.counted.names[0]
    alone = [rule for rule in table.rules if [part.family for part in rule.parts] == [family]]
    return max(alone, key=lambda rule: rule.weight).number if alone else None


def forecast(table: RuleTable, records: int, search: DuplicateSearch, twice: int, names: FamilyNames) -> ListForecast:
    """Foresee the levels of hits between two lists like one.

    Args:
        table: The match rules.
        records: How many records the list has.
        search: In which all of them are noted.
        twice: How many pairs of them are likely one person.
        names: In which all of them are counted.
    """
    rule = _names_rule(table)
    alike = max(0, search.alike(rule) - twice) if rule else 0
    return ListForecast(prospects(table, records, alike), names.usual_share(), USUAL_NAMES)


def prospects(table: RuleTable, records: int, alike: int) -> tuple[Prospect, ...]:
    """Foresee the level of hits between two lists like one.

    Args:
        table: The match rules.
        records: How many records the list has.
        alike: How many of its pairs of records, each counted once, bear the same two names and are no duplicates.

    Returns:
        The most usual agreements of the date, then none; nothing without a list, or for a table that counts no chance.
    """
    if table.counted is None or not records:
        return ()
    return tuple(_foreseen(table, table.counted, records, alike))


def _foreseen(table: RuleTable, counted: Counted, records: int, alike: int) -> Iterator[Prospect]:
    of, pairs = chance_model(table, counted), records * (records - 1) / 2
    main, *further = (max(parts_of(table, family), key=lambda part: part.bits) for family in counted.names)
    chance = (alike + 1) / (pairs + exp2(-(main.chance or 0.0)))
    names = log2(main.usual or 1.0) - log2(chance) + sum(part.bits for part in further)
    prior = prior_bits(records, records, table.expected_share)
    sentences = {part.name: part.sentence for part in table.parts}
    *dates, none = zip(of.dates, of.usual_dates, of.chance_dates, strict=True)
    for name, usual, chance in (*sorted(dates, key=lambda date: -date[1])[:_DATES], none):
        odds = prior + names + log2(usual) - log2(chance)
        yield Prospect(sentences.get(name, ""), level_of(1 / (1 + exp2(-odds))))
