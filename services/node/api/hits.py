"""The analysts' interface: hits, what is done with them, letters, withdrawals, erasures, and a person's own views."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from aquila.audit.roles import Action
from aquila.followup.lifecycle import LifecycleStepKind
from aquila.interface.approval import ApprovalEntry, OwnErasureRequests, PendingApproval
from aquila.interface.hits import (
    AssignmentRequest,
    CloseRequest,
    Colleagues,
    DecisionRequest,
    ErasureProposal,
    ErasureReport,
    ErasureRequest,
    FollowUpRequest,
    HitExport,
    HitFilter,
    HitPage,
    HitSearch,
    HitView,
    LetterView,
    ManyClosings,
    ManyClosingsRequest,
    ManyDecisions,
    ManyDecisionsRequest,
    NewFilter,
    PermissionRequest,
    ReferenceRequest,
    RemarkRequest,
    ReopenRequest,
    ReplyRequest,
    SavedFilters,
    SavedFilterView,
    UndoRequest,
    UndoResult,
    WithdrawRequest,
)
from services.kit.actor import Actor
from services.kit.approvals.routes import ApprovalId
from services.kit.http.routing import ServiceRoute
from services.kit.people.permissions import requires
from services.node import approvals
from services.node.api.dependencies import node_of
from services.node.hits import decisions, follow_up, review, saved_filters, views
from services.node.records import erasure

router = APIRouter(route_class=ServiceRoute, prefix="/v1", tags=["hits"])

_HIT = "/rounds/{round_id}/hits/{hit_id}"
Analyst = Annotated[Actor, requires(Action.DECIDE_HITS)]


@router.get("/hits", summary="Hits of all rounds, by a filter")
def get_hits(
    request: Request, actor: Annotated[Actor, requires(Action.SEE_HITS)], wanted: Annotated[HitFilter, Query()]
) -> HitPage:
    """Return a page of hits."""
    return review.hit_page(node_of(request), actor, HitSearch.model_validate(wanted.model_dump()))


@router.post("/hits/search", summary="Hits of all rounds, by a filter and a name")
def search_hits(request: Request, actor: Annotated[Actor, requires(Action.SEE_HITS)], wanted: HitSearch) -> HitPage:
    """Return a page of hits; the name comes in the body, so that no address holds it."""
    return review.hit_page(node_of(request), actor, wanted)


@router.post("/hits/decisions", summary="Decide on several hits at once")
def decide_many(request: Request, actor: Analyst, wanted: ManyDecisionsRequest) -> ManyDecisions:
    """Decide on hits that are chosen, or on all that a filter leaves."""
    node = node_of(request)
    return decisions.decide_many(node.journal, node.rounds, actor, wanted)


@router.post("/hits/closings", summary="Close several hits at once with one outcome")
def close_many(request: Request, actor: Analyst, wanted: ManyClosingsRequest) -> ManyClosings:
    """Close hits that are chosen, or all that a filter leaves and that can be closed now."""
    node = node_of(request)
    return decisions.close_many(node.journal, node.rounds, actor, wanted)


@router.get("/hits/colleagues", summary="People of this node who may look after hits")
def get_colleagues(request: Request, _actor: Annotated[Actor, requires(Action.SEE_HITS)]) -> Colleagues:
    """Return colleagues with the names of their accounts."""
    return follow_up.list_colleagues(node_of(request).store)


@router.post("/hits/assignments", status_code=204, summary="Let a person look after hits", response_class=Response)
def assign(request: Request, actor: Analyst, wanted: AssignmentRequest) -> None:
    """Assign hits to a colleague, to oneself, or to nobody."""
    follow_up.assign(node_of(request), actor, wanted)


@router.post("/hits/undo", summary="Undo an own decision that no other step followed")
def undo(request: Request, actor: Analyst, wanted: UndoRequest) -> UndoResult:
    """Undo a decision on one hit or on several."""
    return decisions.undo(node_of(request).journal, actor, wanted.number)


@router.post("/hits/export", summary="All hits that a filter leaves, with what was decided")
def export_hits(
    request: Request, actor: Annotated[Actor, requires(Action.EXPORT_HITS)], wanted: HitSearch
) -> HitExport:
    """Return hits to be exported; that they were is logged."""
    return review.export(node_of(request), actor, wanted)


@router.get(_HIT, summary="One hit with its history")
def get_hit(
    request: Request, actor: Annotated[Actor, requires(Action.SEE_HITS)], round_id: str, hit_id: str
) -> HitView:
    """Return a hit."""
    return views.hit_view(node_of(request), actor, round_id, hit_id)


@router.post(f"{_HIT}/acknowledge", status_code=204, summary="Take a hit up", response_class=Response)
def acknowledge_hit(request: Request, actor: Analyst, round_id: str, hit_id: str) -> None:
    """Acknowledge a hit."""
    follow_up.take_step(node_of(request), actor, (round_id, hit_id), LifecycleStepKind.ACKNOWLEDGED)


@router.post(f"{_HIT}/decision", status_code=204, summary="Say whether it is the same person", response_class=Response)
def decide(request: Request, actor: Analyst, round_id: str, hit_id: str, wanted: DecisionRequest) -> None:
    """Decide on a hit."""
    follow_up.take_step(
        node_of(request),
        actor,
        (round_id, hit_id),
        LifecycleStepKind.DECIDED,
        wanted.decision.value,
        remark=wanted.remark,
    )


@router.post(f"{_HIT}/follow-up", status_code=204, summary="Open a follow-up", response_class=Response)
def open_follow_up(request: Request, actor: Analyst, round_id: str, hit_id: str, wanted: FollowUpRequest) -> None:
    """Open a follow-up by an existing channel."""
    follow_up.take_step(
        node_of(request),
        actor,
        (round_id, hit_id),
        LifecycleStepKind.OPENED,
        wanted.channel.value,
        reference=wanted.reference,
        urgency=wanted.urgency,
        remark=wanted.remark,
    )


@router.post(f"{_HIT}/reference", status_code=204, summary="Note the channel's own number", response_class=Response)
def record_reference(request: Request, actor: Analyst, round_id: str, hit_id: str, wanted: ReferenceRequest) -> None:
    """Note the number of a follow-up in its channel."""
    follow_up.take_step(
        node_of(request), actor, (round_id, hit_id), LifecycleStepKind.REFERENCED, reference=wanted.reference
    )


@router.post(f"{_HIT}/permission", status_code=204, summary="Record a permission to export", response_class=Response)
def permit(request: Request, actor: Analyst, round_id: str, hit_id: str, wanted: PermissionRequest) -> None:
    """Record the originator's permission."""
    follow_up.take_step(
        node_of(request),
        actor,
        (round_id, hit_id),
        LifecycleStepKind.PERMITTED,
        reference=wanted.reference,
        remark=wanted.remark,
    )


@router.post(f"{_HIT}/remarks", status_code=204, summary="Add a remark to a hit", response_class=Response)
def remark(request: Request, actor: Analyst, round_id: str, hit_id: str, wanted: RemarkRequest) -> None:
    """Add a remark, which stays at this node."""
    follow_up.take_step(node_of(request), actor, (round_id, hit_id), LifecycleStepKind.REMARKED, remark=wanted.remark)


@router.post(f"{_HIT}/reply", status_code=204, summary="Record the counterpart's reply", response_class=Response)
def record_reply(request: Request, actor: Analyst, round_id: str, hit_id: str, wanted: ReplyRequest) -> None:
    """Record date and number of the reply to a follow-up."""
    follow_up.record_reply(node_of(request), actor, (round_id, hit_id), wanted)


@router.post(f"{_HIT}/outcome", status_code=204, summary="Close a hit with what came of it", response_class=Response)
def close_hit(request: Request, actor: Analyst, round_id: str, hit_id: str, wanted: CloseRequest) -> None:
    """Close a hit."""
    follow_up.take_step(
        node_of(request),
        actor,
        (round_id, hit_id),
        LifecycleStepKind.CLOSED,
        wanted.outcome.value,
        remark=wanted.remark,
    )


@router.post(f"{_HIT}/reopening", status_code=204, summary="Reopen a closed hit", response_class=Response)
def reopen_hit(request: Request, actor: Analyst, round_id: str, hit_id: str, wanted: ReopenRequest) -> None:
    """Reopen a closed hit with a reason."""
    follow_up.take_step(node_of(request), actor, (round_id, hit_id), LifecycleStepKind.REOPENED, remark=wanted.reason)


@router.post(f"{_HIT}/withdrawal", status_code=202, summary="Withdraw a hit on an own record", response_class=Response)
def withdraw_hit(
    request: Request,
    actor: Annotated[Actor, requires(Action.WITHDRAW_HITS)],
    round_id: str,
    hit_id: str,
    wanted: WithdrawRequest,
) -> None:
    """Withdraw a hit; the counterpart is informed."""
    follow_up.withdraw(node_of(request), actor, (round_id, hit_id), wanted)


@router.post("/erasures", summary="Erase a record without hits everywhere at this node")
def erase_record(
    request: Request, actor: Annotated[Actor, requires(Action.ERASE_RECORD)], wanted: ErasureRequest
) -> ErasureReport:
    """Erase a record; one with hits is refused, since a second person has to approve that."""
    return erasure.erase_record(node_of(request), actor, wanted.record_id)


@router.post("/erasure-requests", status_code=202, summary="Ask for the erasure of a record with its hits")
def ask_erasure(
    request: Request, actor: Annotated[Actor, requires(Action.ERASE_RECORD)], wanted: ErasureProposal
) -> PendingApproval:
    """Store a request for an erasure, for a second person to approve; then the counterparts are informed."""
    return approvals.ask_erasure(node_of(request), request.app.state.approvals, actor, wanted)


@router.get("/erasure-requests", summary="The erasures that a person asked for")
def get_erasure_requests(
    request: Request, actor: Annotated[Actor, requires(Action.ERASE_RECORD)]
) -> OwnErasureRequests:
    """List the caller's own requests: those that wait first, then the newest."""
    return approvals.own_erasures(request.app.state.approvals, actor)


@router.post("/erasure-requests/{approval_id}/withdraw", summary="Take back an own request for an erasure")
def withdraw_erasure(
    request: Request, actor: Annotated[Actor, requires(Action.ERASE_RECORD)], approval_id: ApprovalId
) -> ApprovalEntry:
    """End a request that waits; the record and its hits stay."""
    return approvals.withdraw_erasure(request.app.state.approvals, actor, approval_id)


@router.get(f"{_HIT}/letter", summary="The request of a follow-up as it would be exported")
def read_letter(
    request: Request, actor: Annotated[Actor, requires(Action.EXPORT_HITS)], round_id: str, hit_id: str
) -> LetterView:
    """Return the letter before it is exported; that the hit was looked at is logged."""
    return follow_up.draft_letter(node_of(request), actor, (round_id, hit_id))


@router.post(f"{_HIT}/letter", summary="The request of a follow-up, references only")
def write_letter(
    request: Request, actor: Annotated[Actor, requires(Action.EXPORT_HITS)], round_id: str, hit_id: str
) -> LetterView:
    """Return the letter, and note that it was exported."""
    return follow_up.write_letter(node_of(request), actor, (round_id, hit_id))


filters_router = APIRouter(route_class=ServiceRoute, prefix="/v1/hit-views", tags=["hits"])

Reader = Annotated[Actor, requires(Action.SEE_HITS)]
ViewId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


@filters_router.get("", summary="The person's own views of hits")
def get_views(request: Request, actor: Reader) -> SavedFilters:
    """List the views that the person keeps."""
    return saved_filters.list_views(node_of(request).store, actor)


@filters_router.post("", status_code=201, summary="Keep a view of hits under a name")
def post_view(request: Request, actor: Reader, wanted: NewFilter) -> SavedFilterView:
    """Keep a view."""
    return saved_filters.save_view(node_of(request).store, node_of(request).random, actor, wanted)


@filters_router.delete("/{view_id}", status_code=204, summary="Remove an own view", response_class=Response)
def delete_view(request: Request, actor: Reader, view_id: ViewId) -> None:
    """Remove a view."""
    saved_filters.remove_view(node_of(request).store, actor, view_id)
