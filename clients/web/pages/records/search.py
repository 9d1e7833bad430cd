"""The party's own records: search them by number or by name, and look at one with its history.

What is looked for comes in a form, so that no address, and so no history of a browser, holds a name or a number. A
record's address says its list and its place there.
"""

from __future__ import annotations

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from aquila.interface.records import FARTHEST, MOST_FOUND, RecordSearch
from clients.web.app.paths import identifier
from clients.web.app.visit import Sent, Visit, Visited, threaded

router = APIRouter()
_DIGITS = 12


@router.get("/search")
@threaded
def get_search(visit: Visited) -> Response:
    """Show the form of a search."""
    visit.need("records.search")
    return _form(visit, RecordSearch())


@router.post("/search")
@threaded
def post_search(visit: Visited, sent: Sent) -> Response:
    """Show a page of what a search finds; that it was made is logged, and not what was looked for."""
    offset = sent.number("offset") if sent.text("offset") else 0
    wanted = RecordSearch(number=sent.text("number"), name=sent.text("name"), alike=sent.ticked("alike"), offset=offset)
    if not (wanted.number or wanted.name):
        return _form(visit, wanted, empty=True)
    page = visit.records().search(wanted)
    after = offset + len(page.records)
    return visit.show(
        "search.html",
        wanted=wanted,
        empty=False,
        page=page,
        earlier=max(0, offset - MOST_FOUND) if offset else None,
        later=after if after < min(page.total, FARTHEST + 1) else None,
    )


@router.get("/search/{import_id}/{position}")
@threaded
def get_record(visit: Visited, import_id: str, position: str) -> Response:
    """Show one record with its history; that it was looked at is logged."""
    visit.need("records.search")
    return visit.show("record.html", found=visit.records().show(identifier(import_id), position_of(position)))


def position_of(text: str) -> int:
    """Return the place in a list that an address names.

    Raises:
        HTTPException: It names none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise HTTPException(404)
    return int(text)


def _form(visit: Visit, wanted: RecordSearch, *, empty: bool = False) -> Response:
    """Return the form alone, or with a word that nothing was asked for."""
    return visit.show("search.html", wanted=wanted, empty=empty, page=None, earlier=None, later=None)
