"""The operator's interface: handlers store requests and show stored state.

A list that comes with a call is spooled to a file, and read as long as its caller is there.
"""

import asyncio
import tempfile
from collections.abc import Callable
from typing import Annotated, BinaryIO, TypeVar

from fastapi import APIRouter, Depends, Query, Request, Response

import aquila
from aquila.audit.roles import Action
from aquila.interface import records as forms
from aquila.interface.approval import PendingApproval
from aquila.interface.attention import AttentionList
from aquila.interface.rounds import (
    AbortReason,
    Categories,
    ConsentRequest,
    Hits,
    NodeRoundView,
    NodeStatus,
    RoundPage,
    SubmissionRequest,
)
from aquila.protocol.messages import Kind
from aquila.records.reading.endable import EndableFile
from aquila.records.reading.layouts import Encoding, Format, Layout
from services.kit.actor import Actor
from services.kit.approvals.routes import FourEyes
from services.kit.http.openapi import CSV, LINES, ODS, XLSX, raw_answer, raw_body
from services.kit.http.routing import Limit, Offset, Ongoing, ServiceRoute, file_response
from services.kit.people.idempotency import ONCE
from services.kit.people.permissions import requires
from services.kit.serving.notifications.waiting import failing
from services.kit.settings import MEBIBYTE
from services.kit.storage.files import leave_room
from services.kit.work import threads
from services.kit.work.memory import PATIENCE, ListsInProgress
from services.node import approvals
from services.node.api.dependencies import NamesChecked, Node, texts_of
from services.node.context import NodeContext
from services.node.hits import views as hit_views
from services.node.records import comparisons, imports, list_reading, search
from services.node.rounds import attention, requests, views
from services.node.settings import NodeSettings

router = APIRouter(route_class=ServiceRoute, prefix="/v1", tags=["operator"])
Asker = Annotated[Actor, requires(Action.ASK_SUBMISSION)]
_ESTIMATED = ConsentRequest()

LISTS = ("/v1/records/recognize", "/v1/records/check", "/v1/records/findings", "/v1/imports")
"""Where lists come in, which are streamed to a file and not read into memory."""
_LIST = raw_body("A list of persons (schemas/records).", CSV, LINES, XLSX, ODS, required=False)

Name = Annotated[str, Query(max_length=200)]
Delivery = Annotated[
    str | None, Query(pattern="^[0-9a-f]{32}$", description="A list file that was delivered, in place of a body.")
]


ProgressKey = Annotated[
    str | None,
    Query(
        pattern="^[0-9a-f]{32}$",
        description="A random key, under which the list's progress is shown. A check under a key ends when nobody has "
        f"asked for that for {PATIENCE:.0f} seconds.",
    ),
]


async def _layout(
    file_format: Annotated[
        Format | None, Query(alias="format", description="The format of the list; recognized if it is not given.")
    ] = None,
    encoding: Annotated[
        Encoding | None, Query(description="The encoding of its text; recognized if it is not given.")
    ] = None,
    sheet: Annotated[
        int | None,
        Query(ge=1, le=1_000, description="The sheet of a spreadsheet; by default the first with a known column."),
    ] = None,
    columns: Annotated[
        str | None,
        Query(
            max_length=8_000,
            pattern=r"^[a-z_,]*$",
            description="The field of each column, parted by commas, empty for one that is not read; by default those "
            "that were chosen for a list with the same headings, or else the headings are names of fields.",
        ),
    ] = None,
    heading: Annotated[
        int | None,
        Query(
            ge=1,
            le=1_000_000,
            description="The line of the headings; by default the one of the first lines that names most fields.",
        ),
    ] = None,
) -> Layout:
    fields = None if columns is None else tuple(name or None for name in columns.split(","))
    return Layout(file_format, encoding, sheet, fields, heading)


ListLayout = Annotated[Layout, Depends(_layout)]


@router.get("/categories", summary="Categories of persons", dependencies=[requires(Action.SEE_ROUNDS)])
def get_categories(node: Node) -> Categories:
    """Return those of the templates in the registry in force, in their languages."""
    return Categories.of(node.templates)


@router.get("/status", summary="The node at a glance", dependencies=[requires(Action.SEE_STATUS)])
def get_status(node: Node) -> NodeStatus:
    """Return the node's identity, and whether it reaches the matcher."""
    failing_since, _ = failing(node.store)
    seen = views.status(node, aquila.__version__)
    return seen.model_copy(update={"notifications_failing_since": failing_since})


@router.get("/needs", summary="What rounds need of the node's people", dependencies=[requires(Action.SEE_ROUNDS)])
def get_needs(node: Node) -> AttentionList:
    """Return alarms and duties, the most pressing first."""
    return attention.attention_list(node.journal)


@router.post(
    "/records/recognize",
    summary="Recognize how a list is to be read",
    dependencies=[requires(Action.CHECK_RECORDS)],
    openapi_extra=_LIST,
)
async def recognize_records(
    request: Request, node: Node, layout: ListLayout, delivery: Delivery = None
) -> forms.LayoutView:
    """Return the layout of the list in the body, its headings, and the fields that they were chosen for or may be."""
    return await read_sent_list(request, node, delivery, lambda file: imports.recognize_list(node, file, layout))


@router.post(
    "/records/check",
    summary="Check a list without storing it",
    dependencies=[requires(Action.CHECK_RECORDS)],
    openapi_extra=_LIST,
)
async def check_records(
    request: Request,
    node: Node,
    layout: ListLayout,
    rules: Name = "default",
    delivery: Delivery = None,
    progress: ProgressKey = None,
) -> forms.RecordReport:
    """Read the list in the body and return its findings."""
    return await read_sent_list(
        request, node, delivery, lambda file: imports.check_list(node, file, layout, rules, progress), progress
    )


@router.get(
    "/records/progress/{key}",
    summary="How far a list is that is read now",
    dependencies=[requires(Action.CHECK_RECORDS)],
)
def get_reading_progress(node: Node, key: str) -> forms.ReadingProgress:
    """Return how many rows of the list were read that is checked or stored under this key."""
    return node.lists.find(key)


@router.post(
    "/records/findings",
    summary="All that is wrong with a list, as CSV",
    response_class=Response,
    dependencies=[requires(Action.CHECK_RECORDS)],
    responses=raw_answer("Every finding: line, record number, field, reason and what is written there.", CSV),
    openapi_extra=_LIST,
)
async def get_findings(request: Request, node: Node, layout: ListLayout, delivery: Delivery = None) -> Response:
    """Read the list in the body and return every finding: line, record number, field, reason and what is written."""
    found = await read_sent_list(request, node, delivery, lambda file: list_reading.findings_file(node, file, layout))
    return file_response(found, "text/csv; charset=utf-8")


@router.post("/imports", status_code=201, summary="Store a list", openapi_extra=_LIST, dependencies=[ONCE])
async def import_records(
    request: Request,
    node: Node,
    actor: Annotated[Actor, requires(Action.IMPORT_RECORDS)],
    name: Name,
    layout: ListLayout,
    *,
    accept_refused: bool = False,
    delivery: Delivery = None,
    progress: ProgressKey = None,
) -> forms.RecordReport:
    """Store the list in the body, or one that was delivered, which leaves its folder.

    Nothing is stored where rows are refused and that was not accepted.
    """
    with await sent_list(request, node, delivery) as stream:
        report = await threads.run_call(
            imports.import_list, node, actor, stream, name, layout, accept_refused=accept_refused, key=progress
        )
    if delivery is not None:
        await threads.run_call(list_reading.remove_stored, node, delivery)
    return report


@router.get("/deliveries", summary="The list files that were delivered", dependencies=[requires(Action.CHECK_RECORDS)])
def get_deliveries(node: Node) -> forms.Deliveries:
    return list_reading.list_deliveries(node)


@router.delete(
    "/deliveries/{delivery_id}",
    status_code=204,
    summary="Remove a list file that was delivered",
    dependencies=[requires(Action.IMPORT_RECORDS)],
)
def delete_delivery(node: Node, delivery_id: str) -> None:
    """Remove a file from the node's folder without storing it."""
    list_reading.remove_delivery(node, delivery_id)


@router.get("/imports", summary="The stored lists", dependencies=[requires(Action.LIST_RECORDS)])
def get_imports(node: Node) -> forms.Imports:
    return imports.list_imports(node.store)


@router.get(
    "/imports/{import_id}/findings",
    summary="The findings about a stored list",
    dependencies=[requires(Action.LIST_RECORDS)],
)
def get_stored_findings(node: Node, import_id: str) -> forms.Findings:
    """Return the first findings that the list's file had when it was stored."""
    return list_reading.stored_findings(node.store, import_id)


@router.get(
    "/imports/{import_id}/findings.csv",
    summary="All findings about a stored list, as CSV",
    response_class=Response,
    dependencies=[requires(Action.LIST_RECORDS)],
    responses=raw_answer("Every finding: line, record number, field and reason.", CSV),
)
def get_stored_findings_file(node: Node, import_id: str) -> Response:
    """Return every finding that the list's file had when it was stored."""
    found = list_reading.stored_findings_file(node.settings.home, node.store, import_id)
    return file_response(found, "text/csv; charset=utf-8")


@router.get("/imports/{import_id}/duplicates", summary="Likely duplicates of a stored list")
def get_duplicates(
    node: Node,
    actor: Annotated[Actor, requires(Action.COMPARE_RECORDS)],
    import_id: str,
    rules: Name = "default",
    offset: Offset = 0,
    limit: Limit = None,
) -> forms.DuplicateRecords:
    """Search a stored list for records that are likely the same person; all pairs that are named, or a part of them."""
    return comparisons.list_duplicates(node, actor, import_id, rules, offset, limit)


@router.delete("/imports/{import_id}", status_code=204, summary="Delete a stored list")
def delete_import(node: Node, actor: Annotated[Actor, requires(Action.DELETE_RECORDS)], import_id: str) -> None:
    """Delete a list that no open round uses."""
    imports.delete_import(node.journal, actor, import_id)


@router.get("/rounds", summary="The rounds that the node knows", dependencies=[requires(Action.SEE_ROUNDS)])
def get_rounds(node: Node, offset: Offset = 0, limit: Limit = None, *, ongoing: Ongoing = False) -> RoundPage:
    return views.rounds(node.store, offset, limit, ongoing=ongoing)


@router.get("/rounds/{round_id}", summary="One round", dependencies=[requires(Action.SEE_ROUNDS)])
def get_round(node: Node, round_id: str) -> NodeRoundView:
    return views.round_view(node, round_id)


@router.post("/rounds/{round_id}/consent", status_code=202, summary="Ask for a consent to a round", dependencies=[ONCE])
async def ask_consent(
    node: Node,
    four_eyes: FourEyes,
    actor: Annotated[Actor, requires(Action.ASK_CONSENT)],
    round_id: str,
    wanted: ConsentRequest = _ESTIMATED,
) -> PendingApproval:
    """Store a request for a consent, for a second person to approve."""
    return await threads.run_call(approvals.ask_consent, node, four_eyes, actor, round_id, wanted)


@router.post(
    "/rounds/{round_id}/submissions",
    status_code=202,
    summary="Ask for the submission of a list or a query",
    dependencies=[ONCE],
)
async def ask_submission(
    node: Node,
    four_eyes: FourEyes,
    actor: Asker,
    round_id: str,
    wanted: SubmissionRequest,
    *,
    names_checked: NamesChecked = False,
) -> PendingApproval:
    """Store a request for a submission, for a second person to approve."""

    def ask() -> PendingApproval:
        asked = wanted.import_id if wanted.kind is Kind.QUERY else None
        search.check_texts(node.store, texts_of(wanted.justification), asked=asked, confirmed=names_checked)
        return approvals.ask_submission(node, four_eyes, actor, round_id, wanted)

    requested = await threads.run_call(ask)
    four_eyes.wake()  # as for queries
    return requested


@router.get("/rounds/{round_id}/hits", summary="The hits of a round")
def get_round_hits(node: Node, actor: Annotated[Actor, requires(Action.SEE_HITS)], round_id: str) -> Hits:
    """Return the hits, each with the node's own record."""
    return hit_views.hits(node, actor, round_id)


@router.post(
    "/rounds/{round_id}/close",
    status_code=202,
    summary="Destroy the keys of a round",
    response_class=Response,
    dependencies=[ONCE],
)
async def close_round(node: Node, actor: Annotated[Actor, requires(Action.CLOSE_ROUND)], round_id: str) -> Response:
    """Store that the operator wants the round's keys destroyed."""
    await threads.run_call(requests.request_close, node.journal, node.rounds, actor, round_id)
    return _accepted(node)


@router.post(
    "/rounds/{round_id}/abort", status_code=202, summary="Leave a round", response_class=Response, dependencies=[ONCE]
)
async def abort_round(
    node: Node,
    actor: Annotated[Actor, requires(Action.ABORT_ROUND)],
    round_id: str,
    reason: AbortReason,
    *,
    names_checked: NamesChecked = False,
) -> Response:
    """Store that the operator leaves the round."""
    journal = node.journal

    def ask() -> None:
        search.check_texts(journal.store, texts_of(reason), confirmed=names_checked)
        requests.request_abort(journal, actor, round_id, reason.reason)

    await threads.run_call(ask)
    return _accepted(node)


def _accepted(node: NodeContext) -> Response:
    node.wake()
    return Response(status_code=202)


R = TypeVar("R")

_LOOK_SECONDS = 1.0


async def read_sent_list(
    request: Request, node: NodeContext, delivery: str | None, work: Callable[[BinaryIO], R], key: str | None = None
) -> R:
    """Do work on a list that stores nothing; it ends with its caller.

    The caller is gone when the connection is closed, the call is given up, or nobody asks for the progress any more.
    """
    with await sent_list(request, node, delivery) as stream, EndableFile(stream) as file:
        watching = asyncio.create_task(_end_with_caller(request, node.lists, file, key))
        try:
            return await threads.run_call(work, file)
        finally:
            watching.cancel()
            file.end()  # a thread that a call has given up still reads


async def _end_with_caller(request: Request, lists: ListsInProgress, file: EndableFile, key: str | None) -> None:
    is_gone = False
    while not is_gone:
        await asyncio.sleep(_LOOK_SECONDS)
        is_gone = lists.is_forgotten(key) or await request.is_disconnected()
    file.end()


async def sent_list(request: Request, node: NodeContext, delivery: str | None) -> BinaryIO:
    """Return the list that a call is about: the body, or a file that was delivered."""
    if delivery is None:
        return await _spooled(request, node.settings)
    return await threads.run_call(list_reading.open_delivery, node, delivery)


async def _spooled(request: Request, settings: NodeSettings) -> BinaryIO:
    """Return the body as a file: a list is read row by row in a thread, and may be larger than memory.

    The file has no name on the disk, so that a crash leaves nothing of it.
    """
    spool: BinaryIO = tempfile.TemporaryFile(dir=settings.home)  # noqa: SIM115 - the caller closes it
    try:
        async for piece in request.stream():
            leave_room(settings.home, len(piece), settings.limits.free_mebibytes * MEBIBYTE)
            await threads.run_call(spool.write, piece)
        await threads.run_call(spool.seek, 0)
    except BaseException:
        spool.close()
        raise
    return spool
