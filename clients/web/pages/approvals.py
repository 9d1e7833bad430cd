"""Four eyes: what waits for a second person, read in full, then approved, refused or taken back."""

import contextlib

from fastapi import APIRouter, Response

from aquila.errors import OrderError
from aquila.interface.approval import ApprovalEntry, ApprovalKind, ApprovalState, ApprovalView
from aquila.interface.queries import AskedPersons
from aquila.interface.records import ListDifference
from aquila.interface.safeguard import Safeguards
from aquila.protocol.messages import Kind, Manifest
from aquila.sentences import Sentence
from clients.sdk import ApprovalClient
from clients.web.app.navigation import identifier
from clients.web.app.paging import page_of
from clients.web.app.visit import PageRoute, Sent, Visit, Visited
from services.kit.errors import NotFoundError

router = APIRouter(route_class=PageRoute)
_PAGE = 20


@router.get("/approvals")
def get_approvals(visit: Visited) -> Response:
    found = _client(visit).approvals().approvals
    return visit.show(
        "approvals.html",
        waiting=[one for one in found if one.state is ApprovalState.WAITING],
        decided=page_of(visit, [one for one in found if one.state is not ApprovalState.WAITING], _PAGE),
    )


@router.get("/approvals/{approval_id}")
def get_approval(visit: Visited, approval_id: str) -> Response:
    view = _client(visit).show(identifier(approval_id))
    content = view.content
    persons, gone = _persons(visit, view)
    described = view.entry.kind in {ApprovalKind.CONSENT, ApprovalKind.PROPOSAL}
    return visit.show(
        "approval.html",
        entry=view.entry,
        content=content,
        manifest=Manifest.model_validate(content["manifest"], strict=False) if described else None,
        waits=view.entry.state is ApprovalState.WAITING,
        guards=_guards(visit, view.entry),
        changes=_changes(visit, view),
        persons=persons,
        persons_gone=gone,
    )


@router.post("/approvals/{approval_id}/approve")
def post_approve(visit: Visited, sent: Sent, approval_id: str) -> Response:
    """Approve exactly the content that the page showed: its form carries that content's digest."""
    visit.need("approvals.decide")
    sent.need_tick("read")
    _client(visit).approve(identifier(approval_id), sent.text("digest"))
    return visit.go("/approvals", "approved")


@router.post("/approvals/{approval_id}/refuse")
def post_refuse(visit: Visited, sent: Sent, approval_id: str) -> Response:
    _client(visit).refuse(identifier(approval_id), sent.text("reason"))
    return visit.go("/approvals", "refused")


@router.post("/approvals/{approval_id}/withdraw")
def post_withdraw(visit: Visited, _sent: Sent, approval_id: str) -> Response:
    _client(visit).withdraw(identifier(approval_id))
    return visit.go("/approvals" if visit.may("approvals.see") else "/registry", "taken-back")


def _persons(visit: Visit, view: ApprovalView) -> tuple[AskedPersons | None, Sentence | None]:
    """Return the persons for whom a request that waits asks, or why they cannot be shown; neither of another request.

    The look is an entry of the log.
    """
    asks = "import" in view.content and view.content.get("submission_kind") != Kind.LIST.value
    if not asks or view.entry.state is not ApprovalState.WAITING:
        return None, None
    try:
        return _client(visit).persons(view.entry.approval_id), None
    except (NotFoundError, OrderError) as error:
        return None, error.sentence


def _changes(visit: Visit, view: ApprovalView) -> ListDifference | None:
    """Return the difference of the list that shall be submitted to the one before; None where it is gone."""
    if view.entry.kind is not ApprovalKind.SUBMISSION or not view.content or not visit.may("records.list"):
        return None
    with contextlib.suppress(NotFoundError):
        return visit.records().difference(view.content["import"]["import_id"])
    return None


def _guards(visit: Visit, entry: ApprovalEntry) -> Safeguards | None:
    """Return the evaluations of earlier rounds, for a decision on a consent or on sending a list or a query."""
    asked = entry.kind in {ApprovalKind.CONSENT, ApprovalKind.SUBMISSION} and entry.state is ApprovalState.WAITING
    return visit.node().safeguards(entry.round_id) if entry.round_id and asked and visit.may("rounds.see") else None


def _client(visit: Visit) -> ApprovalClient:
    return ApprovalClient(visit.connection())
