"""A party's lists: look a file through, store it, look for duplicates, delete it."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import PurePath
from typing import Any

from fastapi import APIRouter, Response

from aquila.errors import InputError
from aquila.interface.records import MOST_FOUND, Deliveries, ImportEntry, LayoutView, RecordReport
from aquila.interface.rounds import Progress
from aquila.records.person import FIELDS
from aquila.records.reading.layouts import ENCODINGS, RECOGNIZED, Layout
from aquila.records.rules import DEFAULT_LIMIT
from aquila.records.template import TEMPLATES
from aquila.sentences import Sentence
from clients.sdk import NodeClient
from clients.sdk.services import DeliveredList
from clients.web.app.forms import whole_number
from clients.web.app.list_work import ListWork
from clients.web.app.navigation import identifier
from clients.web.app.paging import served_page
from clients.web.app.uploads import LONG_BYTES, Upload
from clients.web.app.visit import PageRoute, Sent, SentList, Visit, Visited
from clients.web.rounds.progress import LiveState, live
from services.kit.errors import NotFoundError

router = APIRouter(route_class=PageRoute)
_MOST = 100
_FEW = 10  # findings that are shown line by line without being asked for
_NAME_LIMIT = 200
_LOOK_SECONDS = 0.5


@router.get("/records")
def get_records(visit: Visited) -> Response:
    delivered = visit.node().deliveries() if visit.may("records.import") else Deliveries(deliveries=())
    return visit.show(
        "records.html",
        imports=visit.node().imports().imports,
        columns=FIELDS,
        delivered=delivered,
        large=LONG_BYTES,
        waiting=visit.site.uploads.of(visit.session),
    )


@router.post("/records/preview")
def post_preview(visit: Visited, sent: SentList) -> Response:
    """Check a file and keep it until its officer confirms; nothing is stored."""
    visit.need("records.check")
    chosen = sent.file("file")
    if chosen is None:
        raise InputError("no_file_chosen")
    name = (sent.text("name") or PurePath(chosen.filename or "").name)[:_NAME_LIMIT]
    size = chosen.size or 0
    upload, sent.kept = visit.site.uploads.keep(visit.session, name, RECOGNIZED, chosen.file, size), True
    return _look_through(visit, upload)


@router.post("/records/delivered")
def post_delivered(visit: Visited, sent: Sent) -> Response:
    """Check a file that was delivered, as one that an officer chose; nothing is stored."""
    visit.need("records.check")
    for one in visit.node().deliveries().deliveries:
        if one.delivery_id == sent.text("delivery_id"):
            delivered = DeliveredList(one.delivery_id)
            return _look_through(
                visit, visit.site.uploads.keep(visit.session, one.name, RECOGNIZED, delivered, one.size)
            )
    raise NotFoundError("delivery_unknown")


@router.post("/records/delivered/{delivery_id}/remove")
def post_remove_delivered(visit: Visited, _sent: Sent, delivery_id: str) -> Response:
    visit.node().remove_delivery(identifier(delivery_id))
    return visit.go("/records", "delivery_removed")


@router.post("/records/layout")
def post_layout(visit: Visited, sent: Sent) -> Response:
    """Check the file that waits once more, in the layout that its officer chose."""
    upload, sheet = _kept(visit, sent), sent.text("sheet")
    encoding = next((one for one in ENCODINGS if one == sent.text("encoding")), None)
    columns = tuple(name or None for name in sent.texts("column")) or None
    # The lines that were shown are those of one sheet.
    heading = sent.text("heading") if sheet == sent.text("of_sheet") else ""
    if not upload.busy:
        upload.layout = Layout(None, encoding, whole_number(sheet), columns, whole_number(heading))
    return _look_through(visit, upload)


@router.post("/records/store")
def post_store(visit: Visited, sent: Sent) -> Response:
    upload = _kept(visit, sent)
    if upload.busy:
        return visit.go(_waiting(upload))
    node, accept = visit.node(), sent.ticked("accept_refused")
    rows = upload.work.result.rows if upload.work and isinstance(upload.work.result, _Preview) else None
    work = ListWork(storing=True, rows=rows)
    storing = partial(node.import_list, upload.source, upload.name, upload.layout, accept_refused=accept, key=work.key)
    if upload.is_long:
        return _begin(visit, upload, work, storing)
    return _stored(visit, storing())


@router.get("/records/waiting/{upload_id}")
def get_waiting(visit: Visited, upload_id: str) -> Response:
    """Show how far a list is that is looked through or stored, and then what came of it."""
    upload = _find(visit, upload_id)
    if upload.work is None or upload.work.was_ended:
        return _look_through(visit, upload)
    if upload.busy:
        watched = _live_state(visit, upload.work)
        return visit.show("list_work.html", upload=upload, count=_count(visit, upload.work), mark=watched.mark)
    if not upload.work.storing:
        return _show(visit, upload, upload.work.outcome())
    work, upload.work = upload.work, None  # a list that could not be stored is looked through again
    return _stored(visit, work.outcome())


@router.get("/records/waiting/{upload_id}/live")
def get_live(visit: Visited, upload_id: str) -> Response:
    work = _find(visit, upload_id).work
    if work is None:
        raise InputError("file_not_waiting")
    work.is_watched = True
    return live(visit, lambda: _live_state(visit, work), _LOOK_SECONDS)


@router.post("/records/findings.csv")
def post_findings(visit: Visited, sent: Sent) -> Response:
    """Return all that was found in a list as a CSV file: line, record number, field and reason, no person's values."""
    upload = _kept(visit, sent)
    if upload.busy:
        return visit.go(_waiting(upload))
    return visit.give("findings.csv", visit.marked(visit.node().findings(upload.source, upload.layout)))


@router.get("/records/template.{form}")
def get_template(visit: Visited, form: str) -> Response:
    visit.need("records.check")
    if form not in TEMPLATES:
        raise NotFoundError("template_unknown")
    return visit.give(f"list.{form}", TEMPLATES[form]())


@router.get("/records/{import_id}/findings.csv")
def get_stored_findings(visit: Visited, import_id: str) -> Response:
    return visit.give("findings.csv", visit.marked(visit.node().stored_findings_file(identifier(import_id))))


@router.get("/records/{import_id}")
def get_import(visit: Visited, import_id: str) -> Response:
    entry, findings = _entry(visit, import_id), visit.node().stored_findings(identifier(import_id))
    changes = visit.records().difference(entry.import_id)
    return visit.show("import.html", entry=entry, found=None, findings=findings, changes=changes, most=_MOST)


@router.get("/records/{import_id}/all")
def get_all(visit: Visited, import_id: str) -> Response:
    """Show the records of a list, a page at a time; that they were looked at is logged."""
    visit.need("records.search")
    offset = whole_number(visit.request.query_params.get("offset", "")) or 0
    page, entry = visit.records().browse(identifier(import_id), offset), _entry(visit, import_id)
    after = offset + len(page.records)
    return visit.show(
        "list.html",
        entry=entry,
        page=page,
        earlier=max(0, offset - MOST_FOUND) if offset else None,
        later=after if after < page.total else None,
    )


@router.get("/records/{import_id}/duplicates")
def get_duplicates(visit: Visited, import_id: str) -> Response:
    entry, node = _entry(visit, import_id), visit.node()
    found, page = served_page(
        visit,
        lambda offset: node.duplicates(import_id, offset=offset, limit=_MOST),
        lambda part: (part.pairs, part.total),
        _MOST,
    )
    return visit.show("import.html", entry=entry, found=found, page=page, findings=None, changes=None, most=_MOST)


@router.post("/records/{import_id}/delete")
def post_delete(visit: Visited, _sent: Sent, import_id: str) -> Response:
    visit.node().delete_import(identifier(import_id))
    return visit.go("/records", "deleted")


@dataclass(frozen=True, slots=True)
class _Preview:
    """A list as the node reads it, or why it cannot be read in its layout."""

    report: RecordReport | None
    layout: LayoutView | None
    fault: Sentence | None

    @property
    def rows(self) -> int | None:
        """The number of its rows, where it could be read."""
        return self.report.accepted + self.report.refused if self.report else None


def _look_through(visit: Visit, upload: Upload) -> Response:
    """Show a file that waits as the node reads it; of a long one first how far that is."""
    if upload.busy:
        return visit.go(_waiting(upload))
    if not upload.is_long:
        return _show(visit, upload, _preview(visit.node(), upload, ""))
    work = ListWork(storing=False, rows=upload.lines())
    upload.rewind()
    return _begin(visit, upload, work, partial(_preview, visit.node(), upload, work.key))


def _preview(node: NodeClient, upload: Upload, key: str) -> _Preview:
    try:
        report = node.check(upload.source, upload.layout, key=key)
    except InputError as error:
        if error.sentence.code == "reading_ended":
            raise
        upload.rewind()
        layout = None
        with contextlib.suppress(InputError):  # its columns may be chosen where it can be read at all
            layout = node.recognize(upload.source, upload.layout)
        return _Preview(None, layout, error.sentence)
    return _Preview(report, report.layout, None)


def _show(visit: Visit, upload: Upload, preview: _Preview) -> Response:
    http = HTTPStatus.UNPROCESSABLE_ENTITY if preview.fault else HTTPStatus.OK
    return visit.show(
        "preview.html",
        http,
        upload=upload,
        report=preview.report,
        layout=preview.layout,
        fault=preview.fault,
        encodings=ENCODINGS,
        fields=FIELDS,
        most=_MOST,
        few=_FEW,
        limit=DEFAULT_LIMIT,
    )


def _begin(visit: Visit, upload: Upload, work: ListWork, does: Callable[[], Any]) -> Response:
    """Begin work in the background, and show how far it is."""
    upload.work = work
    work.start(does, visit.site.threads, partial(_ask, visit, upload, work))
    return visit.go(_waiting(upload))


def _ask(visit: Visit, upload: Upload, work: ListWork) -> bool:
    """Ask how far work is, and return whether its list still waits; nobody asks after a sign-out."""
    if visit.site.uploads.find(visit.session, upload.upload_id) is None:
        return False
    _count(visit, work)
    return True


def _waiting(upload: Upload) -> str:
    return f"/records/waiting/{upload.upload_id}"


def _stored(visit: Visit, report: RecordReport) -> Response:
    visit.site.uploads.drop(visit.session)
    return visit.go(f"/records/{report.import_id}", "stored")


def _count(visit: Visit, work: ListWork) -> Progress:
    """Return how many rows were read, of about how many."""
    with contextlib.suppress(NotFoundError):  # it has not begun, or is over by now
        work.seen = visit.node().reading_progress(work.key).rows
    return Progress(done=min(work.seen, work.rows or work.seen), of=work.rows or 0)


def _live_state(visit: Visit, work: ListWork) -> LiveState:
    if work.done:
        return LiveState("done", ended=True)
    count = _count(visit, work)
    text = f"{count.done}/{count.of}" if count.of else visit.language.number(count.done)
    return LiveState("working", {"rows": [count.done, count.of or 1], "rows-text": text})


def _kept(visit: Visit, sent: Sent) -> Upload:
    """Return the list that a form means; raises InputError if it does not wait any more."""
    return _find(visit, sent.text("upload_id"))


def _find(visit: Visit, upload_id: str) -> Upload:
    """Return a list of this session; raises as `_kept` does."""
    visit.need("records.check")
    upload = visit.site.uploads.find(visit.session, upload_id)
    if upload is None:
        raise InputError("file_not_waiting")
    return upload


def _entry(visit: Visit, import_id: str) -> ImportEntry:
    """Return a list; raises NotFoundError if there is no such list."""
    for entry in visit.node().imports().imports:
        if entry.import_id == import_id:
            return entry
    raise NotFoundError("import_unknown")
