"""A list looked at by its owner before it is submitted: persons in it twice, and how certain its hits can be.

The list is joined with itself by the same match rules, and graded by the same `grade`, as two lists of a round. Each
pair counts twice then, once from either side, so the learned share is that of the records which have a duplicate. What
a round cannot know, the owner does: two records that agree in names alone, and both tell a date of birth that one rule
compares, are two persons of one name, and are left out. Values are digests in a DuckDB file of the caller's directory,
joined out of core; nothing of it leaves the node. The same count of records by value tells how much of the list the
frequency limit would hold back.

A round counts chance between two lists. Before it, a party has only its own: how often two of its records bear the same
names shows how often strangers of a similar list will. What is foreseen is for two lists like this one, by names and
date of birth alone.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from math import exp2, floor, log2
from pathlib import Path
from typing import Self

import duckdb
import numpy as np
from numpy.typing import NDArray

from aquila.matching.certainty import Grade, Level, grade, level_of, prior
from aquila.matching.chance import chance_model, parts_of
from aquila.matching.learning import learn_share
from aquila.matching.person_search import reads_date
from aquila.records.entropy import TRAIT, named_traits
from aquila.records.inputs import input_maker
from aquila.records.normalize.names import name_words, part_words, sound
from aquila.records.one_person import persons_of
from aquila.records.person import Record, RecordColumns
from aquila.records.rules import CENTIBITS, DEFAULT_LIMIT, MILLION, Counted, InputClass, RuleTable, limits_of, mask_of

MOST_SHARED = 32  # records that share a value make pairs with the square of their number
_RECORDS_AT_ONCE = 2_048  # are digested by one call
_WORDS = 4  # of 8 bytes each in a digest; of the first one, two of 20 million values are alike in 1 of 100,000 lists
_PREFIXES = 1 << 16


@dataclass(frozen=True, slots=True, repr=False)
class DuplicatePair:
    """Two records of one list that are likely one person, by the number of the record in the list, from 0."""

    first: int
    second: int
    grade: Grade

    def __repr__(self) -> str:
        return "DuplicatePair()"


@dataclass(frozen=True)
class Duplicates:
    """The result of the search; it has a `__dict__` for the groups."""

    pairs: tuple[DuplicatePair, ...]
    """The surest first."""
    share: float
    """The learned share of records that have a duplicate; the prior of every pair."""
    crowded: dict[str, int]
    """By rule name, how many values more than `MOST_SHARED` records share: these were not compared."""

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Records that pairs connect, directly or through others, in the order of the list."""
        leader: dict[int, int] = {}

        def led(record: int) -> int:
            while leader.setdefault(record, record) != record:
                leader[record] = record = leader[leader[record]]
            return record

        for pair in self.pairs:
            low, high = sorted((led(pair.first), led(pair.second)))
            leader[high] = low
        members: dict[int, list[int]] = {}
        for record in sorted(leader):
            members.setdefault(led(record), []).append(record)
        return tuple(tuple(group) for group in members.values())

    def by_level(self) -> dict[Level, int]:
        """Return the number of pairs of each level."""
        counts = Counter(pair.grade.level for pair in self.pairs)
        return {level: counts[level] for level in Level}


class DuplicateSearch:
    """Searches one list: `note` each record in the order of the list, then ask once for `found`.

    Args:
        table: The match rules.
        directory: An empty directory of this search alone, which the caller deletes: its files are as telling as the
            list.
        memory_mib: What DuckDB may use before it spills into the directory.
        threads: How many threads DuckDB may use.
        rows_at_once: How many values are collected before they go to the file, and about how many are joined at once.
    """

    def __init__(
        self,
        table: RuleTable,
        directory: Path,
        *,
        memory_mib: int = 512,
        threads: int = 2,
        rows_at_once: int = 1_000_000,
    ) -> None:
        self._table = table
        self._rows_at_once = rows_at_once
        self._records_at_once = min(rows_at_once, _RECORDS_AT_ONCE)
        self._maker = input_maker(table)
        self._prefixes = {rule.number: bytes((rule.number,)) for rule in table.rules}
        self._records = 0
        self._rows = 0
        self._counted = -1
        self._inputs = Counter[int]()
        self._noted: list[Record] = []
        self._traits: list[np.ndarray] = [np.empty(0, dtype=TRAIT)]
        self._pending: list[tuple[NDArray[np.uint32], NDArray[np.uint8], NDArray[np.uint64]]] = []
        self._pending_rows = 0
        self._connection = duckdb.connect(
            str(directory / "values.duckdb"),
            config={
                "memory_limit": f"{memory_mib}MiB",
                "threads": threads,
                "temp_directory": str(directory / "spill"),
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            },
        )
        self._connection.execute("CREATE TABLE noted (position UINTEGER, rule UTINYINT, value UBIGINT)")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def add(self, record: Record) -> None:
        """Add the next record of the list.

        Raises:
            InputError: A record has more inputs than can be counted.
        """
        self._noted.append(record)
        if len(self._noted) >= self._records_at_once:
            self._digest()

    def inputs(self) -> dict[int, int]:
        """Return by rule number how many inputs the records noted so far have."""
        self._digest()
        return dict(self._inputs)

    def found(self, minimum: Level = Level.LOW) -> Duplicates:
        """Return the pairs of at least this level, of all records noted so far."""
        self._count()
        run = self._connection.execute
        # Where two lists may each have a value n times, both records of one list are among 2n.
        limits = {rule.number: 2 * rule.most_records for rule in self._table.rules if rule.most_records}
        run(_CREATE_SHARED, [MOST_SHARED, limits])
        run(_CREATE_MET)
        step = -(-_PREFIXES // min(_PREFIXES, self._rows // self._rows_at_once + 1))
        for start in range(0, _PREFIXES, step):
            run(_JOIN_RANGE, [start, start + step])
        dated = mask_of(rule.number for rule in self._table.rules if reads_date(rule))
        whole = mask_of(rule.number for rule in self._table.rules if rule.input_class is InputClass.FULL)
        run(_DATE, [dated])
        run(_GROUP, [dated | whole])
        patterns = dict(run("SELECT rules, 2 * count(*) FROM grouped GROUP BY rules").fetchall())
        size = max(self._records, 1)
        share = learn_share(self._table, patterns, size, size)
        graded = {mask: grade(self._table, mask, size, size, share) for mask in patterns}
        wanted = [mask for mask, result in graded.items() if result.level is not None and result.level >= minimum]
        query = "SELECT first, second, rules FROM grouped WHERE list_contains($1::UBIGINT[], rules)"
        pairs = [DuplicatePair(first, second, graded[mask]) for first, second, mask in run(query, [wanted]).fetchall()]
        crowded = run("SELECT rule, count(*) FROM shared WHERE crowded GROUP BY rule ORDER BY rule").fetchall()
        return Duplicates(
            tuple(sorted(pairs, key=lambda pair: (-pair.grade.centibits, pair.first, pair.second))),
            share / MILLION,
            {self._table.by_number[rule].name: count for rule, count in crowded},
        )

    def held_back(self, limit: int = DEFAULT_LIMIT) -> dict[int, int]:
        """Return by rule number how many inputs would not be sent, because too many records share their values.

        Args:
            limit: The round's frequency limit; a rule may set a lower one itself (`aquila.records.rules`).
        """
        self._count()
        persons = persons_of(np.concatenate(self._traits)).astype(np.uint32)
        columns = {"position": np.arange(len(persons), dtype=np.uint32), "person": persons}
        self._connection.register("persons", columns)
        held = self._connection.execute(_HELD_BACK, [limits_of(self._table, limit), limit]).fetchall()
        return {rule: int(inputs) for rule, inputs in held}

    def alike(self, rule: int) -> int:
        """Return how many pairs of records share a value of a rule, each counted once for each value."""
        self._count()
        [(pairs,)] = self._connection.execute(_ALIKE, [rule]).fetchall()
        return int(pairs or 0)

    def _count(self) -> None:
        """Count the records of each value that several share, unless that is done of all that is noted."""
        self._flush()
        if self._counted != self._rows:
            self._connection.execute(_COUNT)
            self._counted = self._rows

    def _digest(self) -> None:
        """Digest the inputs of the records that were noted last."""
        if not self._noted:
            return
        records, self._noted = self._noted, []
        columns = RecordColumns.of(records)
        names = self._maker.names(columns)
        found = self._maker.digest(columns, names, self._prefixes)
        self._traits.append(named_traits(columns["date_of_birth"], names))
        positions = np.arange(self._records, self._records + len(records), dtype=np.uint32)
        values = np.frombuffer(found.digests, dtype="<u8")[::_WORDS].copy()
        self._pending.append((np.repeat(positions, found.counts), found.rules, values))
        self._inputs.update({rule: count for rule, count in enumerate(np.bincount(found.rules).tolist()) if count})
        self._records += len(records)
        self._pending_rows += len(found.rules)
        if self._pending_rows >= self._rows_at_once:
            self._move()

    def _flush(self) -> None:
        """Digest and move into the file all that was noted."""
        self._digest()
        if self._pending:
            self._move()

    def _move(self) -> None:
        """Move what is pending into the file."""
        position, rule, value = map(np.concatenate, zip(*self._pending, strict=True))
        columns = {"position": position, "rule": rule, "value": value}
        self._connection.from_query("SELECT * FROM columns").insert_into("noted")
        self._rows += self._pending_rows
        self._pending, self._pending_rows = [], 0
        del columns


_COUNT = """
CREATE OR REPLACE TABLE counted AS
SELECT rule, value, count(*) AS records FROM noted GROUP BY rule, value HAVING count(*) > 1
"""

# Of a value that few persons share, as many records bear it in what is sent as the limit says (PROTOCOL.md 3.4.7).
_HELD_BACK = """
WITH frequent AS (
  SELECT rule, value, limits = $2 AS by_persons FROM (
    SELECT *, map_extract_value($1::MAP(UTINYINT, UBIGINT), rule) AS limits FROM counted)
  WHERE records > limits),
borne AS (
  SELECT rule, count(*) AS records, by_persons AND count(DISTINCT person) <= $2 AS few
  FROM noted JOIN frequent USING (rule, value) JOIN persons USING (position)
  GROUP BY rule, value, by_persons)
SELECT rule, sum(records - if(few, $2, 0)) FROM borne GROUP BY rule ORDER BY rule
"""

_ALIKE = "SELECT sum(records * (records - 1) // 2) FROM counted WHERE rule = $1"

_CREATE_SHARED = """
CREATE OR REPLACE TABLE shared AS
SELECT rule, value, records > $1 AS crowded FROM counted
WHERE records <= coalesce(map_extract_value($2::MAP(UTINYINT, UBIGINT), rule), records)
"""

_CREATE_MET = "CREATE OR REPLACE TABLE met (first UINTEGER, second UINTEGER, rules UBIGINT)"

_JOIN_RANGE = """
INSERT INTO met
WITH kept AS (
  SELECT position, rule, value FROM noted SEMI JOIN (FROM shared WHERE NOT crowded) USING (rule, value)
  WHERE value >> 48 >= $1 AND value >> 48 < $2)
SELECT a.position, b.position, bit_or(1::UBIGINT << (a.rule - 1)::UBIGINT)
FROM kept a JOIN kept b ON a.rule = b.rule AND a.value = b.value AND a.position < b.position
GROUP BY ALL
"""

_DATE = """
CREATE OR REPLACE TABLE dated AS
SELECT position, bit_or(1::UBIGINT << (rule - 1)::UBIGINT) AS rules FROM noted
WHERE (1::UBIGINT << (rule - 1)::UBIGINT) & $1::UBIGINT != 0
GROUP BY position
"""

_GROUP = """
CREATE OR REPLACE TABLE grouped AS
WITH paired AS (SELECT first, second, bit_or(rules) AS rules FROM met GROUP BY ALL)
SELECT first, second, paired.rules FROM paired
LEFT JOIN dated a ON a.position = first LEFT JOIN dated b ON b.position = second
WHERE paired.rules & $1::UBIGINT != 0 OR coalesce(a.rules & b.rules, 0) = 0
"""


USUAL_NAMES = 40
_DATES = 2  # of the ways in which dates agree, the most usual ones


@dataclass(frozen=True, slots=True)
class Prospect:
    """The highest level of a hit between two lists if the names agree."""

    sentence: str
    """What else agrees, in plain words of the table; empty for nothing else."""
    level: Level | None
    """The highest level; None where that is no hit."""


@dataclass(frozen=True, slots=True)
class ListForecast:
    """All that is foreseen of a list."""

    prospects: tuple[Prospect, ...]
    """By what agrees besides the names, the most usual first, and nothing else last."""
    usual_share: float
    """Of its family names, the share of the `usual_names` most usual ones."""
    usual_names: int


@dataclass(slots=True, repr=False)
class FamilyNames:
    """The family names of a list, counted by their sound; of a name that is not split, its last word."""

    _counts: Counter[str] = field(default_factory=Counter)

    def add(self, record: Record) -> None:
        """Count the names of the next record."""
        words = part_words(" ".join(record.family_names)) or name_words(record.full_name or "")[-1:]
        self._counts.update(map(sound, words))

    def usual_share(self) -> float:
        """The share of the names that are one of the `USUAL_NAMES` most usual; 0 of a list without names."""
        return sum(count for _, count in self._counts.most_common(USUAL_NAMES)) / max(1, self._counts.total())


def _names_rule(table: RuleTable) -> int | None:
    """Return the number of the rule that compares two names by their spelling alone, or None without such a rule."""
    if table.counted is None:
        return None
    family = table.counted.names[0]
    alone = [rule for rule in table.rules if [part.family for part in rule.parts] == [family]]
    return max(alone, key=lambda rule: rule.centibits).number if alone else None


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
    main = max(parts_of(table, counted.names[0]), key=lambda part: part.centibits)
    further = [max(parts_of(table, family), key=lambda part: part.usual or 0.0) for family in counted.names[1:]]
    chance = (alike + 1) / (pairs + exp2(-(main.chance or 0.0)))
    names = log2(main.usual or 1.0) - log2(chance)
    known = prior(records, records, table.common_per_million) + sum(part.centibits for part in further)
    sentences = {part.name: part.sentence for part in table.parts}
    *dates, none = zip(of.dates, of.usual_dates, of.chance_dates, strict=True)
    for name, usual, chance in (*sorted(dates, key=lambda date: -date[1])[:_DATES], none):
        counted_bits = names + log2(usual) - log2(chance)
        yield Prospect(sentences.get(name, ""), level_of(known + floor(CENTIBITS * counted_bits)))
