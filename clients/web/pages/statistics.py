"""Statistics of the matcher and the regional picture: tables, drawings, CSV and PDF. Rounded counts alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from aquila.errors import InputError
from aquila.interface.statistics import PublishedCount, RegionalPicture, RoundStatistics
from aquila.matching.certainty import Level
from aquila.protocol.messages import Kind
from clients.web.app.navigation import identifier
from clients.web.app.paging import served_page
from clients.web.app.visit import PageRoute, Sent, Visit, Visited
from clients.web.i18n.languages import n_
from clients.web.render import pdf
from clients.web.render.charts import Amount, bars, heat_map
from clients.web.text.labels import LEVELS

router = APIRouter(route_class=PageRoute)
_PAGE = 5
_LISTS = 20
_FILTER = ("category", "since", "until")
_CHOICE = ("certainty", *_FILTER, "round_id")

_AND_ABOVE = {Level.LOW: n_("all levels"), Level.MEDIUM: n_("high and medium"), Level.HIGH: n_("high only")}
_RULE = n_(
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
    chosen, read = {"category": category, "since": since, "until": until}, []

    def part(offset: int) -> tuple[Sequence[RoundStatistics], int]:
        read.append(visit.matcher().statistics(**chosen, offset=offset, limit=_PAGE, matched=True))
        return read[-1].rounds, read[-1].total

    page = served_page(visit, part, _PAGE, chosen=chosen)
    return visit.show(
        "statistics.html",
        found=read[-1],
        page=page,
        lists=_LISTS,
        rule=visit.say(_RULE, base=read[-1].base),
        chosen=chosen,
    )


@router.post("/statistics.csv")
def post_csv(visit: Visited, sent: Sent) -> Response:
    headers = {"content-disposition": 'attachment; filename="statistics.csv"'}
    content = visit.marked(visit.matcher().statistics_csv(*map(sent.text, _FILTER)))
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


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
        asked=picture.one.table(Kind.QUERY) if picture.one else None,
        rounds=picture.found.rounds,
        chosen=chosen,
        others=urlencode(chosen),
        query=urlencode(chosen | {"round_id": picture.one.round_id if picture.one else ""}),
        certainties=[(level.value, visit.say(words)) for level, words in _AND_ABOVE.items()],
        cells=_cells(visit, picture),
        known=_known(visit, picture),
        precision=_precision(picture.found),
        rule=visit.say(_RULE, base=picture.found.base),
    )


@router.get("/picture/{name}.svg")
def get_svg(visit: Visited, name: str) -> Response:
    asked = visit.request.query_params
    drawn = _drawn(visit, _picture(visit, *(asked.get(name, "") for name in _CHOICE)))
    if name not in drawn:
        raise HTTPException(404)
    return Response(drawn[name], media_type="image/svg+xml")


@router.post("/picture.pdf")
def post_pdf(visit: Visited, sent: Sent) -> Response:
    picture = _picture(visit, *map(sent.text, _CHOICE))
    content = {
        "title": visit.say("Regional picture"),
        "category": picture.category,
        "round": _of_round(visit, picture.one),
        "certainty": f"{visit.say('Certainty')}: {visit.say(_AND_ABOVE[picture.least])}",
        "rule": visit.say(_RULE, base=picture.found.base),
        "pictures": [
            {"title": title, "svg": drawing, "rows": rows}
            for (title, rows), drawing in zip(_tables(visit, picture), _drawn(visit, picture).values(), strict=True)
        ],
    }
    headers = {"content-disposition": 'attachment; filename="regional-picture.pdf"'}
    return Response(pdf.compiled("picture.typ", content, visit.mark), media_type="application/pdf", headers=headers)


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


def _drawn(visit: Visit, picture: Picture) -> dict[str, str]:
    pairs, known, right = (title for title, _ in _tables(visit, picture))
    levels = [
        (visit.say(LEVELS[level][0]), Amount(f"{percent} %", percent))
        for level, percent in _precision(picture.found).items()
    ]
    table = picture.one.table(Kind.LIST) if picture.one else None
    parties = [of.party for of in table.parties] if table else []
    return {
        "pairs": heat_map(pairs, parties, _cells(visit, picture)),
        "known": bars(known, [(str(parties), amount) for parties, amount in _known(visit, picture).items()]),
        "right": bars(right, levels, 100),
    }


def _tables(visit: Visit, picture: Picture) -> list[tuple[str, list[list[str]]]]:
    return [
        (
            visit.say("Hits between parties, of their lists"),
            [[f"{a} - {b}", amount.text] for (a, b), amount in _cells(visit, picture).items()],
        ),
        (
            visit.say("Persons by number of parties that know them"),
            [[str(parties), amount.text] for parties, amount in _known(visit, picture).items()],
        ),
        (
            visit.say("Share of decided hits that were right, in the newest round with such figures"),
            [[visit.say(LEVELS[level][0]), f"{percent} %"] for level, percent in _precision(picture.found).items()],
        ),
    ]


def _of_round(visit: Visit, one: RoundStatistics | None) -> str:
    if one is None or one.matched_at is None:
        return visit.say("Nothing to show yet")
    return visit.say(
        "Round %(round)s, whose lists were compared on %(day)s",
        round=one.round_id[:8],
        day=visit.language.date(one.matched_at),
    )


def _amount(visit: Visit, published: PublishedCount) -> Amount:
    if isinstance(published, int):
        return Amount(visit.language.number(published), published)
    return Amount(published)


def _cells(visit: Visit, picture: Picture) -> dict[tuple[str, str], Amount]:
    """Return hits of lists, of a level and above, by pair."""
    table = picture.one.table(Kind.LIST) if picture.one else None
    pairs = table.pairs if table else ()
    return {(of.left, of.right): _amount(visit, of.hits.of(picture.least)) for of in pairs}


def _known(visit: Visit, picture: Picture) -> dict[int, Amount]:
    known = picture.one.known if picture.one else ()
    return {of.parties: _amount(visit, of.persons) for of in known if of.certainty == picture.least}


def _precision(found: RegionalPicture) -> Mapping[str, int]:
    """Return by level the approximate percentage of right hits among decided ones, from the newest round with one."""
    return {of.certainty.value: of.percent for of in found.precision}
