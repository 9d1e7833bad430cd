"""Statistics of the matcher and the regional picture: tables, pictures beside them, CSV and PDF. Counts alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from aquila.errors import InputError
from aquila.matching.certainty import Level
from clients.web import letters
from clients.web.marks import LEVELS
from clients.web.paging import page_of
from clients.web.pictures import Amount, bars, heat_map
from clients.web.visit import Sent, Visited, threaded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aquila.protocol.messages.statistics_views import Statistics, Summed
    from clients.web.visit import Visit

router = APIRouter()
_LEVELS = ("high", "medium", "low")
_PAGE = 5
_LISTS = 20


def _n(message: str) -> str:
    """Mark a message for the catalogue; it is translated where it is shown."""
    return message


_AND_ABOVE = {Level.LOW: _n("all levels"), Level.MEDIUM: _n("high and medium"), Level.HIGH: _n("high only")}


@router.get("/statistics")
@threaded
def get_statistics(visit: Visited) -> Response:
    """Show rounds in numbers, newest first, a few on a page: each has many."""
    found = visit.matcher().statistics()
    page = page_of(visit, found.rounds, _PAGE)
    return visit.show("statistics.html", found=found, page=page, lists=_LISTS)


@router.post("/statistics.csv")
@threaded
def post_csv(visit: Visited, sent: Sent) -> Response:  # noqa: ARG001 - the form is checked
    """Return the statistics as CSV."""
    headers = {"content-disposition": 'attachment; filename="statistics.csv"'}
    return Response(visit.matcher().statistics_csv(), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/picture")
@threaded
def get_picture(visit: Visited, category: str = "", certainty: str = "") -> Response:
    """Show the regional picture: who has hits with whom, how many know a person, how right the levels are."""
    everything, least = visit.matcher().statistics(), _least(certainty)
    found = visit.matcher().statistics(category) if category else everything
    return visit.show(
        "picture.html",
        found=found,
        category=category,
        categories=sorted({one.category for one in everything.rounds}),
        certainty=certainty,
        certainties=[(level.value, visit.say(words)) for level, words in _AND_ABOVE.items()],
        parties=_parties(found),
        cells=_cells(found, least),
        known=_known(found, least),
        precision=_precision(found),
    )


@router.get("/picture/{name}.svg")
@threaded
def get_svg(visit: Visited, name: str, category: str = "", certainty: str = "") -> Response:
    """Return one of the pictures as an image."""
    drawn = _drawn(visit, visit.matcher().statistics(category), _least(certainty))
    if name not in drawn:
        raise HTTPException(404)
    return Response(drawn[name], media_type="image/svg+xml")


@router.post("/picture.pdf")
@threaded
def post_pdf(visit: Visited, sent: Sent) -> Response:
    """Return the picture as a PDF, with a table beside each drawing."""
    category, least = sent.text("category"), _least(sent.text("certainty"))
    found = visit.matcher().statistics(category)
    content = {
        "title": visit.say("Regional picture"),
        "category": category or visit.say("all categories"),
        "certainty": f"{visit.say('Certainty')}: {visit.say(_AND_ABOVE[least])}",
        "rule": visit.say("Numbers below %(least)s are held back, and with them what would give them away.",
                          least=found.least),
        "pictures": [
            {"title": title, "svg": drawing, "rows": rows}
            for (title, rows), drawing in zip(
                _tables(visit, found, least), _drawn(visit, found, least).values(), strict=True
            )
        ],
    }  # fmt: skip
    headers = {"content-disposition": 'attachment; filename="regional-picture.pdf"'}
    return Response(letters.compiled("picture.typ", content), media_type="application/pdf", headers=headers)


def _least(certainty: str) -> Level:
    """Return the least level of the hits that are wanted; all by default.

    Raises:
        InputError: There is no such level.
    """
    if certainty and certainty not in set(Level):
        raise InputError(_n("there is no such level of certainty"))
    return Level(certainty or Level.LOW)


def _drawn(visit: Visit, found: Statistics, least: Level) -> dict[str, str]:
    """Return the pictures by name."""
    pairs, known, right = (title for title, _ in _tables(visit, found, least))
    levels = [(visit.say(LEVELS[level][0]), Amount(percent)) for level, percent in _precision(found).items()]
    return {
        "pairs": heat_map(pairs, _parties(found), _cells(found, least)),
        "known": bars(known, [(str(parties), amount) for parties, amount in _known(found, least).items()]),
        "right": bars(right, levels, 100, " %"),
    }


def _tables(visit: Visit, found: Statistics, least: Level) -> list[tuple[str, list[list[str]]]]:
    """Return the title of each picture and the rows of its table."""
    return [
        (
            visit.say("Hits between parties"),
            [[f"{a} - {b}", amount.text] for (a, b), amount in _cells(found, least).items()],
        ),
        (
            visit.say("Persons known to so many parties"),
            [[str(parties), amount.text] for parties, amount in _known(found, least).items()],
        ),
        (
            visit.say("Of the hits decided, right at least, in the newest round that tells"),
            [[visit.say(LEVELS[level][0]), f"{percent} %"] for level, percent in _precision(found).items()],
        ),
    ]


def _parties(found: Statistics) -> list[str]:
    return sorted({party for one in found.rounds for party in (one.party for one in one.parties)})


def _cells(found: Statistics, least: Level) -> dict[tuple[str, str], Amount]:
    """Return hits of a level and above by pair, all categories together."""
    return _added(((cell.left, cell.right), cell.hits) for cell in found.picture if cell.certainty == least)


def _known(found: Statistics, least: Level) -> dict[int, Amount]:
    """Return persons by the number of parties that know them by hits of a level and above, of all categories."""
    known = _added((one.parties, one.persons) for one in found.known if one.certainty == least)
    return dict(sorted(known.items()))


def _added(numbers: Iterable[tuple[object, Summed]]) -> dict:  # type: ignore[type-arg] # keys are pairs or numbers
    counts, withheld = Counter[object](), Counter[object]()
    for key, summed in numbers:
        counts[key] += summed.count
        withheld[key] += summed.withheld
    return {key: Amount(counts[key], withheld[key]) for key in counts}


def _precision(found: Statistics) -> dict[str, int]:
    """Return by level how many percent of the decided hits were right at least, in the newest round that says so."""
    known: dict[str, int] = {}
    for one in found.rounds:
        for outcome in one.outcomes:
            if outcome.precision_at_least is not None:
                known.setdefault(outcome.certainty.value, outcome.precision_at_least)
    return {level: known[level] for level in _LEVELS if level in known}
