"""The matcher's published figures: those that Article 72 of Regulation (EU) 2024/982 requires, and more.

Counts are those of the moment when a round ended, and are rounded by `aquila.matching.rounding`; docs/STATISTICS.md
says in words what is published, and how. Nothing is added up over rounds, because rounds repeat lists.
"""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from aquila.csv_files import CsvWriter
from aquila.interface.statistics import ListCount, RoundStatistics, Statistics
from aquila.matching.certainty import Level
from aquila.matching.rounding import BASE, SMALL, Rounding
from aquila.protocol.messages.statements import Kind
from services.kit.errors import NotFoundError
from services.matcher.statistics.figures import OUTCOMES, RoundCounts, hit_tables, known, outcomes, records_sent
from services.matcher.storage.round_marks import manifest_in
from services.matcher.storage.tables import (
    HitCountRow,
    KnownCountRow,
    ListCountRow,
    OutcomeCountRow,
    RoundingKeyRow,
    RoundRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from sqlalchemy.orm import Session

    from aquila.interface.statistics import HitTable
    from aquila.protocol.messages import Manifest
    from services.matcher.context import MatcherContext
    from services.matcher.statistics.figures import Pair

_COLUMNS = ("round", "category", "table", "kind", "party", "counterpart", "of", "number")
_AND_ABOVE = {Level.HIGH: "high", Level.MEDIUM: "high and medium", Level.LOW: "all"}
_SHOWN = {"high": "high", "medium": "medium", "low": "low", "high_and_medium": "high and medium", "all": "all"}


@dataclass(frozen=True, slots=True)
class Period:
    """The days within which a round's lists were matched, both included; None for no bound. Days are the machine's."""

    since: date | None = None
    until: date | None = None

    def holds(self, seconds: int) -> bool:
        """Return whether a moment is within the period."""
        day = datetime.fromtimestamp(seconds, UTC).astimezone().date()
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


def statistics(context: MatcherContext, category: str | None = None, period: Period | None = None) -> Statistics:
    """Return rounds in numbers: all, or those of a category or period; of each category, its latest is named."""
    with context.store.reading("statistics") as session:
        rows = session.scalars(select(RoundRow).order_by(RoundRow.created_at.desc(), RoundRow.round_id)).all()
        found = [(row, manifest_in(row.manifest)) for row in rows]
        rounding = _rounding(session)
        rounds = [
            _round(session, rounding, row, manifest) for row, manifest in found if category in {None, manifest.category}
        ]
    wanted = period or Period()
    rounds = [one for one in rounds if wanted.holds(one.matched_at or one.created_at)]
    latest: dict[str, RoundStatistics] = {}
    for one in sorted((one for one in rounds if one.published and one.matched_at), key=lambda one: one.matched_at or 0):
        latest[one.category] = one
    return Statistics(
        base=BASE,
        categories=tuple(sorted({manifest.category for _, manifest in found})),
        rounds=tuple(rounds),
        latest=tuple(latest[name].round_id for name in sorted(latest)),
    )


def freeze(session: Session, round_id: str) -> None:
    """Set down what is published of a round, in the transaction that ends it.

    Planted hits that are told of later change what the log says of the round, but not what is published: a number that
    was published before and after a known change would give itself away.
    """
    for table, count in ((HitCountRow, HitCountRow.hits), (KnownCountRow, KnownCountRow.persons)):
        session.execute(update(table).where(table.round_id == round_id).values(published=count))


def as_csv(content: Statistics) -> str:
    """Return statistics as CSV, one number a row."""
    stream = io.StringIO()
    writer = CsvWriter(stream)
    writer.write(_COLUMNS)
    for one in content.rounds:
        for *cells, number in _rows_of(one):
            # Spreadsheets read 1-4 as a day of April.
            writer.write([one.round_id, one.category, *cells, "1 to 4" if number == SMALL else number])
    return stream.getvalue()


def _rows_of(one: RoundStatistics) -> Iterator[list[str | int | None]]:
    """Yield the numbers of a round: table, kind, party, counterpart, of what, and the number."""
    for sent in one.lists:
        yield ["records sent", sent.kind.value, sent.party, "", "", sent.records]
    for table in one.hits:
        yield from _hit_rows(table)
    for count in one.known:
        of = f"{count.parties} parties, by hits of certainty: {_AND_ABOVE[count.certainty]}"
        yield ["persons known to", Kind.LIST.value, "", "", of, count.persons]
    for outcome in one.outcomes:
        for word in OUTCOMES:
            yield ["outcomes", "", "", "", f"{outcome.certainty.value} {word}", getattr(outcome, word)]
        yield ["precision, percent", "", "", "", outcome.certainty.value, outcome.precision]
    for pair in one.pair_outcomes:
        for word in ("confirmed", "refuted"):
            yield ["outcomes", "", pair.left, pair.right, f"all {word}", getattr(pair, word)]
        yield ["precision, percent", "", pair.left, pair.right, "all", pair.precision]


def _hit_rows(table: HitTable) -> Iterator[list[str | int | None]]:
    places = [("", "", table.hits)]
    places += [(pair.left, pair.right, pair.hits) for pair in table.pairs]
    places += [(one.party, "all others", one.hits) for one in table.parties]
    for party, counterpart, hits in places:
        for name, words in _SHOWN.items():
            yield ["hits", table.kind.value, party, counterpart, words, getattr(hits, name)]


def _rounding(session: Session) -> Rounding:
    row = session.scalar(select(RoundingKeyRow))
    if row is None:
        raise NotFoundError("rounding_key_missing")
    return Rounding(row.key)


def _round(session: Session, rounding: Rounding, row: RoundRow, manifest: Manifest) -> RoundStatistics:
    sent = _lists(session, rounding, row.round_id, manifest.category)
    matched = [one.matched_at for one in sent if one.kind is Kind.LIST]
    found = RoundStatistics(
        round_id=row.round_id, phase=row.phase, area=manifest.area, category=manifest.category,
        created_at=row.created_at, matched_at=max(matched, default=None), published=row.ended_at is not None,
        lists=sent, hits=(), known=(), outcomes=(), pair_outcomes=(),
    )  # fmt: skip
    if not found.published or not matched:
        return found
    counts = _counts(session, row.round_id, manifest, sent)
    by_level, by_pair = outcomes(counts, rounding)
    return found.model_copy(
        update={
            "hits": hit_tables(counts, rounding),
            "known": tuple(known(counts, rounding)),
            "outcomes": by_level,
            "pair_outcomes": by_pair,
        }
    )


def _lists(session: Session, rounding: Rounding, round_id: str, category: str) -> tuple[ListCount, ...]:
    query = select(ListCountRow).where(ListCountRow.round_id == round_id)
    return tuple(
        ListCount(
            party=row.party, kind=(kind := Kind(row.kind)), matched_at=row.matched_at,
            records=records_sent(row.records, rounding, category, row.party, kind),
        )
        for row in session.scalars(query.order_by(ListCountRow.matched_at, ListCountRow.party))
    )  # fmt: skip


def _counts(session: Session, round_id: str, manifest: Manifest, sent: Iterable[ListCount]) -> RoundCounts:
    """Return the counts of a round as they were when it ended, and its outcomes as they are."""
    hits: dict[Kind, dict[Pair, Counter[Level]]] = {kind: {} for kind in Kind}
    for row in session.scalars(select(HitCountRow).where(HitCountRow.round_id == round_id)):
        of = hits[Kind.QUERY if row.submission_id else Kind.LIST].setdefault((row.left, row.right), Counter())
        of[Level(row.certainty)] += row.published or 0
    persons: dict[Level, dict[int, int]] = {}
    for known_row in session.scalars(select(KnownCountRow).where(KnownCountRow.round_id == round_id)):
        persons.setdefault(Level(known_row.certainty), {})[known_row.parties] = known_row.published or 0
    said: dict[tuple[Pair, Level], Counter[str]] = {}
    for told in session.scalars(select(OutcomeCountRow).where(OutcomeCountRow.round_id == round_id)):
        pair = min(told.party, told.counterpart), max(told.party, told.counterpart)
        said.setdefault((pair, Level(told.certainty)), Counter())[told.outcome] += told.hits
    return RoundCounts(
        category=manifest.category, pairs=tuple(manifest.pairs),
        parties={kind: {one.party for one in sent if one.kind is kind} for kind in Kind},
        hits=hits, known=persons, outcomes=said,
    )  # fmt: skip
