"""What the matcher publishes in numbers: what Article 72 of Regulation (EU) 2024/982 asks of such a system, and more.

Small numbers are held back by the rule of `aquila.matching.suppression`; docs/STATISTICS.md says it in words.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import select

from aquila.matching.certainty import Level
from aquila.matching.suppression import LEAST, added, nested, publish, split
from aquila.protocol.messages.statistics_views import (
    KnownCount,
    LevelCount,
    ListCount,
    OutcomeCount,
    PairCount,
    PairLevelCount,
    PairOutcomeCount,
    PartyCount,
    PictureCell,
    PictureKnown,
    RoundStatistics,
    Statistics,
    Summed,
)
from services.matcher.room import manifest_in
from services.matcher.tables import HitCountRow, KnownCountRow, ListCountRow, OutcomeCountRow, RoundRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from aquila.protocol.messages import Manifest
    from services.matcher.desk import Desk

_OUTCOMES = ("confirmed", "refuted", "unresolved", "withdrawn", "open")
_COLUMNS = ("round", "category", "table", "party", "counterpart", "of", "count", "withheld")
_PERCENT = 100
_AND_ABOVE = {Level.HIGH: "high", Level.MEDIUM: "high and medium", Level.LOW: "all"}
_FIRST = (Level.MEDIUM, Level.HIGH, Level.LOW)  # the persons known of these matter in this order
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def statistics(desk: Desk, category: str | None = None) -> Statistics:
    """Return all rounds in numbers, or those of one category."""
    with desk.store.reading("statistics") as session:
        rows = session.scalars(select(RoundRow).order_by(RoundRow.created_at.desc(), RoundRow.round_id)).all()
        found = [(row, manifest_in(row.manifest)) for row in rows]
        rounds = tuple(
            _round(session, row, manifest) for row, manifest in found if category in {None, manifest.category}
        )
    # A round in which nothing was matched yet lacks numbers because there are none, not because they are small.
    matched = [one for one in rounds if one.lists]
    return Statistics(least=LEAST, rounds=rounds, picture=tuple(_picture(matched)), known=tuple(_known_over(matched)))


def as_csv(content: Statistics) -> str:
    """Return statistics as CSV, one number a row; an empty count is one that is held back."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for one in content.rounds:
        writer.writerows([one.round_id, _text(one.category), *cells] for cells in _rows_of(one))
    for cell in content.picture:
        row = ["", _text(cell.category), "picture", cell.left, cell.right, _AND_ABOVE[cell.certainty]]
        writer.writerow([*row, cell.hits.count, cell.hits.withheld])
    for known in content.known:
        row = ["", _text(known.category), "known over rounds", "", "", _known_words(known)]
        writer.writerow([*row, known.persons.count, known.persons.withheld])
    return stream.getvalue()


def _known_words(known: KnownCount | PictureKnown) -> str:
    return f"{known.parties} parties, by hits of certainty: {_AND_ABOVE[known.certainty]}"


def _text(value: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(_FORMULAS) else value


def _rows_of(one: RoundStatistics) -> Iterator[list[str | int | None]]:
    """Yield the numbers of a round: table, party, counterpart, of what, count, and how many numbers a sum lacks."""
    for sent in one.lists:
        yield ["records sent", sent.party, "", sent.kind.value, sent.records, ""]
    yield ["hits", "", "", "all", one.hits, ""]
    for pair in one.pairs:
        yield ["hits", pair.left, pair.right, "all", pair.hits, ""]
    for part in one.pair_levels:
        yield ["hits", part.left, part.right, _AND_ABOVE[part.certainty], part.hits, ""]
    for party in one.parties:
        yield ["hits of a party", party.party, "", "all", party.hits, party.withheld]
    for level in one.levels:
        yield ["hits", "", "", level.certainty.value, level.hits, ""]
    for known in one.known:
        yield ["persons known to", "", "", _known_words(known), known.persons, ""]
    for outcome in one.outcomes:
        for word in _OUTCOMES:
            yield ["outcomes", "", "", f"{outcome.certainty.value} {word}", getattr(outcome, word), ""]
        yield ["precision at least, percent", "", "", outcome.certainty.value, outcome.precision_at_least, ""]
    for of in one.pair_outcomes:
        yield ["precision at least, percent", of.left, of.right, "all", of.precision_at_least, ""]


def _round(session: Session, row: RoundRow, manifest: Manifest) -> RoundStatistics:
    cells = _hits(session, row.round_id, manifest)
    levels = {level: sum(of[level] for of in cells.values()) for level in sorted(Level)}
    by_pair, by_level = publish({pair: of.total() for pair, of in cells.items()}), publish(levels)
    open_ = split(cells, by_pair, by_level)
    outcomes, pair_outcomes = _outcomes(session, row.round_id)
    return RoundStatistics(
        round_id=row.round_id,
        phase=row.phase,
        area=manifest.area,
        category=manifest.category,
        created_at=row.created_at,
        lists=tuple(_lists(session, row.round_id)),
        hits=by_pair.total,
        pairs=tuple(PairCount(left=left, right=right, hits=hits) for (left, right), hits in by_pair.cells.items()),
        pair_levels=tuple(_pair_levels({pair: of if pair in open_ else None for pair, of in cells.items()})),
        parties=tuple(_parties(by_pair.cells)),
        levels=tuple(LevelCount(certainty=level, hits=hits) for level, hits in by_level.cells.items()),
        known=tuple(_known(session, row.round_id)),
        outcomes=outcomes,
        pair_outcomes=pair_outcomes,
    )


def _lists(session: Session, round_id: str) -> Iterator[ListCount]:
    query = select(ListCountRow).where(ListCountRow.round_id == round_id)
    for row in session.scalars(query.order_by(ListCountRow.matched_at, ListCountRow.party)):
        yield ListCount(party=row.party, kind=row.kind, records=row.records, matched_at=row.matched_at)


def _hits(session: Session, round_id: str, manifest: Manifest) -> dict[tuple[str, str], Counter[Level]]:
    """Return a round's hits by pair that may be matched, and by level; lists and queries together."""
    cells: dict[tuple[str, str], Counter[Level]] = {pair: Counter() for pair in manifest.pairs}
    for row in session.scalars(select(HitCountRow).where(HitCountRow.round_id == round_id)):
        cells.setdefault((row.left, row.right), Counter())[Level(row.certainty)] += row.hits
    return cells


def _pair_levels(cells: Mapping[tuple[str, str], Counter[Level] | None]) -> Iterator[PairLevelCount]:
    """Yield each pair's hits of high, and of high and medium certainty; nothing of a pair that is not split."""
    for (left, right), counts in cells.items():
        for least in (Level.HIGH, Level.MEDIUM):
            hits = sum(count for level, count in counts.items() if level >= least) if counts else 0
            yield PairLevelCount(left=left, right=right, certainty=least, hits=hits if hits >= LEAST else None)


def _known(session: Session, round_id: str) -> Iterator[KnownCount]:
    tables: dict[Level, dict[int, int]] = {level: {} for level in _FIRST}
    query = select(KnownCountRow).where(KnownCountRow.round_id == round_id)
    for row in session.scalars(query.order_by(KnownCountRow.parties)):
        tables[Level(row.certainty)][row.parties] = row.persons
    for level, cells in zip(_FIRST, nested(list(tables.values())), strict=True):
        for parties, persons in cells.items():
            yield KnownCount(certainty=level, parties=parties, persons=persons)


def _parties(pairs: Mapping[tuple[str, str], int | None]) -> Iterator[PartyCount]:
    for party in sorted({party for pair in pairs for party in pair}):
        hits, withheld = added(count for pair, count in pairs.items() if party in pair)
        yield PartyCount(party=party, hits=hits, withheld=withheld)


def _outcomes(session: Session, round_id: str) -> tuple[tuple[OutcomeCount, ...], tuple[PairOutcomeCount, ...]]:
    """Return what came of a round's hits by level, and by pair, as both parties of each said."""
    levels: dict[Level, Counter[str]] = {}
    pairs: dict[tuple[str, str], Counter[str]] = {}
    for row in session.scalars(select(OutcomeCountRow).where(OutcomeCountRow.round_id == round_id)):
        pair = min(row.party, row.counterpart), max(row.party, row.counterpart)
        levels.setdefault(Level(row.certainty), Counter())[row.outcome] += row.hits
        pairs.setdefault(pair, Counter())[row.outcome] += row.hits
    by_level = {level: _told(counts) for level, counts in levels.items()}
    by_pair = {pair: _told(counts) for pair, counts in pairs.items()}
    return (
        tuple(
            OutcomeCount(certainty=level, **by_level[level], precision_at_least=_precision(by_level[level]))
            for level in sorted(by_level)
        ),
        tuple(
            PairOutcomeCount(
                left=left, right=right, confirmed=cells["confirmed"], refuted=cells["refuted"],
                precision_at_least=_precision(cells),
            )
            for (left, right), cells in sorted(by_pair.items())
        ),
    )  # fmt: skip


def _told(counts: Mapping[str, int]) -> dict[str, int | None]:
    """Return what is published of outcomes: of the confirmed ones nothing where many refuted ones are held back."""
    cells = dict(publish({word: counts[word] for word in _OUTCOMES}).cells)
    if cells["refuted"] is None and counts["refuted"] >= LEAST:
        cells["confirmed"] = None
    return cells


def _precision(cells: Mapping[str, int | None]) -> int | None:
    """Return how many percent of the decided hits were right at least, from what is published alone."""
    confirmed, refuted = cells["confirmed"], cells["refuted"]
    if confirmed is None:
        return None
    return _PERCENT * confirmed // (confirmed + (LEAST - 1 if refuted is None else refuted))


def _picture(rounds: Sequence[RoundStatistics]) -> Iterator[PictureCell]:
    """Yield the hits of each pair, category and least level over all rounds: sums of what was published."""
    cells: dict[tuple[str, str, str, Level], list[int | None]] = {}
    for one in rounds:
        for pair in one.pairs:
            cells.setdefault((one.category, pair.left, pair.right, Level.LOW), []).append(pair.hits)
        for part in one.pair_levels:
            cells.setdefault((one.category, part.left, part.right, part.certainty), []).append(part.hits)
    for (category, left, right, certainty), counts in sorted(cells.items()):
        yield PictureCell(left=left, right=right, category=category, certainty=certainty, hits=_summed(counts))


def _known_over(rounds: Sequence[RoundStatistics]) -> Iterator[PictureKnown]:
    cells: dict[tuple[str, Level, int], list[int | None]] = {}
    for one in rounds:
        for known in one.known:
            cells.setdefault((one.category, known.certainty, known.parties), []).append(known.persons)
    for (category, certainty, parties), counts in sorted(cells.items()):
        yield PictureKnown(parties=parties, category=category, certainty=certainty, persons=_summed(counts))


def _summed(counts: Iterable[int | None]) -> Summed:
    count, withheld = added(counts)
    return Summed(count=count, withheld=withheld)
