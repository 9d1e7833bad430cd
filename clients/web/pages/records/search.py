"""The party's own records: search them by name, number or reference, look at one, correct it or take it out.

What is looked for comes in a form, so that no address, and so no history of a browser, holds a name or a number. A
record's address says its list and its place there.
"""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from aquila.interface import records as record_views
from aquila.records.person import LIST_FIELDS
from clients.web.app.forms import whole_number
from clients.web.app.navigation import identifier
from clients.web.app.visit import PageRoute, Sent, Visit, Visited
from clients.web.text import labels

router = APIRouter(route_class=PageRoute)


@router.get("/search")
def get_search(visit: Visited) -> Response:
    visit.need("records.search")
    return _form(visit, record_views.RecordSearch())


@router.post("/search")
def post_search(visit: Visited, sent: Sent) -> Response:
    """Show a page of what a search finds; that it was made is logged, and not what was looked for."""
    visit.need("records.search")
    offset = sent.number("offset") if sent.text("offset") else 0
    wanted = record_views.RecordSearch(text=sent.text("text"), alike=sent.ticked("alike"), offset=offset)
    if not wanted.text:
        return _form(visit, wanted, empty=True)
    page = visit.records().search(wanted)
    after = offset + len(page.records)
    return visit.show(
        "search.html",
        wanted=wanted,
        empty=False,
        page=page,
        references=[(_path(one), _words(visit, one)) for one in page.references],
        earlier=max(0, offset - record_views.MOST_FOUND) if offset else None,
        later=after if after < min(page.total, record_views.FARTHEST + 1) else None,
    )


_PATHS = {
    record_views.ReferenceKind.ROUND: "/rounds",
    record_views.ReferenceKind.QUERY: "/queries",
    record_views.ReferenceKind.CASE: "/queries",
    record_views.ReferenceKind.STANDING_QUERY: "/queries/standing",
}


def _path(found: record_views.FoundReference) -> str:
    """Return the page of what has a reference."""
    return f"{_PATHS.get(found.kind) or f'/hits/{found.round_id}'}/{found.thing_id}"


def _words(visit: Visit, found: record_views.FoundReference) -> str:
    """Return what a reference is."""
    code = found.counterpart or ""
    party = f"{visit.say(labels.PARTIES[code])} ({code})" if code in labels.PARTIES else code
    return visit.say(labels.REFERENCES[found.kind.value], party=party)


@router.get("/search/{import_id}/{position}")
def get_record(visit: Visited, import_id: str, position: str) -> Response:
    """Show one record with its history; that it was looked at is logged."""
    visit.need("records.search")
    return visit.show("record.html", found=visit.records().show(identifier(import_id), position_of(position)))


def position_of(text: str) -> int:
    """Return the place in a list that an address names; raises HTTPException if it names none."""
    place = whole_number(text, 12)
    if place is None:
        raise HTTPException(404)
    return place


def _form(visit: Visit, wanted: record_views.RecordSearch, *, empty: bool = False) -> Response:
    """Return the form alone, or with a word that nothing was asked for."""
    return visit.show("search.html", wanted=wanted, empty=empty, page=None, references=(), earlier=None, later=None)


@router.get("/search/{import_id}/{position}/correct")
def get_correction(visit: Visited, import_id: str, position: str) -> Response:
    visit.need("records.import")
    entry = visit.records().show(identifier(import_id), position_of(position)).entry
    held = {name: value for name, value in entry.record.items() if name in record_views.CORRECTABLE}
    texts = {name: (value,) if isinstance(value, str) else tuple(value) for name, value in held.items()}
    return _correction(visit, entry, texts)


@router.post("/search/{import_id}/{position}/correct")
def post_correction(visit: Visited, sent: Sent, import_id: str, position: str) -> Response:
    """Show how the corrected record is read, or store it."""
    visit.need("records.import")
    list_id, place = identifier(import_id), position_of(position)
    texts = {name: _texts(sent, name) for name in record_views.CORRECTABLE}
    wanted = record_views.RecordCorrection(fields=texts)
    if sent.ticked("store"):
        visit.records().correct(list_id, place, wanted)
        return visit.go(f"/search/{list_id}/{place}", "corrected")
    report = visit.records().check_correction(list_id, place, wanted)
    entry = visit.records().show(list_id, place).entry
    return _correction(visit, entry, wanted.texts(), report)


@router.post("/search/{import_id}/{position}/take-out")
def post_take_out(visit: Visited, _sent: Sent, import_id: str, position: str) -> Response:
    list_id = identifier(import_id)
    visit.records().take_out(list_id, position_of(position))
    return visit.go(f"/records/{list_id}", "taken_out")


def _texts(sent: Sent, name: str) -> tuple[str, ...]:
    """Return the texts of a field: of a list, the lines of what was typed; each is one value."""
    given = sent.texts(name)
    return tuple(line for text in given for line in text.splitlines()) if name in LIST_FIELDS else tuple(given)


def _correction(
    visit: Visit,
    entry: record_views.FoundRecord,
    wanted: Mapping[str, tuple[str, ...]],
    report: record_views.CorrectionReport | None = None,
) -> Response:
    refused = report is not None and report.names is None
    return visit.show(
        "correct.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK,
        record_id=entry.record_id,
        place=f"/search/{entry.import_id}/{entry.position}",
        wanted=wanted,
        report=report,
        fields=record_views.CORRECTABLE,
        lists=LIST_FIELDS,
    )
