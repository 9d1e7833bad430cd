"""The matcher's published figures: those that Article 72 of Regulation (EU) 2024/982 requires, and more.

Counts are those of the moment when a round ended, and are rounded by `aquila.matching.rounding`; docs/STATISTICS.md
says in words what is published, and how: rounded cells, their totals, and what others bound. Nothing is added up over
rounds, because rounds repeat lists.
"""

import functools
import io
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aquila.csv_files import CsvWriter
from aquila.interface import statistics as forms
from aquila.matching.certainty import Level
from aquila.matching.rounding import BASE, SMALL, Cell, Figure, Rounding, total
from aquila.protocol.messages import Manifest
from aquila.protocol.messages.statements import Kind
from services.kit.errors import NotFoundError
from services.kit.rounds import manifest_in
from services.matcher.context import MatcherContext
from services.matcher.storage.tables import (
    HitCountRow,
    KnownCountRow,
    ListCountRow,
    OutcomeCountRow,
    RoundingKeyRow,
    RoundRow,
)

OUTCOMES = ("confirmed", "refuted", "unresolved", "withdrawn", "open")
_DECIDED = ("confirmed", "refuted")
_PERCENT = 100
_TWO = 2

Pair = tuple[str, str]
Counts = Mapping[Pair, Mapping[Level, int]]


@dataclass(frozen=True, slots=True)
class RoundCounts:
    """The exact counts of a round that ended."""

    category: str
    pairs: Collection[Pair]
    """Parties whose records may be matched, each pair in the order of the alphabet."""
    parties: Mapping[Kind, Collection[str]]
    """Whose lists were matched, and who asked."""
    hits: Mapping[Kind, Counts]
    """Of lists and of queries, by pair and level; what is missing is zero."""
    known: Mapping[Level, Mapping[int, int]] = field(default_factory=dict)
    """Persons by the least level of the hits that join them and by the number of parties that know them."""
    outcomes: Mapping[tuple[Pair, Level], Mapping[str, int]] = field(default_factory=dict)
    """What both parties of hits said of them, by pair and level."""

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


def hit_tables(counts: RoundCounts, rounding: Rounding) -> tuple[forms.HitTable, ...]:
    """Return the hits of lists, and those of queries where there was one, over the pairs that were compared."""
    return tuple(_table(counts, rounding, kind) for kind in (Kind.LIST, Kind.QUERY) if counts.parties.get(kind))


def _table(counts: RoundCounts, rounding: Rounding, kind: Kind) -> forms.HitTable:
    def cell(pair: Pair, level: Level) -> Cell:
        return rounding.cell(counts.cell(kind, pair, level), "hits", kind.value, counts.category, *pair, level.value)

    cells = {pair: {level: cell(pair, level) for level in Level} for pair in _compared(counts, kind)}
    parties = sorted({party for pair in cells for party in pair})
    return forms.HitTable(
        kind=kind,
        hits=_by_level(cells.values()),
        pairs=tuple(
            forms.PairHits(left=left, right=right, hits=_by_level([of])) for (left, right), of in cells.items()
        ),
        parties=tuple(
            forms.PartyHits(party=party, hits=_by_level(of for pair, of in cells.items() if party in pair))
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


def _by_level(rows: Iterable[Mapping[Level, Cell]]) -> forms.LevelHits:
    found = list(rows)

    def of(*levels: Level) -> Figure:
        return total(row[level] for row in found for level in levels)

    return forms.LevelHits(
        high=of(Level.HIGH),
        medium=of(Level.MEDIUM),
        low=of(Level.LOW),
        high_and_medium=of(Level.HIGH, Level.MEDIUM),
        all=of(*Level),
    )


def known(counts: RoundCounts, rounding: Rounding) -> Iterator[forms.KnownCount]:
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
            yield forms.KnownCount(certainty=least, parties=parties, persons=figure)


def outcomes(
    counts: RoundCounts, rounding: Rounding
) -> tuple[tuple[forms.OutcomeCount, ...], tuple[forms.PairOutcomeCount, ...]]:
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
        tuple(forms.OutcomeCount(certainty=level, **of, precision=_precision(of)) for level, of in by_level.items()),
        tuple(
            forms.PairOutcomeCount(left=left, right=right, **of, precision=_precision(of))
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


_COLUMNS = ("round", "category", "table", "kind", "party", "counterpart", "of", "number")
_AND_ABOVE = {Level.HIGH: "high", Level.MEDIUM: "high and medium", Level.LOW: "all"}
_SHOWN = {"high": "high", "medium": "medium", "low": "low", "high_and_medium": "high and medium", "all": "all"}
_OTHERS = 12  # rounds of the category next to the one that is shown
_NEWEST_DECIDED = 20  # the newest rounds of a level with right hits, among which one with a precision is looked for


@dataclass(frozen=True, slots=True)
class Period:
    """The days within which a round's lists were matched, both included; None for no bound. Days are the machine's."""

    since: date | None = None
    until: date | None = None

    def holds(self, seconds: int) -> bool:
        day = datetime.fromtimestamp(seconds, UTC).astimezone().date()
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


def statistics(
    context: MatcherContext,
    category: str | None = None,
    period: Period | None = None,
    offset: int = 0,
    limit: int | None = None,
    *,
    matched: bool = False,
) -> forms.Statistics:
    """Return rounds in numbers, newest first; of each category, its latest is named."""
    with context.store.reading("statistics") as session:
        categories, found = _listed(context, session, category, period)
        found = [one for one in found if one.matched_at or not matched]
        rounding = _rounding(session)
        part = found[offset : None if limit is None else offset + limit]
        rounds = tuple(_round(session, rounding, one.round_id) for one in part)
    latest = {one.category: one.round_id for one in sorted(_shown(found), key=lambda one: one.matched_at or 0)}
    return forms.Statistics(
        base=BASE,
        categories=categories,
        rounds=rounds,
        latest=tuple(latest[name] for name in sorted(latest)),
        offset=offset,
        total=len(found),
    )


def picture(
    context: MatcherContext,
    category: str | None = None,
    period: Period | None = None,
    round_id: str | None = None,
    most: int | None = _OTHERS,
) -> forms.RegionalPicture:
    """Return a round in numbers next to others of its category: the one that is asked for, or the latest.

    Args:
        category: Of the round; by default that of the latest of all.
        round_id: The round; another one is shown where it is not one of these.
        most: How many rounds of the category are shown; None for all.
    """
    with context.store.reading("statistics.picture") as session:
        categories, found = _listed(context, session, category, period)
        read, rounds = functools.cache(functools.partial(_round, session, _rounding(session))), _shown(found)
        one = max(rounds, key=lambda one: (one.round_id == round_id, one.matched_at or 0), default=None)
        others = [other for other in rounds if one and other.category == one.category]
        return forms.RegionalPicture(
            base=BASE,
            categories=categories,
            round=read(one.round_id) if one else None,
            rounds=tuple(_totals(read(other.round_id)) for other in others[:most]),
            precision=tuple(_precisions(session, [other.round_id for other in others], read)),
            queries=tuple(_queries(read(other.round_id) for other in others[:most])),
        )


def pictures(context: MatcherContext, period: Period) -> tuple[forms.RegionalPicture, ...]:
    """Return the picture of the latest round of each category within some days, with all of its rounds there."""
    with context.store.reading("statistics.categories") as session:
        _, found = _listed(context, session, None, period)
    return tuple(picture(context, name, period, most=None) for name in sorted({one.category for one in _shown(found)}))


def as_csv(content: forms.Statistics) -> str:
    """Return statistics as CSV, one number a row."""
    stream = io.StringIO()
    writer = CsvWriter(stream)
    writer.write(_COLUMNS)
    for one in content.rounds:
        for *cells, number in _rows_of(one):
            # Spreadsheets read 1-4 as a day of April.
            writer.write([one.round_id, one.category, *cells, "1 to 4" if number == SMALL else number])
    return stream.getvalue()


def _rows_of(one: forms.RoundStatistics) -> Iterator[list[str | int | None]]:
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


def _hit_rows(table: forms.HitTable) -> Iterator[list[str | int | None]]:
    places = [("", "", table.hits)]
    places += [(pair.left, pair.right, pair.hits) for pair in table.pairs]
    places += [(one.party, "all others", one.hits) for one in table.parties]
    for party, counterpart, hits in places:
        for name, words in _SHOWN.items():
            yield ["hits", table.kind.value, party, counterpart, words, getattr(hits, name)]


@dataclass(frozen=True, slots=True)
class _ListedRound:
    """A round of which no count was read."""

    round_id: str
    category: str
    created_at: int
    matched_at: int | None
    published: bool


def _listed(
    context: MatcherContext, session: Session, category: str | None, period: Period | None
) -> tuple[tuple[str, ...], list[_ListedRound]]:
    """Return all categories, and the rounds of a category and period, newest first."""
    of_lists = select(ListCountRow.round_id, func.max(ListCountRow.matched_at).label("matched_at"))
    matched = of_lists.where(ListCountRow.kind == Kind.LIST.value).group_by(ListCountRow.round_id).subquery()
    query = select(RoundRow.round_id, RoundRow.created_at, matched.c.matched_at, RoundRow.ended_at)
    query = query.outerjoin(matched, matched.c.round_id == RoundRow.round_id)
    rows = session.execute(query.order_by(RoundRow.created_at.desc(), RoundRow.round_id)).all()
    terms, within = context.terms.of(session, [row.round_id for row in rows]), period or Period()
    found = [
        _ListedRound(
            row.round_id, terms[row.round_id].summary.category, row.created_at, row.matched_at, bool(row.ended_at)
        )
        for row in rows
    ]
    return tuple(sorted({one.category for one in found})), [
        one for one in found if category in {None, one.category} and within.holds(one.matched_at or one.created_at)
    ]


def _shown(rounds: Iterable[_ListedRound]) -> list[_ListedRound]:
    """Return the rounds whose lists were matched and whose numbers are published."""
    return [one for one in rounds if one.published and one.matched_at]


def _totals(one: forms.RoundStatistics) -> forms.RoundTotals:
    table = one.table(Kind.LIST)
    assert table is not None, "lists of the round were matched"
    assert one.matched_at is not None, "lists of the round were matched"
    lists = sum(sent.kind is Kind.LIST for sent in one.lists)
    confirmed = sum(of.confirmed for of in one.outcomes if isinstance(of.confirmed, int))
    return forms.RoundTotals.of_fields(one, lists=lists, hits=table.hits, confirmed=confirmed)


def _queries(rounds: Iterable[forms.RoundStatistics]) -> Iterator[forms.QueryCount]:
    """Yield how many queries of each party were matched in each month, which is the machine's."""
    asked = [sent for one in rounds for sent in one.lists if sent.kind is Kind.QUERY]
    counts = Counter(
        (f"{datetime.fromtimestamp(sent.matched_at, UTC).astimezone():%Y-%m}", sent.party) for sent in asked
    )
    for (month, party), count in sorted(counts.items()):
        yield forms.QueryCount(party=party, month=month, queries=count)


def _precisions(
    session: Session, rounds: Sequence[str], read: Callable[[str], forms.RoundStatistics]
) -> Iterator[forms.LevelPrecision]:
    """Yield the precision of each level in the newest of these rounds that has one; the surest level first."""
    right = OutcomeCountRow.outcome == "confirmed", OutcomeCountRow.hits > 0
    query = select(OutcomeCountRow.round_id, OutcomeCountRow.certainty).where(*right).distinct()
    confirmed = {(round_id, certainty) for round_id, certainty in session.execute(query)}
    for level in sorted(Level, reverse=True):
        for round_id in [one for one in rounds if (one, level.value) in confirmed][:_NEWEST_DECIDED]:
            found = next((of for of in read(round_id).outcomes if of.certainty is level), None)
            if found is not None and found.precision is not None:
                yield _level_precision(found, found.precision)
                break


def _level_precision(of: forms.OutcomeCount, percent: int) -> forms.LevelPrecision:
    """Return a level's precision with the interval of Wilson's score at 95 percent, from published numbers alone."""
    said = [count if isinstance(count, int) else BASE - 1 for count in (of.confirmed, of.refuted)]
    decided, share, z = max(sum(said) // _TWO, 1), percent / _PERCENT, 1.96
    middle = (share + z * z / (2 * decided)) / (1 + z * z / decided)
    half = z * math.sqrt(share * (1 - share) / decided + (z / (2 * decided)) ** 2) / (1 + z * z / decided)
    least, most = math.floor(_PERCENT * (middle - half)), math.ceil(_PERCENT * (middle + half))
    return forms.LevelPrecision(
        certainty=of.certainty, percent=percent, decided=decided, least=max(least, 0), most=min(most, _PERCENT)
    )


def _rounding(session: Session) -> Rounding:
    row = session.scalar(select(RoundingKeyRow))
    if row is None:
        raise NotFoundError("rounding_key_missing")
    return Rounding(row.key)


def _round(session: Session, rounding: Rounding, round_id: str) -> forms.RoundStatistics:
    row = session.get_one(RoundRow, round_id)
    manifest = manifest_in(row.manifest)
    sent = _lists(session, rounding, round_id, manifest.category)
    matched = [one.matched_at for one in sent if one.kind is Kind.LIST]
    found = forms.RoundStatistics.of_fields(
        manifest,
        phase=row.phase,
        created_at=row.created_at,
        matched_at=max(matched, default=None),
        published=row.ended_at is not None,
        lists=sent,
        hits=(),
        known=(),
        outcomes=(),
        pair_outcomes=(),
    )
    if not found.published or not matched:
        return found
    counts = _counts(session, round_id, manifest, sent)
    by_level, by_pair = outcomes(counts, rounding)
    return found.model_copy(
        update={
            "hits": hit_tables(counts, rounding),
            "known": tuple(known(counts, rounding)),
            "outcomes": by_level,
            "pair_outcomes": by_pair,
        }
    )


def _lists(session: Session, rounding: Rounding, round_id: str, category: str) -> tuple[forms.ListCount, ...]:
    query = select(ListCountRow.party, ListCountRow.kind, ListCountRow.records, ListCountRow.matched_at)
    query = query.where(ListCountRow.round_id == round_id).order_by(ListCountRow.matched_at, ListCountRow.party)
    return tuple(
        forms.ListCount(
            party=party,
            kind=(kind := Kind(name)),
            matched_at=matched_at,
            records=records_sent(records, rounding, category, party, kind),
        )
        for party, name, records, matched_at in session.execute(query)
    )


def _counts(session: Session, round_id: str, manifest: Manifest, sent: Iterable[forms.ListCount]) -> RoundCounts:
    """Return the counts of a round that ended."""
    hits: dict[Kind, dict[Pair, Counter[Level]]] = {kind: {} for kind in Kind}
    hit, known_count, outcome = HitCountRow, KnownCountRow, OutcomeCountRow
    found = select(hit.submission_id, hit.left, hit.right, hit.certainty, hit.hits)
    for submission_id, left, right, certainty, count in session.execute(found.where(hit.round_id == round_id)):
        of = hits[Kind.QUERY if submission_id else Kind.LIST].setdefault((left, right), Counter())
        of[Level(certainty)] += count
    persons: dict[Level, dict[int, int]] = {}
    people = select(known_count.certainty, known_count.parties, known_count.persons)
    for certainty, parties, count in session.execute(people.where(known_count.round_id == round_id)):
        persons.setdefault(Level(certainty), {})[parties] = count
    said: dict[tuple[Pair, Level], Counter[str]] = {}
    told = select(outcome.party, outcome.counterpart, outcome.certainty, outcome.outcome, outcome.hits)
    for party, counterpart, certainty, word, count in session.execute(told.where(outcome.round_id == round_id)):
        pair = min(party, counterpart), max(party, counterpart)
        said.setdefault((pair, Level(certainty)), Counter())[word] += count
    return RoundCounts(
        category=manifest.category,
        pairs=tuple(manifest.pairs),
        parties={kind: {one.party for one in sent if one.kind is kind} for kind in Kind},
        hits=hits,
        known=persons,
        outcomes=said,
    )
