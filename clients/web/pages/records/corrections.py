"""One record of a list corrected, or taken out of it: looked at before it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter, Response

from aquila.interface.records import CORRECTABLE, CorrectionReport, FoundRecord, RecordCorrection
from aquila.records.person import LIST_FIELDS
from clients.web.app.paths import identifier
from clients.web.app.visit import Sent, Visit, Visited, threaded
from clients.web.pages.records.search import position_of

router = APIRouter()


@router.get("/search/{import_id}/{position}/correct")
@threaded
def get_correction(visit: Visited, import_id: str, position: str) -> Response:
    """Show the fields of a record to be corrected; that they were looked at is logged."""
    visit.need("records.import")
    entry = visit.records().show(identifier(import_id), position_of(position)).entry
    held = {name: value for name, value in entry.record.items() if name in CORRECTABLE}
    texts = {name: (value,) if isinstance(value, str) else tuple(value) for name, value in held.items()}
    return _form(visit, entry, texts)


@router.post("/search/{import_id}/{position}/correct")
@threaded
def post_correction(visit: Visited, sent: Sent, import_id: str, position: str) -> Response:
    """Show how the corrected record is read, or store it."""
    visit.need("records.import")
    list_id, place = identifier(import_id), position_of(position)
    texts = {name: _texts(sent, name) for name in CORRECTABLE}
    wanted = RecordCorrection(fields=texts)
    if sent.ticked("store"):
        visit.records().correct(list_id, place, wanted)
        return visit.go(f"/search/{list_id}/{place}", "corrected")
    report = visit.records().check_correction(list_id, place, wanted)
    entry = visit.records().show(list_id, place).entry
    return _form(visit, entry, wanted.texts(), report)


@router.post("/search/{import_id}/{position}/take-out")
@threaded
def post_take_out(visit: Visited, _sent: Sent, import_id: str, position: str) -> Response:
    """Take a record out of its list."""
    list_id = identifier(import_id)
    visit.records().take_out(list_id, position_of(position))
    return visit.go(f"/records/{list_id}", "taken_out")


def _texts(sent: Sent, name: str) -> tuple[str, ...]:
    """Return the texts of a field: of a list, the lines of what was typed; each is one value."""
    given = sent.texts(name)
    return tuple(line for text in given for line in text.splitlines()) if name in LIST_FIELDS else tuple(given)


def _form(
    visit: Visit, entry: FoundRecord, wanted: Mapping[str, tuple[str, ...]], report: CorrectionReport | None = None
) -> Response:
    refused = report is not None and report.names is None
    return visit.show(
        "correct.html",
        HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK,
        record_id=entry.record_id,
        place=f"/search/{entry.import_id}/{entry.position}",
        wanted=wanted,
        report=report,
        fields=CORRECTABLE,
        lists=LIST_FIELDS,
    )
