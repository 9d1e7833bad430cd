"""The published numbers of one round, from its counts: rounded cells, their totals, and what others bound.

docs/STATISTICS.md says in words what is published; `services.matcher.statistics.published` reads the counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from aquila.interface.statistics import (
    HitTable,
    KnownCount,
    LevelHits,
    OutcomeCount,
    PairHits,
    PairOutcomeCount,
    PartyHits,
)
from aquila.matching.certainty import Level
from aquila.matching.rounding import BASE, Cell, Figure, Rounding, total
from aquila.protocol.messages.statements import Kind

OUTCOMES = ("confirmed", "refuted", "unresolved", "withdrawn", "open")
_DECIDED = ("confirmed", "refuted")
_PERCENT = 100
_TWO = 2

Pair = tuple[str, str]
Counts = Mapping[Pair, Mapping[Level, int]]


@dataclass(frozen=True, slots=True)
class RoundCounts:
    """The exact counts of a round that ended.

    Attributes:
        category: Category of persons.
        pairs: Parties whose records may be matched, each pair in the order of the alphabet.
        parties: Whose lists were matched, and who asked.
        hits: Of lists and of queries, by pair and level; what is missing is zero.
        known: Persons by the least level of the hits that join them and by the number of parties that know them.
        outcomes: What both parties of hits said of them, by pair and level.
    """

    category: str
    pairs: Collection[Pair]
    parties: Mapping[Kind, Collection[str]]
    hits: Mapping[Kind, Counts]
    known: Mapping[Level, Mapping[int, int]] = field(default_factory=dict)
    outcomes: Mapping[tuple[Pair, Level], Mapping[str, int]] = field(default_factory=dict)

    @property
    def scope(self) -> tuple[str, str]:
        """Return the common prefix of names of numbers over all pairs: rounds of the same lists are rounded alike."""
        return self.category, ",".join(f"{left}-{right}" for left, right in sorted(self.pairs))

    def cell(self, kind: Kind, pair: Pair, level: Level) -> int:
        """Return the hits of a pair at a level."""
        return self.hits.get(kind, {}).get(pair, {}).get(level, 0)


def records_sent(records: int, rounding: Rounding, category: str, party: str, kind: Kind) -> Figure:
    """Return the padded size of a list or query: a small one, which no padding made larger, bounds its hits."""
    return rounding.cell(records, "records", kind.value, category, party).figure


def hit_tables(counts: RoundCounts, rounding: Rounding) -> tuple[HitTable, ...]:
    """Return the hits of lists, and those of queries where there was one, over the pairs that were compared."""
    return tuple(_table(counts, rounding, kind) for kind in (Kind.LIST, Kind.QUERY) if counts.parties.get(kind))


def _table(counts: RoundCounts, rounding: Rounding, kind: Kind) -> HitTable:
    def cell(pair: Pair, level: Level) -> Cell:
        return rounding.cell(counts.cell(kind, pair, level), "hits", kind.value, counts.category, *pair, level.value)

    cells = {pair: {level: cell(pair, level) for level in Level} for pair in _compared(counts, kind)}
    parties = sorted({party for pair in cells for party in pair})
    return HitTable(
        kind=kind,
        hits=_by_level(cells.values()),
        pairs=tuple(PairHits(left=left, right=right, hits=_by_level([of])) for (left, right), of in cells.items()),
        parties=tuple(
            PartyHits(party=party, hits=_by_level(of for pair, of in cells.items() if party in pair))
            for party in parties
        ),
    )


def _compared(counts: RoundCounts, kind: Kind) -> list[Pair]:
    """Return the pairs one of whose parties sent a list and the other what is counted."""
    lists, sent = counts.parties.get(Kind.LIST, ()), counts.parties[kind]
    compared = {
        (left, right)
        for left, right in counts.pairs
        if (left in lists and right in sent) or (left in sent and right in lists)
    }
    return sorted(compared | counts.hits.get(kind, {}).keys())


def _by_level(rows: Iterable[Mapping[Level, Cell]]) -> LevelHits:
    found = list(rows)

    def of(*levels: Level) -> Figure:
        return total(row[level] for row in found for level in levels)

    return LevelHits(
        high=of(Level.HIGH),
        medium=of(Level.MEDIUM),
        low=of(Level.LOW),
        high_and_medium=of(Level.HIGH, Level.MEDIUM),
        all=of(*Level),
    )


def known(counts: RoundCounts, rounding: Rounding) -> Iterator[KnownCount]:
    """Yield persons by the number of parties that know them, of each level by whose hits they were counted."""
    for least in sorted(Level):
        levels = [level for level in Level if level >= least]
        nobody = not any(of.get(level) for of in counts.hits.get(Kind.LIST, {}).values() for level in levels)
        if least not in counts.known and not nobody:
            continue  # matched by a release that did not count persons by hits of this level
        for parties in range(_TWO, len({party for pair in counts.pairs for party in pair}) + 1):
            persons = counts.known.get(least, {}).get(parties, 0)
            # The table of hits says already that there is nobody; any other number may stand for any count.
            figure = 0 if nobody else rounding.perturbed(persons, "persons", *counts.scope, str(parties))
            yield KnownCount(certainty=least, parties=parties, persons=figure)


def outcomes(counts: RoundCounts, rounding: Rounding) -> tuple[tuple[OutcomeCount, ...], tuple[PairOutcomeCount, ...]]:
    """Return the outcomes of a round's hits by level, and by pair, as both parties of each reported them."""
    levels: dict[Level, Counter[str]] = {}
    pairs: dict[Pair, Counter[str]] = {}
    for (pair, level), of in counts.outcomes.items():
        if _is_told(counts, pair, level):
            levels.setdefault(level, Counter()).update(of)
            pairs.setdefault(pair, Counter()).update(of)

    def figures(of: Mapping[str, int], words: Iterable[str], *name: str) -> dict[str, Figure]:
        return {word: rounding.perturbed(of.get(word, 0), "outcomes", *counts.scope, *name, word) for word in words}

    by_level = {level: figures(levels[level], OUTCOMES, level.value) for level in sorted(levels)}
    by_pair = {pair: figures(pairs[pair], _DECIDED, *pair) for pair in sorted(pairs)}
    return (
        tuple(OutcomeCount(certainty=level, **of, precision=_precision(of)) for level, of in by_level.items()),
        tuple(
            PairOutcomeCount(left=left, right=right, **of, precision=_precision(of))
            for (left, right), of in by_pair.items()
        ),
    )


def _is_told(counts: RoundCounts, pair: Pair, level: Level) -> bool:
    """Return whether outcomes of a cell's hits are counted: where neither its list hits nor its query hits are few.

    What became of few hits would tell how few they are.
    """
    of = [counts.cell(kind, pair, level) for kind in Kind]
    return any(of) and not any(0 < count < BASE for count in of)


def _precision(of: Mapping[str, Figure]) -> int | None:
    """Return about how many percent of the decided hits were right, from published numbers alone."""
    confirmed, refuted = of["confirmed"], of["refuted"]
    if not isinstance(confirmed, int):
        return None
    return _PERCENT * confirmed // (confirmed + (refuted if isinstance(refuted, int) else BASE - 1))
