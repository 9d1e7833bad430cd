"""Statistics of the matcher and the regional picture: tables, drawings, CSV and PDF. Rounded counts alone."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from fastapi import APIRouter, Response

from aquila.errors import InputError
from aquila.interface.statistics import PublishedCount, RegionalPicture, RoundStatistics
from aquila.matching.certainty import Level
from aquila.protocol.messages import Kind
from clients.web.app.navigation import identifier
from clients.web.app.paging import served_page
from clients.web.app.visit import PageRoute, Sent, Visit, Visited
from clients.web.i18n.languages import n_
from clients.web.render import charts, pdf
from clients.web.render.charts import Amount
from clients.web.render.figures import Figure
from clients.web.text.labels import LEVELS

router = APIRouter(route_class=PageRoute)
_PAGE = 5
_LISTS = 20
_FILTER = ("category", "since", "until")
_CHOICE = ("certainty", *_FILTER, "round_id")
_FEWEST = 20  # decided hits of which a share is shown
_THOUSAND = 1_000
_DRAWN = 12  # newest rounds in a drawing; its table has all
_OUTCOMES = {
    "confirmed": n_("right"),
    "refuted": n_("wrong"),
    "unresolved": n_("unresolved"),
    "withdrawn": n_("withdrawn"),
    "open": n_("open"),
}

_AND_ABOVE = {Level.LOW: n_("all levels"), Level.MEDIUM: n_("high and medium"), Level.HIGH: n_("high only")}
RULE = n_(
    "Numbers are rounded up or down to multiples of %(base)s, by a key that only the matcher has. A number from 1 to 4 "
    "is shown as 1-4, and what is below %(base)s once rounded as <5. Totals add up rounded numbers."
)


@dataclass(frozen=True, slots=True)
class Picture:
    """The regional picture of one round."""

    category: str
    least: Level
    """The hits that count are those of this level and above."""
    found: RegionalPicture
    """The round among others of its category."""

    @property
    def one(self) -> RoundStatistics | None:
        return self.found.round


@router.get("/statistics")
def get_statistics(visit: Visited, category: str = "", since: str = "", until: str = "") -> Response:
    """Show rounds in numbers, newest first, a few on a page: each has many."""
    chosen, client = {"category": category, "since": since, "until": until}, visit.matcher()
    found, page = served_page(
        visit,
        lambda offset: client.statistics(**chosen, offset=offset, limit=_PAGE, matched=True),
        lambda part: (part.rounds, part.total),
        _PAGE,
        chosen,
    )
    return visit.show(
        "statistics.html",
        found=found,
        page=page,
        lists=_LISTS,
        rule=visit.say(RULE, base=found.base),
        chosen=chosen,
        year=_last_year(found.rounds),
    )


def _last_year(rounds: Sequence[RoundStatistics]) -> tuple[str, str]:
    """Return first and last day of the year of the newest round, for the form of a report; nothing without a round."""
    at = max((one.matched_at or one.created_at for one in rounds), default=None)
    if at is None:
        return "", ""
    year = datetime.fromtimestamp(at, UTC).astimezone().year
    return f"{year:04}-01-01", f"{year:04}-12-31"


@router.post("/statistics.csv")
def post_csv(visit: Visited, sent: Sent) -> Response:
    content = visit.matcher().statistics_csv(*map(sent.text, _FILTER))
    return visit.give("statistics.csv", visit.marked(content))


@router.get("/picture")
def get_picture(visit: Visited) -> Response:
    """Show the regional picture: who has hits with whom, how many know a person, how right the levels are."""
    asked = visit.request.query_params
    picture = _picture(visit, *(asked.get(name, "") for name in _CHOICE))
    days = {name: asked.get(name, "") for name in ("since", "until")}
    chosen = {"category": picture.category, "certainty": picture.least.value} | days
    return visit.show(
        "picture.html",
        picture=picture,
        one=picture.one,
        chosen=chosen,
        others=urlencode(chosen),
        certainties=[(level.value, visit.say(words)) for level, words in _AND_ABOVE.items()],
        figures=figures_of(visit, picture),
        rule=visit.say(RULE, base=picture.found.base),
    )


@router.post("/picture.pdf")
def post_pdf(visit: Visited, sent: Sent) -> Response:
    picture = _picture(visit, *map(sent.text, _CHOICE))
    content = {
        "title": visit.say("Regional picture"),
        "language": visit.language.tag.split("-")[0],
        "category": picture.category,
        "round": of_round(visit, picture.one),
        "certainty": f"{visit.say('Certainty')}: {visit.say(_AND_ABOVE[picture.least])}",
        "rule": visit.say(RULE, base=picture.found.base),
        "pictures": [asdict(figure) for figure in figures_of(visit, picture)],
    }
    return visit.give("regional-picture.pdf", pdf.compiled("picture.typ", content, visit.mark))


def _picture(visit: Visit, certainty: str, category: str, since: str, until: str, round_id: str) -> Picture:
    """Return the round that is asked for, or the latest of a category within some days, or the latest of all.

    Raises:
        InputError: There is no such level, or a day is none.
    """
    least = _least(certainty)
    chosen = {"category": category, "since": since, "until": until, "round_id": round_id and identifier(round_id)}
    found = visit.matcher().picture(**chosen)
    return Picture(category or (found.round.category if found.round else ""), least, found)


def _least(certainty: str) -> Level:
    """Return the least level of the hits that are wanted; all by default.

    Raises:
        InputError: There is no such level.
    """
    if certainty and certainty not in set(Level):
        raise InputError("certainty_level_unknown")
    return Level(certainty or Level.LOW)


def figures_of(visit: Visit, picture: Picture) -> list[Figure]:
    """Return the pictures that have anything to show."""
    if picture.one is None:
        return []
    made = (_region, _pairs, _known, _trend, _outcomes, _right, _queries, _hits_of_queries)
    return [figure for figure in (one(visit, picture, picture.one) for one in made) if figure.rows]


def _region(visit: Visit, picture: Picture, one: RoundStatistics) -> Figure:
    title, table = visit.say("The region: hits of each party with all others"), one.table(Kind.LIST)
    hits = {of.party: _amount(visit, of.hits.of(picture.least)) for of in (table.parties if table else ())}
    records = {sent.party: _amount(visit, sent.records) for sent in one.lists if sent.kind is Kind.LIST}
    rows = [[party, of.text, records[party].text, _rate(visit, of, records[party])] for party, of in hits.items()]
    return Figure(
        title,
        charts.region(title, hits, _cells(visit, picture)),
        [visit.say("Party"), visit.say("Hits"), visit.say("Records, padded"), visit.say("Hits per 1,000 records")],
        rows,
        visit.say("An arc is thick where two parties have many hits, and dashed where they have 1 to 4.")
        + " "
        + visit.say("A hit counts at both of its parties."),
    )


def _rate(visit: Visit, hits: Amount, records: Amount) -> str:
    """Return hits per thousand records, of published numbers; a dash where there are too few for it."""
    if hits.small or not records.size:
        return "-"
    return visit.language.number(round(_THOUSAND * hits.size / records.size, 1))


def _pairs(visit: Visit, picture: Picture, _one: RoundStatistics) -> Figure:
    title, cells = visit.say("Hits between parties, of their lists"), _cells(visit, picture)
    parties = sorted({party for pair in cells for party in pair})
    rows = [[f"{left} - {right}", amount.text] for (left, right), amount in cells.items()]
    return Figure(title, charts.heat_map(title, parties, cells), [visit.say("Parties"), visit.say("Hits")], rows)


def _known(visit: Visit, picture: Picture, one: RoundStatistics) -> Figure:
    title = visit.say("Persons by number of parties that know them")
    known = {str(of.parties): _amount(visit, of.persons) for of in one.known if of.certainty == picture.least}
    return Figure(
        title,
        charts.bars(title, list(known.items())),
        [visit.say("Parties"), visit.say("Persons")],
        [[parties, amount.text] for parties, amount in known.items()],
        visit.say(
            "By hits of the certainty that is chosen above. Noise is added here as well, so that no small number of "
            "hits follows from the persons: a number is seldom off by more than 5."
        ),
    )


def _trend(visit: Visit, picture: Picture, _one: RoundStatistics) -> Figure:
    """Return the rounds of the category from the oldest on; one alone is no trend."""
    title, levels = visit.say("Hits of lists, round by round"), _levels(picture)
    rounds = picture.found.rounds[::-1] if len(picture.found.rounds) > 1 else ()
    days = [visit.language.date(of.matched_at) for of in rounds]
    parts = [[_amount(visit, getattr(of.hits, level.value)) for level in levels] for of in rounds]
    # What was said to be right is of all levels.
    marks = [of.confirmed / 2 if of.confirmed and picture.least is Level.LOW else None for of in rounds]
    said, names = [visit.language.number(of.confirmed) for of in rounds], _level_names(visit, levels)
    return Figure(
        title,
        charts.stacked(
            title, list(zip(days, parts, marks, strict=True))[-_DRAWN:], names, visit.say("said to be right")
        ),
        [visit.say("Lists compared on"), *names, visit.say("said to be right")],
        [[day, *(of.text for of in row), so_many] for day, row, so_many in zip(days, parts, said, strict=True)],
        visit.say(
            "Each round by itself: rounds repeat lists, and their numbers are never added up. A hit that a single "
            "party says to be right counts half in the line."
        ),
        [of.round_id for of in rounds],
    )


def _outcomes(visit: Visit, picture: Picture, one: RoundStatistics) -> Figure:
    title, levels = visit.say("What became of the hits"), _levels(picture)
    rows = [of for level in levels for of in one.outcomes if of.certainty is level]
    parts = [[_amount(visit, getattr(of, name)) for name in _OUTCOMES] for of in rows]
    words, names = _level_names(visit, [of.certainty for of in rows]), list(map(visit.say, _OUTCOMES.values()))
    return Figure(
        title,
        charts.stacked(title, [(name, amounts, None) for name, amounts in zip(words, parts, strict=True)], names),
        [visit.say("Certainty"), *names],
        [[name, *(amount.text for amount in amounts)] for name, amounts in zip(words, parts, strict=True)],
        visit.say(
            "Outcomes count the statements of each of the two parties; where a pair has few hits of a level, nothing "
            "is counted."
        ),
    )


def _right(visit: Visit, picture: Picture, _one: RoundStatistics) -> Figure:
    title = visit.say("Share of decided hits that were right, in the newest round with such figures")
    found = [of for of in picture.found.precision if of.decided >= _FEWEST]
    rows = [
        charts.Share(visit.say(LEVELS[of.certainty][0]), of.percent, of.least, of.most, round(100 * of.certainty.least))
        for of in found
    ]
    return Figure(
        title,
        charts.shares(title, rows),
        [visit.say(name) for name in (n_("Certainty"), n_("right"), n_("between"), n_("promised"), n_("decided hits"))],
        [
            [
                row.words,
                f"{row.percent} %",
                f"{row.least} - {row.most} %",
                f"{row.promised} %",
                visit.language.number(of.decided),
            ]
            for row, of in zip(rows, found, strict=True)
        ],
        visit.say(
            "From what both parties of a hit said of it, in rounded numbers, each level by itself. The bar is where "
            "the share lies with so many hits in 95 of 100 such rounds; the dashed mark is what the level promises. "
            "Levels of fewer than %(number)s decided hits are left out.",
            number=_FEWEST,
        ),
    )


def _queries(visit: Visit, picture: Picture, _one: RoundStatistics) -> Figure:
    title, found = visit.say("Queries by party and month"), picture.found.queries
    cells = {(of.party, of.month): Amount(visit.language.number(of.queries), of.queries) for of in found}
    parties, months = (sorted({pair[place] for pair in cells}) for place in (0, 1))
    none = Amount("0")
    whole = {(party, month): cells.get((party, month), none) for party in parties for month in months}
    return Figure(
        title,
        charts.grid(title, parties, months, whole),
        [visit.say("Party"), *months],
        [[party, *(whole[party, month].text for month in months)] for party in parties],
    )


def _hits_of_queries(visit: Visit, picture: Picture, one: RoundStatistics) -> Figure:
    table = one.table(Kind.QUERY)
    rows = [
        [f"{of.left} - {of.right}", _amount(visit, of.hits.of(picture.least)).text]
        for of in (table.pairs if table else ())
    ]
    columns = [visit.say("Parties"), visit.say("Hits")]
    return Figure(visit.say("Hits of queries, separate from those of lists"), "", columns, rows)


def _levels(picture: Picture) -> list[Level]:
    """Return the levels that count, the surest first."""
    return [level for level in sorted(Level, reverse=True) if level >= picture.least]


def _level_names(visit: Visit, levels: Sequence[Level]) -> list[str]:
    return [visit.say(LEVELS[level][0]) for level in levels]


def of_round(visit: Visit, one: RoundStatistics | None) -> str:
    if one is None or one.matched_at is None:
        return visit.say("Nothing to show yet")
    return visit.say(
        "%(round)s, whose lists were compared on %(day)s", round=one.title, day=visit.language.date(one.matched_at)
    )


def _amount(visit: Visit, published: PublishedCount) -> Amount:
    return Amount(visit.language.number(published), published) if isinstance(published, int) else Amount(published)


def _cells(visit: Visit, picture: Picture) -> dict[tuple[str, str], Amount]:
    """Return hits of lists, of a level and above, by pair."""
    table = picture.one.table(Kind.LIST) if picture.one else None
    pairs = table.pairs if table else ()
    return {(of.left, of.right): _amount(visit, of.hits.of(picture.least)) for of in pairs}
