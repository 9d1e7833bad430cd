"""The calls of four eyes, the same at node and matcher: see what waits, approve, refuse, withdraw."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from aquila.audit.roles import Action
from aquila.interface.approval import ApprovalEntry, ApprovalView, Approve, Refuse
from aquila.interface.approval import Approvals as ApprovalList
from services.kit.actor import Actor
from services.kit.approvals import decisions, requests
from services.kit.approvals.requests import Approvals
from services.kit.http.routing import ServiceRoute, state_part
from services.kit.people.permissions import requires
from services.kit.work import threads

router = APIRouter(route_class=ServiceRoute, prefix="/v1/approvals", tags=["approvals"])


FourEyes = Annotated[Approvals, state_part("approvals")]
"""Four eyes at the service that a request came to, as an argument of a route."""
Reader = Annotated[Actor, requires(Action.SEE_APPROVALS)]
Author = Annotated[Actor, requires(Action.WITHDRAW_REQUEST)]
Second = Annotated[Actor, requires(Action.DECIDE_APPROVALS)]
Waiting = Annotated[bool, Query(description="Only requests that are not decided.")]
OfRound = Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$", description="Only requests about this round.")]
ApprovalId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


@router.get("", summary="What waits for a second person, and what was decided")
def get_approvals(
    approvals: FourEyes, actor: Reader, *, waiting: Waiting = False, round_id: OfRound = None
) -> ApprovalList:
    return requests.list_approvals(approvals, actor, round_id, waiting=waiting)


@router.get("/{approval_id}", summary="A request with its whole content")
def get_approval(approvals: FourEyes, actor: Reader, approval_id: ApprovalId) -> ApprovalView:
    return requests.show_approval(approvals, actor, approval_id)


@router.post("/{approval_id}/approve", summary="Approve exactly the content of a digest")
async def post_approve(approvals: FourEyes, actor: Second, approval_id: ApprovalId, shown: Approve) -> ApprovalEntry:
    entry = await threads.run_call(decisions.approve, approvals, actor, approval_id, shown.digest)
    approvals.wake()
    return entry


@router.post("/{approval_id}/refuse", summary="Refuse a request, and say why")
def post_refuse(approvals: FourEyes, actor: Second, approval_id: ApprovalId, shown: Refuse) -> ApprovalEntry:
    return decisions.refuse(approvals, actor, approval_id, shown.reason)


@router.post("/{approval_id}/withdraw", summary="Take back what one asked for")
def post_withdraw(approvals: FourEyes, actor: Author, approval_id: ApprovalId) -> ApprovalEntry:
    return decisions.withdraw(approvals, actor, approval_id)
