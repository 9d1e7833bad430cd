"""The analysts' interface: hits, what is done with them, letters, withdrawals, erasures, and a person's own views."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from aquila.audit.roles import Action
from aquila.followup.lifecycle import LifecycleStepKind
from aquila.interface import hits as forms
from aquila.interface.approval import ApprovalEntry, OwnErasureRequests, PendingApproval
from services.kit.actor import Actor
from services.kit.approvals.routes import ApprovalId, FourEyes
from services.kit.http.routing import ServiceRoute
from services.kit.people.idempotency import ONCE
from services.kit.people.permissions import requires
from services.node import approvals
from services.node.api.dependencies import Node
from services.node.hits import changes, correspondence, follow_up, review, statistics
from services.node.records import erasure

MANY = tuple(
    f"/v1/hits/{name}" for name in ("decisions", "closings", "follow-ups", "correspondence", "letters", "assignments")
)
"""The calls that name many hits, or quote a letter that does."""
LARGEST_MANY = 512 << 10
"""Bytes of such a call: as many hits as one may name, or the longest letter."""

router = APIRouter(route_class=ServiceRoute, prefix="/v1", tags=["hits"])
Viewer = Annotated[Actor, requires(Action.SEE_HITS)]
Exporter = Annotated[Actor, requires(Action.EXPORT_HITS)]
Eraser = Annotated[Actor, requires(Action.ERASE_RECORD)]
Chief = Annotated[Actor, requires(Action.SEE_STATISTICS)]

_HIT = "/rounds/{round_id}/hits/{hit_id}"
Analyst = Annotated[Actor, requires(Action.DECIDE_HITS)]


@router.get("/hits", summary="Hits of all rounds, by a filter")
def get_hits(node: Node, actor: Viewer, wanted: Annotated[forms.HitFilter, Query()]) -> forms.HitPage:
    return review.hit_page(node, actor, forms.HitSearch.model_validate(wanted.model_dump()))


@router.get("/changes", summary="Rounds, queries and hits that changed since a cursor")
def get_changes(
    node: Node,
    actor: Annotated[Actor, requires(Action.SEE_QUERIES)],
    cursor: Annotated[forms.ChangeCursor, Query(description="That of the last answer; at first empty.")] = "",
    limit: Annotated[int, Query(ge=1, le=1_000, description="At most so many changes.")] = 500,
) -> forms.Changes:
    """Return changes, oldest first, each subject once as it is now; hits only to who may see hits."""
    return changes.changes_since(node.store, actor, cursor, limit)


@router.post("/hits/search", summary="Hits of all rounds, by a filter and a name")
def search_hits(node: Node, actor: Viewer, wanted: forms.HitSearch) -> forms.HitPage:
    """Return a page of hits; the name comes in the body, so that no address holds it."""
    return review.hit_page(node, actor, wanted)


@router.post("/hits/counts", summary="Own persons that each of some filters leaves")
def count_hits(node: Node, actor: Viewer, wanted: forms.HitCountsRequest) -> forms.HitCounts:
    return review.count(node.store, node.clock, actor, wanted)


@router.post("/hits/neighbours", summary="The persons before and after a hit's own in a list")
def get_neighbours(node: Node, actor: Viewer, wanted: forms.NeighboursRequest) -> forms.HitNeighbours:
    return review.neighbours(node.store, node.clock, actor, wanted)


@router.post("/hits/decisions", summary="Decide on several hits at once", dependencies=[ONCE])
def decide_many(node: Node, actor: Analyst, wanted: forms.ManyDecisionsRequest) -> forms.ManyDecisions:
    """Decide on hits that are chosen, or on all that a filter leaves."""
    return follow_up.decide_many(node.journal, node.rounds, actor, wanted)


@router.post("/hits/closings", summary="Close several hits at once with one outcome", dependencies=[ONCE])
def close_many(node: Node, actor: Analyst, wanted: forms.ManyClosingsRequest) -> forms.ManyClosings:
    """Close hits that are chosen, or all that a filter leaves and that can be closed now."""
    return follow_up.close_many(node.journal, node.rounds, actor, wanted)


@router.post("/hits/follow-ups", summary="Open a follow-up of several hits at once", dependencies=[ONCE])
def follow_up_many(node: Node, actor: Analyst, wanted: forms.ManyFollowUpsRequest) -> forms.ManyFollowUps:
    """Open follow-ups of hits that are chosen, or of all that a filter leaves and that are decided."""
    return follow_up.follow_up_many(node.journal, node.rounds, actor, wanted)


@router.get("/hits/follow-ups", summary="Own requests in follow-up, and received requests, with their clocks")
def get_follow_ups(node: Node, actor: Viewer) -> forms.FollowUps:
    """Return outbox and inbox; that a person looked at their hits is logged."""
    return correspondence.follow_ups(node, actor)


@router.post(
    "/hits/correspondence",
    summary="Record a letter about several hits: a reminder, a number, a reply",
    dependencies=[ONCE],
)
def record_correspondence(
    node: Node, actor: Analyst, wanted: forms.CorrespondenceRequest
) -> forms.CorrespondenceResult:
    """Record it at each hit where it is possible; hits are chosen, or named by a text that holds their references."""
    return correspondence.record(node, actor, wanted)


@router.get("/statistics", summary="The unit's own figures of its hits, exact")
def get_unit_figures(node: Node, _actor: Chief) -> forms.UnitFigures:
    return statistics.unit_figures(node.store, node.clock)


@router.get(
    "/picture", summary="The unit's own picture, exact: how far hits came, how old open work is, the newest list"
)
def get_unit_picture(
    node: Node, _actor: Chief, days: Annotated[int, Query(ge=1, le=36_500, description="Of hits that arrived.")] = 365
) -> forms.UnitPicture:
    return statistics.unit_picture(node.store, node.clock, days)


@router.post("/hits/letters", summary="One request to each party, about all of some hits in follow-up")
def make_letters(node: Node, actor: Exporter, wanted: forms.LettersRequest) -> forms.Letters:
    """Return the letters as drafts, or export them; either is logged."""
    return follow_up.letters(node, actor, wanted)


@router.get("/hits/colleagues", summary="People of this node who may look after hits")
def get_colleagues(node: Node, _actor: Viewer) -> forms.Colleagues:
    """Return colleagues with the names of their accounts."""
    return follow_up.list_colleagues(node.store)


@router.post("/hits/assignments", status_code=204, summary="Let a person look after hits", dependencies=[ONCE])
def assign(node: Node, actor: Analyst, wanted: forms.AssignmentRequest) -> None:
    """Assign hits to a colleague, to oneself, or to nobody."""
    follow_up.assign(node, actor, wanted)


@router.post("/hits/undo", summary="Undo an own decision that no other step followed", dependencies=[ONCE])
def undo(node: Node, actor: Analyst, wanted: forms.UndoRequest) -> forms.UndoResult:
    return follow_up.undo(node.journal, actor, wanted.number)


@router.post("/hits/export", summary="All hits that a filter leaves, with what was decided")
def export_hits(node: Node, actor: Exporter, wanted: forms.HitSearch) -> forms.HitExport:
    """Return hits to be exported; that they were is logged."""
    return review.export(node, actor, wanted)


@router.get(_HIT, summary="One hit with its history")
def get_hit(node: Node, actor: Viewer, round_id: str, hit_id: str) -> forms.HitView:
    return review.hit_with_others(node, actor, round_id, hit_id)


@router.post(f"{_HIT}/acknowledge", status_code=204, summary="Take a hit up", dependencies=[ONCE])
def acknowledge_hit(node: Node, actor: Analyst, round_id: str, hit_id: str) -> None:
    follow_up.take_step(node, actor, (round_id, hit_id), LifecycleStepKind.ACKNOWLEDGED)


@router.post(f"{_HIT}/decision", status_code=204, summary="Say whether it is the same person", dependencies=[ONCE])
def decide(node: Node, actor: Analyst, round_id: str, hit_id: str, wanted: forms.DecisionRequest) -> None:
    follow_up.take_step(
        node, actor, (round_id, hit_id), LifecycleStepKind.DECIDED, wanted.decision.value, remark=wanted.remark
    )


@router.post(f"{_HIT}/follow-up", status_code=204, summary="Open a follow-up", dependencies=[ONCE])
def open_follow_up(node: Node, actor: Analyst, round_id: str, hit_id: str, wanted: forms.FollowUpRequest) -> None:
    follow_up.take_step(
        node,
        actor,
        (round_id, hit_id),
        LifecycleStepKind.OPENED,
        wanted.channel.value,
        reference=wanted.reference,
        urgency=wanted.urgency,
        remark=wanted.remark,
    )


@router.post(f"{_HIT}/reference", status_code=204, summary="Note the channel's own number", dependencies=[ONCE])
def record_reference(node: Node, actor: Analyst, round_id: str, hit_id: str, wanted: forms.ReferenceRequest) -> None:
    follow_up.take_step(node, actor, (round_id, hit_id), LifecycleStepKind.REFERENCED, reference=wanted.reference)


@router.post(f"{_HIT}/permission", status_code=204, summary="Record a permission to export", dependencies=[ONCE])
def permit(node: Node, actor: Analyst, round_id: str, hit_id: str, wanted: forms.PermissionRequest) -> None:
    follow_up.take_step(
        node, actor, (round_id, hit_id), LifecycleStepKind.PERMITTED, reference=wanted.reference, remark=wanted.remark
    )


@router.post(f"{_HIT}/remarks", status_code=204, summary="Add a remark to a hit", dependencies=[ONCE])
def remark(node: Node, actor: Analyst, round_id: str, hit_id: str, wanted: forms.RemarkRequest) -> None:
    """Add a remark, which stays at this node."""
    follow_up.take_step(node, actor, (round_id, hit_id), LifecycleStepKind.REMARKED, remark=wanted.remark)


@router.post(f"{_HIT}/reply", status_code=204, summary="Record the counterpart's reply", dependencies=[ONCE])
def record_reply(node: Node, actor: Analyst, round_id: str, hit_id: str, wanted: forms.ReplyRequest) -> None:
    follow_up.record_reply(node, actor, (round_id, hit_id), wanted)


@router.post(f"{_HIT}/outcome", status_code=204, summary="Close a hit with what came of it", dependencies=[ONCE])
def close_hit(node: Node, actor: Analyst, round_id: str, hit_id: str, wanted: forms.CloseRequest) -> None:
    follow_up.take_step(
        node, actor, (round_id, hit_id), LifecycleStepKind.CLOSED, wanted.outcome.value, remark=wanted.remark
    )


@router.post(f"{_HIT}/reopening", status_code=204, summary="Reopen a closed hit", dependencies=[ONCE])
def reopen_hit(node: Node, actor: Analyst, round_id: str, hit_id: str, wanted: forms.ReopenRequest) -> None:
    follow_up.take_step(node, actor, (round_id, hit_id), LifecycleStepKind.REOPENED, remark=wanted.reason)


@router.post(
    f"{_HIT}/withdrawal",
    status_code=202,
    summary="Withdraw a hit on an own record",
    response_class=Response,
    dependencies=[ONCE],
)
def withdraw_hit(
    node: Node,
    actor: Annotated[Actor, requires(Action.WITHDRAW_HITS)],
    round_id: str,
    hit_id: str,
    wanted: forms.WithdrawRequest,
) -> None:
    """Withdraw a hit; the counterpart is informed."""
    follow_up.withdraw(node, actor, (round_id, hit_id), wanted)


@router.post("/erasures", summary="Erase a record without hits everywhere at this node")
def erase_record(node: Node, actor: Eraser, wanted: forms.ErasureRequest) -> forms.ErasureReport:
    """Erase a record; one with hits is refused, since a second person has to approve that."""
    return erasure.erase_record(node, actor, wanted.record_id)


@router.post(
    "/erasure-requests", status_code=202, summary="Ask for the erasure of a record with its hits", dependencies=[ONCE]
)
def ask_erasure(node: Node, four_eyes: FourEyes, actor: Eraser, wanted: forms.ErasureProposal) -> PendingApproval:
    """Store a request for an erasure, for a second person to approve; then the counterparts are informed."""
    return approvals.ask_erasure(node, four_eyes, actor, wanted)


@router.get("/erasure-requests", summary="The erasures that a person asked for")
def get_erasure_requests(four_eyes: FourEyes, actor: Eraser) -> OwnErasureRequests:
    """List the caller's own requests: those that wait first, then the newest."""
    return approvals.own_erasures(four_eyes, actor)


@router.post("/erasure-requests/{approval_id}/withdraw", summary="Take back an own request for an erasure")
def withdraw_erasure(four_eyes: FourEyes, actor: Eraser, approval_id: ApprovalId) -> ApprovalEntry:
    """End a request that waits; the record and its hits stay."""
    return approvals.withdraw_erasure(four_eyes, actor, approval_id)


@router.get(f"{_HIT}/letter", summary="The request of a follow-up as it would be exported")
def read_letter(node: Node, actor: Exporter, round_id: str, hit_id: str) -> forms.LetterView:
    """Return the letter before it is exported; that the hit was looked at is logged."""
    return follow_up.draft_letter(node, actor, (round_id, hit_id))


@router.post(f"{_HIT}/letter", summary="The request of a follow-up, references only")
def write_letter(node: Node, actor: Exporter, round_id: str, hit_id: str) -> forms.LetterView:
    """Return the letter, and note that it was exported."""
    return follow_up.write_letter(node, actor, (round_id, hit_id))


filters_router = APIRouter(route_class=ServiceRoute, prefix="/v1/hit-views", tags=["hits"])

ViewId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


@filters_router.get("", summary="The person's own views of hits")
def get_views(node: Node, actor: Viewer) -> forms.SavedFilters:
    return review.list_views(node.store, actor)


@filters_router.post("", status_code=201, summary="Keep a view of hits under a name")
def post_view(node: Node, actor: Viewer, wanted: forms.NewFilter) -> forms.SavedFilterView:
    return review.save_view(node.store, node.random, actor, wanted)


@filters_router.delete("/{view_id}", status_code=204, summary="Remove an own view")
def delete_view(node: Node, actor: Viewer, view_id: ViewId) -> None:
    review.remove_view(node.store, actor, view_id)
