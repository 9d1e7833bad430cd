"""The interface of what guards against fishing: see it, and decide on a report that an alarm holds back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response

from aquila.audit.roles import Action
from aquila.interface.safeguard import RefusedAnswer, Safeguards
from services.kit.actor import Actor
from services.kit.http.routing import ServiceRoute
from services.kit.people.permissions import requires
from services.node.api.dependencies import node_of
from services.node.safeguards import alarms, views

router = APIRouter(route_class=ServiceRoute, prefix="/v1", tags=["safeguards"])


@router.get(
    "/rounds/{round_id}/safeguards",
    summary="What guards against fishing in a round",
    dependencies=[requires(Action.SEE_ROUNDS)],
)
def get_safeguards(request: Request, round_id: str) -> Safeguards:
    """Return evaluation counts, withheld reports, checks of reports and alarms."""
    return views.safeguards(node_of(request), round_id)


@router.post(
    "/rounds/{round_id}/alarms/{submission_id}/release",
    status_code=204,
    summary="Release a report that an alarm holds back",
    response_class=Response,
)
def release(
    request: Request, actor: Annotated[Actor, requires(Action.RELEASE_ALARM)], round_id: str, submission_id: str
) -> None:
    """Release the report of another party's query."""
    alarms.release(node_of(request), round_id, submission_id, actor)


@router.post(
    "/rounds/{round_id}/alarms/{submission_id}/refuse",
    status_code=204,
    summary="Refuse this party's answer to a query that an alarm holds back",
    response_class=Response,
)
def refuse(
    request: Request,
    actor: Annotated[Actor, requires(Action.RELEASE_ALARM)],
    round_id: str,
    submission_id: str,
    body: RefusedAnswer,
) -> None:
    """Refuse the answer; the asker is informed of it, and the round goes on."""
    alarms.refuse(node_of(request), round_id, submission_id, actor, body.reason)
